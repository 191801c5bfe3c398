//! The session timer of a dialog: what is asked for, what is granted, what was agreed (RFC 4028).
//!
//! | the caller supports it | `refresher` in the request | `refresher` in the 2xx |
//! |---|---|---|
//! | no | – | `uas` |
//! | yes | – | the callee's choice |
//! | yes | `uac` | `uac` |
//! | yes | `uas` | `uas` |

use std::time::{Duration, Instant};

use offhook_sip_message::{
    Allow, Headers, Method, MinSe, Refresher, RequestBuilder, Require, ResponseBuilder,
    SessionExpires, Supported, Text, ValidRequest,
};

use crate::{Refreshes, SessionTimer, TimerUse, config::LEAST};

/// What a dialog knows of its session timer (§7.2, §7.4, §9).
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetime {
    /// The largest Min-SE of a 422 or of a request of the peer; 0 if none has come (§7.4).
    pub(crate) least: u32,
    pub(crate) agreed: Option<Agreed>,
    /// Whether the peer lists UPDATE in `Allow`.
    pub(crate) takes_update: bool,
}

/// What the last 2xx to a session refresh request has set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    pub(crate) seconds: u32,
    /// Whether this side refreshes.
    pub(crate) ours: bool,
    /// How many refreshes have failed since.
    pub(crate) failures: u32,
}

/// Our role in the transaction of a session refresh request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Uac,
    Uas,
}

impl Lifetime {
    /// Takes what an INVITE or UPDATE of the peer, or the 2xx to ours, says of it.
    pub(crate) fn learn(&mut self, headers: &Headers) {
        self.learn_least(min_se(headers));
        let mut allowed = headers.headers_of::<Allow>().flatten().peekable();
        if allowed.peek().is_some() {
            self.takes_update = allowed.any(|Allow(method)| method == Method::UPDATE);
        }
    }

    /// Takes the Min-SE of a 422, or of a request (§7.4).
    pub(crate) fn learn_least(&mut self, least: u32) {
        self.least = self.least.max(least);
    }

    /// What a later INVITE or UPDATE of ours says: the interval and the refresher as they are
    /// (§7.4).
    pub(crate) fn ask(&self, timer: &SessionTimer, builder: RequestBuilder) -> RequestBuilder {
        if !timer.is_supported() {
            return builder;
        }
        let least = self.least.max(timer.min_seconds());
        let builder = with_least(require(timer, builder), least);
        let Some(agreed) = self.agreed else { return builder };
        let refresher = if agreed.ours { Refresher::Uac } else { Refresher::Uas };
        let expires = SessionExpires::new(agreed.seconds.max(least));
        builder.header(&expires.with_refresher(refresher))
    }
}

impl Agreed {
    /// What a 2xx to `request` sets (§7.2, §9); `None`: the session does not expire.
    pub(crate) fn of(
        timer: &SessionTimer,
        role: Role,
        request: &ValidRequest,
        response: &Headers,
    ) -> Option<Self> {
        let expires = response.header::<SessionExpires>().ok().flatten();
        let expires = match (expires, role) {
            _ if !timer.is_supported() => None,
            // The peer does not support it: this side refreshes for its own benefit (§7.2).
            (None, Role::Uac) if timer.is_requested() => {
                let asked = request.header::<SessionExpires>().ok().flatten()?;
                Some(asked.with_refresher(Refresher::Uac))
            }
            (expires, _) => expires,
        }?;
        let ours = match expires.refresher() {
            Some(Refresher::Uas) => role == Role::Uas,
            // It has to be there; should it not, a refresh too many does no harm.
            Some(Refresher::Uac) | None => role == Role::Uac,
        };
        // Nobody makes this side send more refreshes than the absolute minimum allows (§4, §11).
        Some(Self { seconds: expires.seconds.max(LEAST), ours, failures: 0 })
    }

    /// When to refresh (§7.2, §9).
    pub(crate) fn refresh_after(&self) -> Duration {
        self.interval() / 2
    }

    /// When to give the session up: shortly before it expires, so that the BYE still passes
    /// firewalls (§10). The peer does so too if it hears no refresh.
    pub(crate) fn gives_up_at(&self, now: Instant) -> Instant {
        let margin = MARGIN.min(self.interval() / 3);
        now + self.interval().saturating_sub(margin)
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

/// What the first INVITE says (§7.1).
pub(super) fn ask_first(timer: &SessionTimer, builder: RequestBuilder) -> RequestBuilder {
    if !timer.is_supported() {
        return builder;
    }
    let builder = with_least(require(timer, builder), timer.min_seconds());
    if !timer.is_requested() {
        return builder;
    }
    let expires = SessionExpires::new(timer.seconds());
    builder.header(&match timer.refreshes {
        Refreshes::We => expires.with_refresher(Refresher::Uac),
        Refreshes::Either | Refreshes::Peer => expires,
    })
}

/// What the 2xx to `request` grants (§9).
pub(super) fn grant(
    timer: &SessionTimer,
    request: &ValidRequest,
    builder: ResponseBuilder,
) -> ResponseBuilder {
    let Some(expires) = granted(timer, request) else { return builder };
    let builder = builder.header(&expires);
    match supports(request) {
        true => builder.header(&Require(Text::from_static(TIMER))),
        false => builder,
    }
}

fn granted(timer: &SessionTimer, request: &ValidRequest) -> Option<SessionExpires> {
    let wanted = timer.seconds().max(min_se(request.headers()));
    let asked = request.header::<SessionExpires>().ok().flatten();
    // A proxy that asks for less than §4 allows gets nothing: refreshes must not flood anybody.
    let asked = asked.filter(|asked| asked.seconds >= LEAST);
    let seconds = match (&asked, timer.is_requested()) {
        _ if !timer.is_supported() => return None,
        // It may be reduced, never raised.
        (Some(asked), true) => asked.seconds.min(wanted),
        (Some(asked), false) => asked.seconds,
        (None, true) => wanted,
        (None, false) => return None,
    };
    let chosen = asked.and_then(|asked| asked.refresher());
    let refresher = match (supports(request), chosen, timer.refreshes) {
        (false, ..) => Refresher::Uas,
        (true, Some(chosen), _) => chosen,
        (true, None, Refreshes::We) => Refresher::Uas,
        (true, None, Refreshes::Either | Refreshes::Peer) => Refresher::Uac,
    };
    Some(SessionExpires::new(seconds).with_refresher(refresher))
}

/// The Min-SE of the 422 to a request whose interval is too small. One that does not support
/// session timers could not do anything about it (§9).
pub(super) fn too_small(timer: &SessionTimer, request: &ValidRequest) -> Option<u32> {
    let least = timer.min_seconds();
    let asked = request.header::<SessionExpires>().ok().flatten()?.seconds;
    (timer.is_supported() && supports(request) && asked < least).then_some(least)
}

/// Whether the sender supports session timers.
pub(super) fn supports(request: &ValidRequest) -> bool {
    request.headers_of::<Supported>().flatten().any(|tag| tag.is(TIMER))
}

/// The Min-SE of a message; 0 if it has none.
pub(super) fn min_se(headers: &Headers) -> u32 {
    headers.header::<MinSe>().ok().flatten().map_or(0, |least| least.seconds)
}

/// 90 seconds go without saying (§5).
fn with_least(builder: RequestBuilder, least: u32) -> RequestBuilder {
    if least > LEAST { builder.header(&MinSe::new(least)) } else { builder }
}

fn require(timer: &SessionTimer, builder: RequestBuilder) -> RequestBuilder {
    match timer.wanted {
        TimerUse::Required => builder.header(&Require(Text::from_static(TIMER))),
        TimerUse::Off | TimerUse::Supported | TimerUse::Requested => builder,
    }
}

/// The option tag of session timers (RFC 4028 §12.1).
pub(super) const TIMER: &str = "timer";
/// §10 recommends the smaller one of this and a third of the interval.
const MARGIN: Duration = Duration::from_secs(32);
