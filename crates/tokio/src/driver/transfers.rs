//! Transfers: those that this side asks for, and the calls that it places because it is asked to.

use std::time::Instant;

use offhook_core::{CallId, Error as CoreError};
use offhook_sip::{Refer, ReferEnd, ReferEvent, ReferId, Referral, ReferralEvent, ReferralId};
use offhook_sip_message::{HeaderName, Method, NameAddr, StatusCode, Text, Uri};
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, UNAVAILABLE, respond};
use crate::{
    Call, Error, IncomingTransfer, Transfer,
    command::{Media, NewCall, Reply},
    place::Extras,
    transfer::TransferNews,
};

impl Driver {
    /// Asks the peer of a call to call somebody.
    pub(super) fn transfer(&mut self, call: CallId, refer_to: NameAddr, reply: Reply<Transfer>) {
        let refer = Refer { referred_by: self.referrer(call), ..Refer::to(refer_to) };
        match self.core.refer(Instant::now(), call, refer) {
            Ok(id) => {
                let (sender, news) = watch::channel(TransferNews::default());
                self.transfers.insert(id, sender);
                respond(reply, Ok(Transfer { news }));
            }
            Err(error) => respond(reply, Err(error.into())),
        }
    }

    /// Asks the peer of a call to take this side's place in another.
    pub(super) fn transfer_to(&mut self, call: CallId, other: CallId, reply: Reply<Transfer>) {
        match self.core.replacing(other) {
            Ok(uri) => self.transfer(call, NameAddr::new(uri), reply),
            Err(error) => respond(reply, Err(error.into())),
        }
    }

    /// On whose behalf the peer is to call (RFC 3892 §2.1).
    fn referrer(&self, call: CallId) -> Option<NameAddr> {
        let account = self.calls.get(&call)?.account;
        let account = account.and_then(|account| self.accounts.get(&account));
        let address = account.map_or(&self.identity, |account| &account.settings.aor);
        Some(NameAddr::new(address.uri.clone()))
    }

    /// The peer tells how a transfer goes.
    pub(super) fn transfer_heard(&mut self, refer: ReferId, event: ReferEvent) {
        let Some(news) = self.transfers.get(&refer) else { return };
        match event {
            ReferEvent::Progress { status: Some(status), .. } => {
                news.send_modify(|news| news.status = Some(status));
            }
            ReferEvent::Ended { status, end } => {
                let last = match end {
                    ReferEnd::Refused { status, .. } => Some(status),
                    _ => status,
                };
                news.send_modify(|news| news.end = Some(last));
                self.transfers.remove(&refer);
            }
            ReferEvent::Progress { .. }
            | ReferEvent::Accepted { .. }
            | ReferEvent::Forked { .. } => {}
        }
        // Nobody listens any more.
        if self.transfers.get(&refer).is_some_and(watch::Sender::is_closed) {
            self.transfers.remove(&refer);
            let _ = self.core.forget_refer(Instant::now(), refer);
        }
    }

    /// Someone asks this side to call somebody, or wants to hear no more of it.
    pub(super) fn referral_heard(&mut self, id: ReferralId, event: ReferralEvent) {
        let ReferralEvent::Requested(referral) = event else { return };
        let call = referral.call.or(referral.target_dialog);
        let call = call.and_then(|call| self.calls.get(&call)?.handle);
        let commands = self.commands.upgrade().filter(|_| !self.closing.has_begun());
        let taken = commands.is_some_and(|commands| {
            let handle = IncomingTransfer::new(id, referral, call, commands);
            match self.incoming_transfers.try_send(handle) {
                Ok(()) => true,
                Err(refused) => {
                    refused.into_inner().forget();
                    false
                }
            }
        });
        if !taken {
            self.reject_transfer(id, UNAVAILABLE, None);
        }
    }

    pub(super) fn reject_transfer(
        &mut self,
        id: ReferralId,
        status: StatusCode,
        reply: Option<Reply<()>>,
    ) {
        let done = self.core.reject_refer(Instant::now(), id, status);
        match (done, reply) {
            (done, Some(reply)) => respond(reply, done.map_err(Error::from)),
            (Err(error), None) => debug!(%error, "the transfer has its answer"),
            (Ok(()), None) => {}
        }
    }

    /// Calls whom a REFER names.
    pub(super) fn accept_transfer(
        &mut self,
        id: ReferralId,
        referral: &Referral,
        call: Option<CallId>,
        reply: Reply<Call>,
    ) {
        let Some((target, headers)) = to_be_called(&referral.refer_to.uri) else {
            self.reject_transfer(id, StatusCode::NOT_IMPLEMENTED, None);
            let (uri, reason) = (referral.refer_to.uri.to_string(), NO_CALL.to_owned());
            return respond(reply, Err(Error::Uri { uri, reason }));
        };
        if let Err(error) = self.core.accept_refer(Instant::now(), id) {
            return respond(reply, Err(error.into()));
        }
        let account = call.and_then(|call| self.calls.get(&self.named(call))?.account);
        let from = account.and_then(|account| self.accounts.get(&account));
        let from = from.map_or(&self.identity, |account| &account.settings.aor).clone();
        let by = referral.request.headers().texts(HeaderName::REFERRED_BY).next();
        let by = by.and_then(Result::ok).map(|by| (HeaderName::REFERRED_BY, by));
        let extras =
            Extras { headers: headers.into_iter().chain(by).collect(), ..Extras::default() };
        let (media, referral) = (Media::Here, Some(id));
        self.seek_new_call(NewCall { target, from, account, media, extras, referral, reply });
    }

    /// Tells the one who has asked for a call how it goes.
    pub(super) fn report(&mut self, referral: Option<ReferralId>, status: StatusCode) {
        let Some(id) = referral else { return };
        if let Err(CoreError::Sip(error)) = self.core.report_refer(Instant::now(), id, status) {
            debug!(%error, "nobody wants to hear how the transfer goes");
        }
    }

    /// Reports on a call that is on its way.
    pub(super) fn report_on(&mut self, call: CallId, status: StatusCode) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        let referral = if status.is_final() { live.referral.take() } else { live.referral };
        self.report(referral, status);
    }
}

/// The target of a `Refer-To`, without what is not for its Request-URI, and the header fields that an
/// INVITE to it carries. Of those that the URI brings only `Replaces` is taken: others could make the
/// call pass for one of somebody else (RFC 3261 §19.1.5). `None`: no INVITE is asked for.
fn to_be_called(refer_to: &Uri) -> Option<(Uri, Vec<(HeaderName, Text)>)> {
    let Uri::Sip(uri) = refer_to else { return Some((refer_to.clone(), Vec::new())) };
    let method = uri.parameters.value("method");
    if method.is_some_and(|method| method != Method::INVITE.as_str()) {
        return None;
    }
    let mut headers = Vec::new();
    for (name, value) in uri.header_fields() {
        match std::str::from_utf8(&value) {
            Ok(value) if name.eq_ignore_ascii_case(HeaderName::REPLACES.as_str().as_bytes()) => {
                headers.push((HeaderName::REPLACES, Text::from(value)));
            }
            _ => {
                debug!(name = %String::from_utf8_lossy(&name), "header field of a Refer-To left out");
            }
        }
    }
    let mut uri = uri.clone();
    uri.headers = None;
    uri.parameters.remove("method");
    Some((Uri::Sip(uri), headers))
}

/// Why some references are refused.
const NO_CALL: &str = "the reference asks for something else than a call";
