//! What an endpoint and a call are told at their start.

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use offhook_media::{PlayoutDelay, supports};
use offhook_sansio::Flow;
use offhook_sdp::{Capabilities, Codec, Direction};
use offhook_sip::{Login, RegistrationId, SessionTimer};
use offhook_sip_message::{AnswerMode, HeaderName, NameAddr, PrivAnswerMode, Privacy, Text, Uri};

use crate::Error;

/// The settings of an endpoint.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who this endpoint is: the `From` of its calls (RFC 3261 §8.1.1.3).
    pub identity: NameAddr,
    /// The codecs, frame time and RTCP multiplexing that calls offer and accept, best first.
    pub capabilities: Capabilities,
    /// Whether a call whose offer this endpoint cannot answer with media of its own is refused before
    /// it is told of. Turn it off for calls that are answered with
    /// [`answer_with`](crate::Endpoint::answer_with).
    pub check_offers: bool,
    /// How long received sound waits to be played.
    pub delay: PlayoutDelay,
    /// The settings of the SIP layer: timers, limits, the `User-Agent` header.
    pub sip: offhook_sip::Config,
}

impl Config {
    /// The defaults, for an endpoint whose address is `identity`.
    pub fn new(identity: Uri) -> Self {
        Self {
            identity: NameAddr { display_name: None, uri: identity },
            capabilities: Capabilities {
                codecs: vec![Codec::pcmu(), Codec::pcma()],
                ptime: FRAME_TIME,
                rtcp_mux: true,
                direction: Direction::SendRecv,
            },
            check_offers: true,
            delay: PlayoutDelay::default(),
            sip: offhook_sip::Config::default(),
        }
    }

    /// Finds out whether the settings can be honoured, before an endpoint is made from them.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a codec that is not there, no codec at all, a frame time outside
    /// 10 to 200 ms, playout delays out of order, and SIP timers outside 1 ms to 1 hour.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Setting(reason));
        let Capabilities { codecs, ptime, .. } = &self.capabilities;
        if let Some(codec) = codecs.iter().find(|codec| !supports(codec)) {
            return refuse(format!("there is no codec {codec}"));
        }
        if codecs.is_empty() {
            return refuse(String::from("a call needs at least one codec"));
        }
        if !FRAME_TIMES.contains(ptime) || ptime.subsec_micros() % 1000 != 0 {
            return refuse(format!("a frame of {ptime:?} is not 10 to 200 whole milliseconds"));
        }
        let PlayoutDelay { initial, min, max } = self.delay;
        if min > initial || initial > max {
            return refuse(format!(
                "playout delays {min:?}, {initial:?}, {max:?} are out of order"
            ));
        }
        let offhook_sip::Config { t1, t2, t4, .. } = self.sip;
        if let Some(timer) = [t1, t2, t4].iter().find(|timer| !SIP_TIMERS.contains(timer)) {
            return refuse(format!("T1, T2 or T4 of {timer:?} is not 1 ms to 1 hour"));
        }
        Ok(())
    }
}

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Whom to call: the Request-URI and the `To` (RFC 3261 §8.1.1).
    pub target: Uri,
    /// The flow to the next hop. Its remote address is what the target's host resolved to.
    pub flow: Flow,
    /// Who calls, if it is not the identity of the endpoint.
    pub from: Option<NameAddr>,
    /// What to answer challenges with (RFC 3261 §22).
    pub logins: Vec<Login>,
    /// The registration under which to call: its service route is taken (RFC 3608 §6.1), and the
    /// `Contact` is its GRUU or contact.
    pub registration: Option<RegistrationId>,
    /// More header fields for the INVITE. A `Route` here has to name loose routers.
    pub headers: Vec<(HeaderName, Text)>,
    /// The most bytes that the INVITE may have; `None`: any number. Over UDP it should have no
    /// more than 1300 while there is a stream to send it by (RFC 3261 §18.1.1).
    pub largest: Option<usize>,
    /// The use of session timers (RFC 4028); `None`: that of `Config::sip`.
    pub session_timer: Option<SessionTimer>,
    /// What is to be kept private (RFC 3323, RFC 3325). Anything but `none` makes the `From` anonymous.
    pub privacy: Option<Privacy>,
    /// The identity that a trusted proxy is asked to vouch for (RFC 3325 §9.2).
    pub preferred_identity: Vec<NameAddr>,
    /// Who or what is to answer (RFC 5373).
    pub answer_mode: Option<AnswerMode>,
    /// The same, whatever the callee prefers (RFC 5373 §4.1).
    pub priv_answer_mode: Option<PrivAnswerMode>,
}

impl Outgoing {
    /// A call to `target` over `flow`, with no more header fields than it needs.
    pub const fn new(target: Uri, flow: Flow) -> Self {
        Self {
            target,
            flow,
            from: None,
            logins: Vec::new(),
            registration: None,
            headers: Vec::new(),
            largest: None,
            session_timer: None,
            privacy: None,
            preferred_identity: Vec::new(),
            answer_mode: None,
            priv_answer_mode: None,
        }
    }
}

/// The sockets of one call's media, as this host and as the peer see them.
///
/// The public addresses differ from the local ones behind a NAT with a fixed mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaSockets {
    /// The address of the RTP socket.
    pub rtp: SocketAddr,
    /// The address of the RTCP socket, used when the peer does not multiplex (RFC 5761).
    pub rtcp: SocketAddr,
    /// Where the peer reaches the RTP socket.
    pub public_rtp: SocketAddr,
    /// Where the peer reaches the RTCP socket.
    pub public_rtcp: SocketAddr,
}

impl MediaSockets {
    /// RTP on `rtp` and RTCP on the port above (RFC 3550 §11), with no NAT in between.
    ///
    /// On port 65535, which has no port above, both share the one socket.
    pub const fn pair(rtp: SocketAddr) -> Self {
        let mut rtcp = rtp;
        rtcp.set_port(rtp.port().saturating_add(1));
        Self { rtp, rtcp, public_rtp: rtp, public_rtcp: rtcp }
    }
}

/// The frame times that peers understand (RFC 3551 §4.2).
const FRAME_TIMES: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_millis(200);
/// What the SIP layer would silently clamp its timers to.
const SIP_TIMERS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);
/// What RFC 3551 §4.2 recommends for a packet of speech.
const FRAME_TIME: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("sip:alice@192.0.2.1".parse().unwrap())
    }

    #[test]
    fn the_defaults_can_be_honoured() {
        config().check().unwrap();
    }

    #[test]
    fn a_setting_that_would_do_nothing_is_refused() {
        let mut unknown = config();
        unknown.capabilities.codecs.push(Codec { encoding: "GSM".into(), ..Codec::pcmu() });
        assert!(unknown.check().unwrap_err().to_string().contains("GSM/8000"));

        let mut stereo = config();
        stereo.capabilities.codecs = vec![Codec { channels: 2, ..Codec::pcmu() }];
        assert!(stereo.check().is_err());

        let mut silent = config();
        silent.capabilities.codecs.clear();
        assert!(silent.check().is_err());

        for (ptime, good) in [(5, false), (10, true), (200, true), (201, false)] {
            let mut config = config();
            config.capabilities.ptime = Duration::from_millis(ptime);
            assert_eq!(config.check().is_ok(), good, "{ptime} ms");
        }

        for t2 in [Duration::ZERO, Duration::MAX] {
            let mut endless = config();
            endless.sip.t2 = t2;
            assert!(endless.check().is_err(), "{t2:?}");
        }

        let mut swapped = config();
        swapped.delay.max = Duration::from_millis(1);
        assert!(swapped.check().is_err());
    }
}
