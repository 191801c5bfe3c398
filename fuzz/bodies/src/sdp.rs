//! Session descriptions: what parses is written back byte for byte, and whatever the peer's offer or
//! answer is, the negotiation goes on.

use std::time::Duration;

use offhook_sdp::{
    Capabilities, Codec, Direction, Error, Field, Line, LocalMedia, MediaDescription,
    NegotiatedMedia, Negotiation, Pending, SessionDescription,
};

use crate::Promised;

/// Parses one description, and takes it as an offer and as an answer.
pub fn sdp(data: &[u8]) {
    match SessionDescription::parse(data) {
        Ok(description) => is_written_back(&description, data),
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1, "places count from 1");
            assert!(error.line <= data.len().saturating_add(2), "a fault lies within its text");
            assert!(!error.to_string().contains('\n'));
        }
    }
    for capabilities in [telephone(), one_way()] {
        take_offer(data, &capabilities);
        take_answer(data, &capabilities);
    }
}

fn is_written_back(description: &SessionDescription, data: &[u8]) {
    assert_eq!(description.to_bytes(), data, "what nobody touched is written back as it came");
    let again = SessionDescription::parse(&description.to_bytes());
    assert_eq!(again.as_ref(), Ok(description));
    let _ = (description.origin(), description.connection(), description.direction());
    assert!(description.attributes().count() <= description.lines().len());
    description.lines().iter().for_each(check_line);
    description.media.iter().for_each(check_media);
}

fn check_media(media: &MediaDescription) {
    let _ = (media.connection(), media.direction(), media.ptime(), media.max_ptime());
    let _ = (media.rtcp(), media.rtcp_mux());
    assert!(media.attributes().count() < media.lines().len());
    // Each question looks at every line, so thousands of formats would only cost time.
    for format in media.media().formats.iter().take(128) {
        let _ = media.format_parameters(format);
        let _ = format.parse().ok().and_then(|number: u8| media.rtpmap(number));
    }
    media.lines().iter().for_each(check_line);
}

/// The value of a line can be written; it is then read back as it was.
fn check_line(line: &Line) {
    if *line.field() == Field::Blank {
        return;
    }
    if let Ok(written) = Line::new(line.field().clone()) {
        assert_eq!(written.field(), line.field());
    }
}

/// An offer is answered or refused; after that the session can go on.
fn take_offer(offer: &[u8], capabilities: &Capabilities) {
    let mut negotiation = Negotiation::new(capabilities.clone(), LOCAL, 1);
    if let Err(error) = negotiation.receive_offer(offer) {
        is_good_error(&error);
        assert_eq!(negotiation.pending(), Pending::None, "a refused offer is over");
        negotiation.offer().promised("after a refused offer we can make one");
        return;
    }
    let (answer, media) = negotiation.answer().promised("an offer that was taken is answered");
    let offered = SessionDescription::parse(offer).promised("an offer that was taken is read");
    let answered = SessionDescription::parse(&answer).promised("our answer is read");
    assert_eq!(offered.media.len(), answered.media.len(), "one m= line for each (RFC 3264 §6)");
    let bound = offer.len().saturating_mul(2).saturating_add(LONGEST_OWN);
    assert!(answer.len() <= bound, "an answer is bounded by its offer");
    is_good_agreement(&media, capabilities);
    again(&mut negotiation, offer, &answer, &media);
}

/// The same offer again is the same agreement (RFC 3264 §8).
fn again(negotiation: &mut Negotiation, offer: &[u8], answer: &[u8], media: &NegotiatedMedia) {
    negotiation.receive_offer(offer).promised("the same offer is taken again");
    let (again, same) = negotiation.answer().promised("the same offer is answered again");
    assert_eq!((&*again, &same), (answer, media), "nothing changed, so o= has no new version");
    let ours = negotiation.offer().promised("after an agreement we can make an offer");
    SessionDescription::parse(&ours).promised("our offer is read");
    negotiation.roll_back();
    assert_eq!(negotiation.agreed(), Some(media), "what was agreed before stays in force");
}

fn take_answer(answer: &[u8], capabilities: &Capabilities) {
    let mut negotiation = Negotiation::new(capabilities.clone(), LOCAL, 1);
    let offer = negotiation.offer().promised("our first offer is made");
    assert!(offer.len() <= LONGEST_OWN);
    match negotiation.receive_answer(answer) {
        Ok(media) => is_good_agreement(&media, capabilities),
        Err(error) => {
            is_good_error(&error);
            assert_eq!(negotiation.agreed(), None, "a bad answer agrees nothing");
        }
    }
    assert_eq!(negotiation.pending(), Pending::None, "the offer is over");
    let offer = negotiation.offer().promised("we can make another offer");
    SessionDescription::parse(&offer).promised("our offer is read");
}

fn is_good_agreement(media: &NegotiatedMedia, capabilities: &Capabilities) {
    assert!(capabilities.codecs.iter().any(|codec| codec.is_same(&media.codec)));
    assert!(media.send_payload_type < 128 && media.receive_payload_type < 128);
    assert_eq!(media.direction, media.direction.within(capabilities.direction));
    let packet_times = Duration::from_millis(1)..=Duration::from_millis(200);
    assert!(packet_times.contains(&media.ptime), "a packet holds some sound: {:?}", media.ptime);
    assert!(!media.rtcp_mux || media.remote_rtp == media.remote_rtcp);
    assert!(!media.remote_rtp.ip().is_multicast() && media.remote_rtp.port() != 0);
    let unspecified = media.remote_rtp.ip().is_unspecified();
    assert!(!(unspecified && media.direction.sends()), "nothing is sent to no address");
    for reason in &media.reasons {
        assert!(reason.len() <= LONGEST_OWN && !reason.contains(['\r', '\n', '\0']), "{reason:?}");
    }
}

fn is_good_error(error: &Error) {
    let own = matches!(error, Error::NoCodec | Error::TooManyCodecs | Error::WrongState { .. });
    assert!(!own, "the peer's text is not our mistake: {error}");
    assert!(matches!(error.status(), 400 | 488), "{error}");
    assert!(error.to_string().len() <= LONGEST_OWN, "an error is bounded");
}

fn telephone() -> Capabilities {
    Capabilities {
        codecs: vec![Codec::pcmu(), Codec::pcma()],
        ptime: Duration::from_millis(20),
        rtcp_mux: true,
        direction: Direction::SendRecv,
    }
}

/// The other end of every choice, with a codec that has no payload type of its own.
fn one_way() -> Capabilities {
    let codec = Codec { encoding: "L16".into(), payload_type: None, ..Codec::pcmu() };
    Capabilities {
        codecs: vec![codec, Codec::pcma()],
        ptime: Duration::from_millis(30),
        rtcp_mux: false,
        direction: Direction::RecvOnly,
    }
}

const LOCAL: LocalMedia = LocalMedia { rtp: address(4000), rtcp: address(4001) };
/// More than any text that is all our own.
const LONGEST_OWN: usize = 2_000;

const fn address(port: u16) -> std::net::SocketAddr {
    let ip = std::net::Ipv4Addr::new(192, 0, 2, 1);
    std::net::SocketAddr::new(std::net::IpAddr::V4(ip), port)
}
