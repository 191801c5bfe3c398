//! What the owner of a user agent may choose.

mod session_timer;
pub(crate) use session_timer::LEAST;
pub use session_timer::{Refreshes, SessionTimer, TimerUse};

use std::{net::IpAddr, time::Duration};

use offhook_sip_message::{Method, ParseOptions, Text};

use crate::{BackOff, EventPackage};

/// The settings of a [`UserAgent`](crate::UserAgent). The defaults are the RFC's values.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `User-Agent` and `Server` field of what is sent; empty: the field is left out.
    pub user_agent: Text,
    /// The round-trip time estimate T1 (RFC 3261 §17.1.1.1). This and the next two are taken as at
    /// least 1 ms and at most an hour.
    pub t1: Duration,
    /// The longest interval between retransmissions, T2 (RFC 3261 §17.1.2.2).
    pub t2: Duration,
    /// How long the network may hold a message, T4 (RFC 3261 §17.1.2.2).
    pub t4: Duration,
    /// How long the owner may take to ring or answer before 100 (Trying) tells the caller that its
    /// INVITE has come: 200 ms at most (RFC 3261 §17.2.1). An owner who is sure to be faster saves the
    /// 100. Default: it is sent at once.
    pub trying_after: Duration,
    /// How strictly, and up to which size, messages are read.
    pub parse: ParseOptions,
    /// How many calls may live at a time. One more INVITE is answered with 503.
    pub max_calls: usize,
    /// How many transactions may live at a time. One more request is answered with 503.
    ///
    /// The calls of this side, and what ends a call, find room beyond it: `max_calls` more.
    pub max_transactions: usize,
    /// Whether provisional responses are sent reliably (RFC 3262). It needs PRACK in `allow`; without
    /// that it is [`Off`](ReliableProvisionals::Off).
    pub reliable_provisionals: ReliableProvisionals,
    /// The use of session timers (RFC 4028) in the calls that come in, and in those that are placed
    /// without a choice of their own.
    pub session_timer: SessionTimer,
    /// Whether a call may take the place of another one by `Replaces` (RFC 3891):
    /// [`Event::Incoming`](crate::Event::Incoming) names it, and answering the new call hangs up the
    /// other. Otherwise the field is passed over.
    pub replaces: bool,
    /// Whether a call may join another one by `Join` (RFC 3911): [`Event::Incoming`](crate::Event::Incoming)
    /// names it. Only for owners who mix the calls, and answer with 488 where they cannot. Otherwise
    /// the field is passed over.
    pub join: bool,
    /// The addresses of the servers in our trust domain (RFC 3325 §2.3). Only what comes from them is
    /// taken to assert an identity. They must remove that of strangers, and nobody else may be able
    /// to send from their addresses.
    pub trusted: Vec<IpAddr>,
    /// Whether the caller may say who or what is to answer (RFC 5373): `answermode` is offered, and
    /// [`Event::Incoming`](crate::Event::Incoming) tells what is asked for. An owner who takes it must
    /// reject a call, with 403, that requires another mode than its own.
    pub answer_mode: bool,
    /// How many more targets a call tries when its INVITE is redirected (RFC 3261 §8.1.3.4). Each is
    /// told of by [`Event::Redirected`](crate::Event::Redirected), and the owner has to follow.
    /// 0: a 3xx ends the call.
    pub max_redirects: u8,
    /// The methods listed in `Allow` (RFC 3261 §20.5).
    ///
    /// Listing a method does not add it; what is not implemented is answered with 405 anyway.
    /// Leaving one out switches it off. INFO is off unless it is added: what comes in it is for
    /// those who listen to [`Event::Info`](crate::Event::Info).
    pub allow: Vec<Method>,
    /// The methods of requests that the owner answers itself, such as MESSAGE (RFC 3428): they are
    /// told as [`Event::Requested`](crate::Event::Requested), and listed in `Allow` too.
    ///
    /// None is by default, not even MESSAGE: its sender would wait for an owner who does not listen,
    /// and 405 says at once that nobody does (RFC 3428 §7). What is taken in INFO by `info_packages`
    /// and `info_types` needs not be among them.
    ///
    /// INVITE, ACK, BYE, CANCEL and OPTIONS are never among them.
    pub answered_by_owner: Vec<Method>,
    /// How many requests may wait for their owner at a time. One more is answered with 503.
    pub max_waiting_requests: usize,
    /// How many requests of ours outside of dialogs may wait for their response at a time.
    pub max_requests: usize,
    /// How many registrations may live at a time.
    pub max_registrations: usize,
    /// How many publications may live at a time.
    pub max_publications: usize,
    /// The event packages that others may subscribe to, compared octet by octet, templates among
    /// them (RFC 6665 §4.2.1.1). A SUBSCRIBE for another is answered with 489.
    ///
    /// [`EventPackage::REFER`] among them: REFER is taken (RFC 3515), and `norefersub` (RFC 4488)
    /// and `tdialog` (RFC 4538) are supported. Without it REFER is answered with 405.
    pub event_packages: Vec<EventPackage>,
    /// How many subscriptions of ours may live at a time, those to the progress of a REFER and those
    /// of forks included.
    pub max_subscriptions: usize,
    /// How many subscriptions of others may live at a time, those to the progress of their REFERs
    /// included. One more is answered with 503.
    pub max_subscribers: usize,
    /// The shortest subscription that others may ask for; less gets 423. Nobody is refused an hour,
    /// or the end of a subscription (RFC 6665 §4.2.1.1).
    pub min_subscription: Duration,
    /// How long registrations, publications and subscriptions wait after a failure (RFC 5626 §4.5).
    pub back_off: BackOff,
    /// The info packages that are taken in INFO, listed in `Recv-Info` (RFC 6086 §5); an INFO of any
    /// other is answered with 469. They need INFO in `allow`, as does sending an INFO of a package
    /// in a call that this side has placed: its INVITE has to speak of packages first.
    pub info_packages: Vec<Text>,
    /// The body types that are taken in an INFO of no package. An INFO with another one is answered
    /// with 415. Empty: any type.
    pub info_types: Vec<Text>,
    /// The body types understood in INVITE, listed in `Accept` (RFC 3261 §20.1).
    ///
    /// An INVITE whose body is of another type is answered with 415 (§8.2.3). Empty: any type.
    pub accept: Vec<Text>,
}

/// The use of the extension `100rel` (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReliableProvisionals {
    /// It is neither offered nor taken: an INVITE that requires it is answered with 420.
    Off,
    /// It is offered, and used where the peer asks for it: by a `Require` in its INVITE, or by
    /// sending its own provisional responses so.
    #[default]
    Supported,
    /// It is offered, and used with every peer that offers it too.
    Preferred,
    /// Our INVITE requires it, and one that does not offer it is answered with 421.
    Required,
}

impl Config {
    /// The use of `100rel` that the other settings allow.
    pub(crate) fn reliable(&self) -> ReliableProvisionals {
        match self.allow.contains(&Method::PRACK) {
            true => self.reliable_provisionals,
            false => ReliableProvisionals::Off,
        }
    }

    /// Whether REFER is taken.
    pub(crate) fn takes_refer(&self) -> bool {
        self.event_packages.contains(&EventPackage::REFER)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: Text::from_static(concat!("offhook/", env!("CARGO_PKG_VERSION"))),
            t1: T1,
            t2: T2,
            t4: T4,
            trying_after: Duration::ZERO,
            parse: ParseOptions::default(),
            max_calls: 1_000,
            max_transactions: 10_000,
            reliable_provisionals: ReliableProvisionals::Supported,
            session_timer: SessionTimer::default(),
            replaces: true,
            join: false,
            trusted: Vec::new(),
            answer_mode: false,
            max_redirects: 0,
            allow: vec![
                Method::INVITE,
                Method::ACK,
                Method::BYE,
                Method::CANCEL,
                Method::OPTIONS,
                Method::PRACK,
                Method::UPDATE,
                Method::SUBSCRIBE,
                Method::NOTIFY,
                Method::REFER,
            ],
            answered_by_owner: Vec::new(),
            max_waiting_requests: 100,
            max_requests: 1_000,
            max_registrations: 100,
            max_publications: 100,
            event_packages: Vec::new(),
            max_subscriptions: 1_000,
            max_subscribers: 1_000,
            min_subscription: MIN_SUBSCRIPTION,
            back_off: BackOff::default(),
            info_packages: Vec::new(),
            info_types: vec![
                Text::from_static("application/dtmf-relay"),
                Text::from_static("application/dtmf"),
            ],
            accept: vec![Text::from_static("application/sdp")],
        }
    }
}

/// A watcher that refreshes more often than once a minute costs more than it learns.
const MIN_SUBSCRIPTION: Duration = Duration::from_secs(60);
/// RFC 3261 §17.1.1.1, table 4.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261 §17.1.2.2, table 4.
const T2: Duration = Duration::from_secs(4);
/// RFC 3261 §17.1.2.2, table 4.
const T4: Duration = Duration::from_secs(5);
