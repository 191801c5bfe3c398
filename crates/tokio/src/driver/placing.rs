//! Placing calls: at one target after the other, and where redirects point.
//!
//! A call whose INVITE fails before anything came back goes to the next target as a new call
//! (RFC 3263 §4.3). A redirected one goes on as the same call (RFC 3261 §8.1.3.4).

use std::time::Instant;

use offhook_core::{CallId, Ending, Outgoing};
use offhook_sansio::{Flow, Protocol};
use offhook_sip::{End, Error as SipError, Failure, LookupId, ReferralId};
use offhook_sip_message::{NameAddr, StatusCode, Uri};
use tokio::sync::watch;
use tracing::debug;

use super::{
    Driver,
    errand::{Purpose, Size},
    live::Live,
    media_address, respond,
};
use crate::{
    AccountId, Call, Ended, Error,
    call::{Status, Told},
    command::{Media, NewCall, Reply},
    place::Extras,
};

/// A call to be placed.
pub(super) struct Placing {
    pub(super) target: Uri,
    pub(super) size: Size,
    pub(super) account: Option<AccountId>,
    media: Media,
    extras: Extras,
    referral: Option<ReferralId>,
    origin: Origin,
}

enum Origin {
    New {
        from: NameAddr,
        reply: Reply<Call>,
    },
    /// The target before has failed; its end is told if there is no other.
    Again {
        live: Box<Live>,
        ended: Ended,
    },
}

/// What a live call needs to go to another target: forgotten as soon as anything comes back.
pub(super) struct Attempt {
    lookup: LookupId,
    target: Uri,
    size: Size,
    media: Media,
    extras: Extras,
}

/// A redirected call, and where it may go.
pub(super) struct Following {
    call: CallId,
    target: Uri,
    /// The targets after that.
    others: Vec<Uri>,
}

impl Driver {
    /// Starts to look for where a call goes.
    pub(super) fn seek_new_call(&mut self, call: NewCall) {
        let NewCall { target, from, account, media, extras, referral, reply } = call;
        let (size, origin) = (Size::Unknown, Origin::New { from, reply });
        let placing = Placing { target, size, account, media, extras, referral, origin };
        let placing = Box::new(placing);
        // What is registered over a connection, or over a flow of its own, is called from there.
        match account.and_then(|account| self.bound_flow(account)) {
            Some(flow) => self.place(placing, None, flow),
            None => self.seek_call(placing, None),
        }
    }

    pub(super) fn seek_call(&mut self, placing: Box<Placing>, fault: Option<String>) {
        let hop = self.hop_of(placing.account, &placing.target);
        let hop = hop.map(|hop| placing.size.of(hop));
        self.seek(Purpose::Place(placing), hop, fault);
    }

    /// Something came back: the call stays with its target.
    pub(super) fn settle(&mut self, call: CallId) {
        let live = self.calls.get_mut(&call);
        let attempt = live.and_then(|live| live.attempt.take());
        self.reach_target(attempt.map(|attempt| attempt.lookup));
    }

    /// Tries the next target for a call that nobody has answered, if its end allows that. The call
    /// is given back if it is over for good.
    pub(super) fn try_again(&mut self, mut live: Live, ended: Ended) -> Option<(Live, Ended)> {
        let Some(Attempt { lookup, target, size, media, extras }) = live.attempt.take() else {
            return Some((live, ended));
        };
        let failure = failure(&ended.ending).filter(|_| !self.closing.has_begun());
        let Some(failure) = failure else {
            self.reach_target(Some(lookup));
            return Some((live, ended));
        };
        if self.locator.failed(Instant::now(), lookup, failure).is_err() {
            return Some((live, ended));
        }
        let (account, referral) = (live.account, live.referral);
        let origin = Origin::Again { live: Box::new(live), ended };
        let placing = Placing { target, size, account, media, extras, referral, origin };
        self.take_on(Purpose::Place(Box::new(placing)), Some(lookup));
        None
    }

    /// Gives up a call between two targets; false if there is none of this handle.
    pub(super) fn give_up_trying(&mut self, handle: CallId) -> bool {
        let waits = |purpose: &Purpose| match purpose {
            Purpose::Place(placing) => match &placing.origin {
                Origin::Again { live, .. } => live.handle == Some(handle),
                Origin::New { .. } => false,
            },
            _ => false,
        };
        let found = self.errands.iter().find(|(_, errand)| waits(&errand.purpose));
        let Some(id) = found.map(|(id, _)| *id) else { return false };
        if let Some(errand) = self.errands.remove(&id) {
            self.drop_errand(errand, Error::Closed);
        }
        true
    }

    /// Ends all calls and requests that are still to be placed.
    pub(super) fn give_up_seeking(&mut self) {
        self.drop_errands(|purpose| !matches!(purpose, Purpose::Deliver(_)));
    }

    pub(super) fn drop_placing(&mut self, placing: Placing, error: Error) {
        match placing.origin {
            Origin::New { reply, .. } => {
                self.report(placing.referral, StatusCode::SERVICE_UNAVAILABLE);
                respond(reply, Err(error));
            }
            Origin::Again { live, ended } => self.end(*live, ended),
        }
    }

    pub(super) fn place(
        &mut self,
        mut placing: Box<Placing>,
        lookup: Option<LookupId>,
        flow: Flow,
    ) {
        let mut outgoing = Outgoing::new(placing.target.clone(), flow);
        if flow.protocol == Protocol::Udp && placing.size == Size::Unknown {
            outgoing.largest = Some(LARGEST_DATAGRAM);
        }
        placing.extras.clone().add_to(&mut outgoing);
        self.sign(&mut outgoing, placing.account);
        match self.call(outgoing, &placing.media) {
            Ok(call) => self.placed(call, *placing, lookup),
            Err(Error::Core(offhook_core::Error::Sip(SipError::TooLarge { .. }))) => {
                if let Some(lookup) = lookup {
                    self.locator.abandon(lookup);
                }
                placing.size = Size::Large;
                self.seek_call(placing, None);
            }
            Err(error) => {
                if let Some(lookup) = lookup {
                    self.locator.abandon(lookup);
                }
                self.drop_placing(*placing, error);
            }
        }
    }

    fn call(&mut self, outgoing: Outgoing, media: &Media) -> Result<CallId, Error> {
        let flow = outgoing.flow;
        if let Media::Elsewhere(offer) = media {
            let call = self.core.call_with(Instant::now(), outgoing, offer.clone())?;
            self.calls.insert(call, Live::new(Some(flow), None));
            return Ok(call);
        }
        let sockets = self.sockets.bind_media(media_address(&self.listening, flow))?;
        let placed = self.core.call(Instant::now(), outgoing, sockets);
        match placed {
            Ok(call) => self.calls.insert(call, Live::new(Some(flow), Some(sockets))),
            Err(_) => {
                self.sockets.close_media(sockets);
                None
            }
        };
        Ok(placed?)
    }

    /// Gives a new call its handle, or the handle its new call.
    fn placed(&mut self, call: CallId, placing: Placing, lookup: Option<LookupId>) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        let Placing { target, size, account, media, extras, referral, origin } = placing;
        let to = NameAddr::new(target.clone());
        live.account = account;
        live.secure = target.as_sip().is_some_and(|uri| uri.secure);
        live.attempt = lookup.map(|lookup| Attempt { lookup, target, size, media, extras });
        live.referral = referral;
        match origin {
            Origin::New { from, reply } => {
                let (status, seen) = watch::channel(Status::default());
                let (told, infos) = self.infos();
                let Some(live) = self.calls.get_mut(&call) else { return };
                (live.handle, live.status, live.infos) = (Some(call), Some(status), told);
                let told = Told { infos, ..Told::default() };
                let commands = self.commands.upgrade().ok_or(Error::Closed);
                // A handle that nobody takes any more ends the call.
                let handle = commands
                    .map(|commands| Call::new(call, from, to, account, seen, commands, told));
                respond(reply, handle);
            }
            Origin::Again { live: before, .. } => {
                (live.handle, live.status) = (before.handle, before.status);
                live.infos = before.infos;
                if let Some(handle) = live.handle {
                    self.renamed.insert(handle, call);
                }
            }
        }
    }

    /// The call that a handle means now.
    pub(super) fn named(&self, handle: CallId) -> CallId {
        self.renamed.get(&handle).copied().unwrap_or(handle)
    }

    /// A call was redirected: goes on to the most wanted target that can be had.
    pub(super) fn redirected(&mut self, call: CallId, mut targets: Vec<Uri>) {
        self.settle(call);
        let secure = self.calls.get(&call).is_some_and(|live| live.secure);
        // What was to be secure all the way stays so (RFC 3261 §26.2.2).
        targets.retain(|uri| !secure || uri.as_sip().is_some_and(|uri| uri.secure));
        self.follow_first(call, targets);
    }

    /// On to the next target of a redirect.
    pub(super) fn follow_other(&mut self, following: Following) {
        self.follow_first(following.call, following.others);
    }

    fn follow_first(&mut self, call: CallId, mut others: Vec<Uri>) {
        if others.is_empty() {
            debug!(?call, "no target of the redirect can be reached");
            // The call ends as one that was given up.
            let _ = self.core.hang_up(Instant::now(), call);
            return;
        }
        let target = others.remove(0);
        let Some(live) = self.calls.get(&call) else { return };
        let account = live.account;
        let following = Following { call, target, others };
        if let Some(flow) = account.and_then(|account| self.bound_flow(account)) {
            return self.follow(following, None, flow);
        }
        let hop = self.hop_of(account, &following.target);
        self.seek(Purpose::Follow(following), hop, None);
    }

    pub(super) fn follow(&mut self, following: Following, lookup: Option<LookupId>, flow: Flow) {
        self.reach_target(lookup);
        let call = following.call;
        if let Err(error) = self.core.follow(Instant::now(), call, &following.target, flow) {
            debug!(?call, %error, "the redirect could not be followed");
            return self.follow_other(following);
        }
        if let Some(live) = self.calls.get_mut(&call) {
            live.flow = Some(flow);
        }
    }
}

/// Which ends mean that the target has failed (RFC 3263 §4.3).
fn failure(ending: &Ending) -> Option<Failure> {
    match ending {
        Ending::Signalling(End::TransportFailed) => Some(Failure::Transport),
        Ending::Signalling(End::TimedOut) => Some(Failure::TimedOut),
        Ending::Signalling(End::Rejected { status, .. })
            if *status == StatusCode::SERVICE_UNAVAILABLE =>
        {
            Some(Failure::Unavailable { retry_after: None })
        }
        _ => None,
    }
}

/// The largest request that goes as a datagram while the path MTU is unknown (RFC 3261 §18.1.1).
const LARGEST_DATAGRAM: usize = 1_300;
