//! The crate from outside: the examples of the RFCs, whole exchanges, and hostile text.
#![cfg(test)]

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, time::Duration};

use offhook_sdp::{
    Capabilities, Codec, Direction, Error, LocalMedia, NegotiatedMedia, Negotiation, Pending,
    SessionDescription,
};
use proptest::prelude::*;

// The vectors.

#[test]
fn every_vector_is_written_back_byte_for_byte() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 117);
    for (name, text) in vectors {
        let session = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(session.to_bytes(), text.as_bytes(), "{name}");
        let media = text.matches("\nm=").count();
        assert_eq!(session.media.len(), media, "{name}");
    }
}

#[test]
fn every_prefix_of_every_vector_is_refused_or_written_back() {
    for (name, text) in vectors() {
        let text = with_addresses(&text);
        for length in 0..=text.len() {
            swallow(&text.as_bytes()[..length], &name);
        }
    }
}

#[test]
fn a_nasty_byte_at_any_place_does_no_harm() {
    let kinds = ["rfc3264-10.1", "rfc4317-2.4", "rfc8839", "rfc8866", "synthetic-gateway"];
    let chosen = |name: &String| kinds.iter().any(|kind| name.starts_with(kind));
    for (name, text) in vectors().into_iter().filter(|(name, _)| chosen(name)) {
        let text = with_addresses(&text);
        for place in 0..text.len() {
            for byte in [0, b'\n', b'\r', b' ', b'=', b'/', b':', b'9', 0xff] {
                let mut bytes = text.clone().into_bytes();
                bytes[place] = byte;
                swallow(&bytes, &name);
            }
        }
    }
}

/// The answer has one line for each of the offer, and at most one of them is in use.
#[test]
fn the_offers_of_the_rfcs_are_answered_line_by_line() {
    let (vectors, mut accepted, mut refused) = (vectors(), 0, 0);
    for (name, offer) in vectors.iter().filter(|(name, _)| name.contains("offer")) {
        let offer = with_addresses(offer);
        let mut bob = party(&[Codec::pcmu(), Codec::pcma()], at_bobs);
        if let Err(error) = bob.receive_offer(offer.as_bytes()) {
            assert_eq!(error.status(), 488, "{name}: {error}");
            refused += 1;
            continue;
        }
        accepted += 1;
        let (answer, media) = bob.answer().unwrap();
        assert!(["PCMU", "PCMA"].contains(&&*media.codec.encoding), "{name}");
        let offer = SessionDescription::parse(offer.as_bytes()).unwrap();
        let answer = SessionDescription::parse(&answer).unwrap();
        let lines = |it: &SessionDescription| {
            let line = |it: &offhook_sdp::MediaDescription| {
                (it.media().media.clone(), it.media().protocol.clone())
            };
            it.media.iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(lines(&answer), lines(&offer), "{name}");
        assert_eq!(answer.media.iter().filter(|it| it.media().port != 0).count(), 1, "{name}");
    }
    assert_eq!((accepted, refused), (29, 31));
}

/// Where an answer of the RFCs begins with G.711, ours has the same payload type in the same place.
#[test]
fn the_answers_of_the_rfcs_choose_the_same_stream_and_payload_type() {
    let mut compared = 0;
    for (offer, answer) in pairs() {
        let expected = SessionDescription::parse(vector(&answer).as_bytes()).unwrap();
        let g711 = |it: &offhook_sdp::MediaDescription| {
            let line = it.media();
            let plain = line.port != 0 && line.protocol == "RTP/AVP";
            plain && line.formats.first().is_some_and(|it| it == "0" || it == "8")
        };
        let Some(place) = expected.media.iter().position(g711) else { continue };
        // Bob has only what the RFC's answer lists first. It may be more than was offered.
        let format = expected.media[place].media().formats[0].clone();
        let offer = vector(&offer);
        let offered = SessionDescription::parse(offer.as_bytes()).unwrap();
        if !offered.media[place].media().formats.contains(&format) {
            continue;
        }
        let only = if format == "0" { Codec::pcmu() } else { Codec::pcma() };
        let mut bob = party(&[only], at_bobs);
        bob.receive_offer(offer.as_bytes()).unwrap();
        let ours = SessionDescription::parse(&bob.answer().unwrap().0).unwrap();
        assert_eq!(ours.media.len(), expected.media.len(), "{answer}");
        assert_eq!(ours.media[place].media().port, 5000, "{answer}");
        assert_eq!(ours.media[place].media().formats[0], format, "{answer}");
        compared += 1;
    }
    assert_eq!(compared, 19);
}

#[test]
fn rfc_3264_10_1_the_audio_of_alice_is_answered_and_her_video_refused() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    bob.receive_offer(vector("rfc3264-10.1-01-offer.sdp").as_bytes()).unwrap();
    let (answer, media) = bob.answer().unwrap();
    assert_eq!(
        text(&answer),
        "v=0\r\no=- 2 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n\
         m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n\
         m=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"
    );
    assert_eq!(media.remote_rtp, address("192.0.2.1:49170"));
    assert_eq!(media.remote_rtcp, address("192.0.2.1:49171"));
    // Her next offer moves the audio and has one stream more.
    bob.receive_offer(vector("rfc3264-10.1-03-offer.sdp").as_bytes()).unwrap();
    let (answer, media) = bob.answer().unwrap();
    assert!(text(&answer).contains("o=- 2 2 IN IP4"));
    assert!(text(&answer).ends_with("m=audio 0 RTP/AVP 110\r\n"));
    assert_eq!(media.remote_rtp, address("192.0.2.2:65422"));
}

#[test]
fn rfc_3264_10_2_one_codec_is_chosen_out_of_many() {
    let codecs = [Codec::pcmu(), codec("G723", 8000, None), codec("G729", 8000, None)];
    let mut alice = negotiation(&codecs, at_alices, Direction::Inactive);
    let offer = alice.offer().unwrap();
    assert!(text(&offer).contains("m=audio 4000 RTP/AVP 0 4 18\r\n"));
    assert!(text(&offer).contains("a=inactive\r\n"));
    let media = alice.receive_answer(vector("rfc3264-10.2-06-answer.sdp").as_bytes()).unwrap();
    assert_eq!((&*media.codec.encoding, media.send_payload_type), ("PCMU", 0));
    assert_eq!(media.direction, Direction::Inactive);
    let names: Vec<_> = alice.receivable().iter().map(Codec::to_string).collect();
    assert_eq!(names, ["PCMU/8000", "G723/8000"]);
}

#[test]
fn rfc_4317_3_1_an_answer_on_hold_only_lets_us_receive() {
    let mut alice = party(&[Codec::pcmu(), codec("iLBC", 8000, Some(97))], at_alices);
    assert!(text(&alice.offer().unwrap()).contains("m=audio 4000 RTP/AVP 0 97\r\n"));
    let media = alice.receive_answer(vector("rfc4317-3.1-02-answer.sdp").as_bytes()).unwrap();
    assert_eq!((&*media.codec.encoding, media.direction), ("iLBC", Direction::RecvOnly));
    // Bob takes over: his offer is sendrecv again.
    alice.receive_offer(vector("rfc4317-3.1-03-offer.sdp").as_bytes()).unwrap();
    let (answer, media) = alice.answer().unwrap();
    assert!(text(&answer).contains("m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n"));
    assert_eq!(media.direction, Direction::SendRecv);
}

#[test]
fn rfc_4317_4_2_an_answer_with_another_number_of_streams_is_not_taken() {
    let mut alice = party(&[Codec::pcmu()], at_alices);
    alice.offer().unwrap();
    let media = alice.receive_answer(vector("rfc4317-4.2-02-answer.sdp").as_bytes()).unwrap();
    assert_eq!(media.remote_rtp, address("192.0.2.2:49172"));
    alice.offer().unwrap();
    let error = alice.receive_answer(vector("rfc4317-4.2-04-answer.sdp").as_bytes()).unwrap_err();
    assert!(matches!(error, Error::Mismatch { rfc: "RFC 3264 §6", .. }), "{error}");
    assert_eq!(alice.agreed(), Some(&media), "the session stays as it was");
    assert_eq!(alice.pending(), Pending::None);
}

// Codecs and payload types.

#[test]
fn the_order_of_the_offer_decides_and_both_sides_see_the_same() {
    let mut alice = party(&[Codec::pcma(), Codec::pcmu()], at_alices);
    let mut bob = party(&[Codec::pcmu(), Codec::pcma()], at_bobs);
    let (at_alice, at_bob) = exchange(&mut alice, &mut bob);
    assert_eq!(at_alice.codec, Codec::pcma());
    assert_eq!(at_bob.codec, Codec::pcma());
    assert_eq!(bob.receivable(), [Codec::pcma()]);
}

#[test]
fn static_payload_types_need_no_rtpmap() {
    let media = answered(&["m=audio 4000 RTP/AVP 8 0"]).unwrap();
    assert_eq!((media.codec, media.send_payload_type), (Codec::pcma(), 8));
}

#[test]
fn an_rtpmap_says_more_than_the_static_assignment() {
    let media = answered(&["m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 foo/8000"]).unwrap();
    assert_eq!(media.codec, Codec::pcma());
    let media = answered(&["m=audio 4000 RTP/AVP 100", "a=rtpmap:100 pcmu/8000/1"]).unwrap();
    assert_eq!((media.send_payload_type, media.receive_payload_type), (100, 100));
    assert_eq!(media.codec.encoding, "PCMU");
}

#[test]
fn clock_rate_and_channels_must_be_equal() {
    for map in ["PCMU/16000", "PCMU/8000/2"] {
        let map = format!("a=rtpmap:96 {map}");
        let error = answered(&["m=audio 4000 RTP/AVP 96", &map]).unwrap_err();
        assert!(matches!(error, Error::NoCommonCodec { .. }), "{error}");
    }
}

#[test]
fn each_side_sends_with_the_number_of_the_other() {
    let mut alice = party(&[codec("opus", 48000, Some(96))], at_alices);
    alice.offer().unwrap();
    let media = ["m=audio 5000 RTP/AVP 8 111", "a=rtpmap:111 OPUS/48000", "a=fmtp:111 x=1"];
    let media = alice.receive_answer(description(&media).as_bytes()).unwrap();
    assert_eq!((media.send_payload_type, media.receive_payload_type), (111, 96));
    assert_eq!(media.codec.format_parameters.as_deref(), Some("x=1"));
    assert_eq!(media.codec.payload_type, Some(96));
}

#[test]
fn an_answer_without_rtpmap_means_what_was_offered() {
    let mut alice = party(&[codec("opus", 48000, Some(96))], at_alices);
    alice.offer().unwrap();
    let answer = description(&["m=audio 5000 RTP/AVP 96"]);
    assert_eq!(alice.receive_answer(answer.as_bytes()).unwrap().codec.encoding, "opus");
}

#[test]
fn payload_types_are_unique_and_stay_out_of_the_range_of_rtcp() {
    let codecs = [
        codec("a", 8000, None),
        codec("b", 8000, Some(96)),
        codec("c", 8000, Some(96)),
        codec("d", 8000, Some(72)),
        codec("e", 8000, Some(0)),
        codec("f", 8000, Some(200)),
        Codec { payload_type: None, ..Codec::pcmu() },
    ];
    let offer = party(&codecs, at_alices).offer().unwrap();
    assert!(text(&offer).contains("m=audio 4000 RTP/AVP 97 96 98 99 100 101 0\r\n"));
}

#[test]
fn capabilities_that_cannot_be_offered_are_refused() {
    assert_eq!(party(&[], at_alices).offer(), Err(Error::NoCodec));
    let many: Vec<_> = (0..70).map(|n| codec(&format!("x{n}"), 8000, None)).collect();
    assert_eq!(party(&many, at_alices).offer(), Err(Error::TooManyCodecs));
    let evil = codec("x/8000\r\na=inactive", 8000, None);
    let error = party(&[evil], at_alices).offer().unwrap_err();
    assert!(matches!(error, Error::Unwritable(_)), "{error}");
    assert_eq!(error.status(), 500);
}

// Streams that are refused.

#[test]
fn nothing_in_common_is_488() {
    for media in [
        &["m=audio 4000 RTP/AVP 18"][..],
        &["m=audio 4000 RTP/SAVP 0"],
        &["m=audio 4000 UDP/TLS/RTP/SAVPF 0"],
        &["m=audio 0 RTP/AVP 0"],
        &["m=video 4000 RTP/AVP 0"],
        &[],
    ] {
        assert_eq!(answered(media).unwrap_err().status(), 488, "{media:?}");
    }
    let error = answered(&["m=audio 0 RTP/AVP 0", "m=audio 4 RTP/SAVP 0"]).unwrap_err();
    assert_eq!(error, Error::UnsupportedProfile { profile: "RTP/SAVP".to_owned() });
}

#[test]
fn only_the_usable_audio_stream_is_answered_in_its_place() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    let offer = description(&[
        "m=audio 4000 RTP/SAVP 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "m=audio 4002 RTP/AVPF 18 0",
        "m=audio 4004 RTP/AVP 0",
    ]);
    bob.receive_offer(offer.as_bytes()).unwrap();
    let (answer, media) = bob.answer().unwrap();
    assert_eq!(media.remote_rtp, address("192.0.2.7:4002"));
    let lines: Vec<_> = text(&answer).lines().filter(|it| it.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=audio 0 RTP/SAVP 0",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
            "m=audio 5000 RTP/AVPF 0",
            "m=audio 0 RTP/AVP 0",
        ]
    );
    // The stream stays in its place in an offer of ours, and the others stay refused.
    let offer = bob.offer().unwrap();
    assert_eq!(offer, answer);
}

#[test]
fn a_stream_in_use_is_preferred_to_one_above_it() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    let streams = |first| description(&[first, "m=audio 4002 RTP/AVP 0"]);
    bob.receive_offer(streams("m=audio 0 RTP/AVP 0").as_bytes()).unwrap();
    bob.answer().unwrap();
    bob.receive_offer(streams("m=audio 4000 RTP/AVP 0").as_bytes()).unwrap();
    assert_eq!(bob.answer().unwrap().1.remote_rtp.port(), 4002);
}

#[test]
fn a_later_offer_with_fewer_streams_is_answered_as_it_stands() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    for media in
        [&["m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31"][..], &["m=audio 4000 RTP/AVP 0"]]
    {
        bob.receive_offer(description(media).as_bytes()).unwrap();
        let answer = SessionDescription::parse(&bob.answer().unwrap().0).unwrap();
        assert_eq!(answer.media.len(), media.len());
    }
}

#[test]
fn telephone_events_stand_in_an_offer_without_being_answered() {
    let mut bob = party(&[Codec::pcma()], at_bobs);
    let offer = description(&[
        "m=audio 4000 RTP/AVP 101 8",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
    ]);
    bob.receive_offer(offer.as_bytes()).unwrap();
    assert!(text(&bob.answer().unwrap().0).contains("m=audio 5000 RTP/AVP 8\r\n"));
}

#[test]
fn an_answer_that_refuses_or_changes_the_stream_is_an_error() {
    let answer = |media: &[&str]| {
        let mut alice = party(&[Codec::pcmu()], at_alices);
        alice.offer().unwrap();
        let result = alice.receive_answer(description(media).as_bytes());
        assert_eq!((alice.pending(), alice.agreed()), (Pending::None, None));
        result.unwrap_err()
    };
    assert_eq!(answer(&["m=audio 0 RTP/AVP 0"]), Error::NoAudio);
    assert!(matches!(answer(&["m=video 9 RTP/AVP 0"]), Error::Mismatch { .. }));
    assert!(matches!(answer(&["m=audio 9 RTP/AVP 8"]), Error::NoCommonCodec { .. }));
    assert!(matches!(answer(&["m=audio 9 RTP/AVPF 0"]), Error::UnsupportedProfile { .. }));
    assert!(matches!(answer(&["m=audio 9 RTP/SAVP 0"]), Error::UnsupportedProfile { .. }));
}

// Addresses, hold, RTCP.

#[test]
fn a_stream_has_its_own_address_and_direction_or_those_of_the_session() {
    let media = answered(&["m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::2"]).unwrap();
    assert_eq!(media.remote_rtp, address("[2001:db8::2]:4000"));
    let mapped = "c=IN IP6 ::ffff:192.0.2.9";
    let media = answered(&["m=audio 4000 RTP/AVP 0", mapped]).unwrap();
    assert_eq!(media.remote_rtp, address("192.0.2.9:4000"));
    let session = |media: &str| {
        let text = description(&[]) + "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n" + media;
        answer_to(&text).unwrap().direction
    };
    assert_eq!(session(""), Direction::RecvOnly);
    assert_eq!(session("a=recvonly\r\n"), Direction::SendOnly);
}

#[test]
fn addresses_that_cannot_be_used_are_named() {
    for bad in [
        "host.example.com",
        "224.0.0.1/127",
        "255.255.255.255",
        "ff02::1",
        "300.1.1.1",
        "::ffff:224.0.0.1",
    ] {
        let error = answered(&["m=audio 4000 RTP/AVP 0", &format!("c=IN IP4 {bad}")]).unwrap_err();
        let Error::UnsupportedAddress { address, .. } = &error else { panic!("{error}") };
        assert_eq!(address, &format!("IN IP4 {bad}"));
        assert_eq!(error.status(), 488);
    }
    let without = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(answer_to(without), Err(Error::NoAddress));
}

#[test]
fn an_address_must_be_of_the_type_before_it() {
    let reason = |connection: &str| {
        let lines = ["m=audio 4000 RTP/AVP 0", &format!("c={connection}")];
        let error = answered(&lines).unwrap_err();
        let Error::UnsupportedAddress { address, reason } = error else { panic!("{error}") };
        assert_eq!(address, connection);
        reason
    };
    assert_eq!(reason("IN IP6 1.2.3.4"), "it is no address of the type before it");
    assert_eq!(reason("IN IP4 2001:db8::1"), "it is no address of the type before it");
    assert_eq!(reason("IN IP4 ::ffff:1.2.3.4"), "it is no address of the type before it");
    assert_eq!(reason("IN IP5 1.2.3.4"), "the address type IP4 or IP6 is expected");
    assert_eq!(reason("ATM IP4 1.2.3.4"), "the network type IN is expected");
    for (connection, taken) in [
        ("c=in ip4 1.2.3.4", "1.2.3.4:4000"),
        ("c=IN IP6 2001:db8::1", "[2001:db8::1]:4000"),
        ("c=IN IP6 ::ffff:1.2.3.4", "1.2.3.4:4000"),
    ] {
        let media = answered(&["m=audio 4000 RTP/AVP 0", connection]).unwrap();
        assert_eq!(media.remote_rtp, address(taken));
    }
    let rtcp = answered(&["m=audio 4000 RTP/AVP 0", "a=rtcp:53020 IN IP6 192.0.2.8"]).unwrap();
    assert_eq!(rtcp.remote_rtcp, address("192.0.2.7:4001"));
}

#[test]
fn of_several_directions_the_first_counts_and_the_reasons_say_so() {
    let media = answered(&["m=audio 4000 RTP/AVP 0", "a=sendonly", "a=inactive"]).unwrap();
    assert_eq!(media.direction, Direction::RecvOnly);
    let noted = "2 directions are stated: sendonly, the first, counts";
    assert!(media.reasons.iter().any(|reason| reason == noted), "{:?}", media.reasons);
    let media = answered(&["m=audio 4000 RTP/AVP 0", "a=sendonly"]).unwrap();
    assert!(!media.reasons.iter().any(|reason| reason.contains("stated")), "{:?}", media.reasons);
    let session = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
        a=inactive\r\na=sendrecv\r\nm=audio 4000 RTP/AVP 0\r\n";
    let noted = "2 directions are stated: inactive, the first, counts";
    let media = answer_to(session).unwrap();
    assert_eq!(media.direction, Direction::Inactive);
    assert!(media.reasons.iter().any(|reason| reason == noted), "{:?}", media.reasons);
    let own = answer_to(&format!("{session}a=recvonly\r\n")).unwrap();
    assert_eq!(own.direction, Direction::SendOnly);
    assert!(!own.reasons.iter().any(|reason| reason.contains("stated")), "{:?}", own.reasons);
}

#[test]
fn hold_by_direction_is_mirrored() {
    for (theirs, ours) in [
        ("sendonly", Direction::RecvOnly),
        ("recvonly", Direction::SendOnly),
        ("inactive", Direction::Inactive),
        ("sendrecv", Direction::SendRecv),
    ] {
        let media = answered(&["m=audio 4000 RTP/AVP 0", &format!("a={theirs}")]).unwrap();
        assert_eq!(media.direction, ours);
    }
}

#[test]
fn nothing_is_sent_to_an_unspecified_address() {
    let held = ["m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", "a=rtcp:4001 IN IP4 192.0.2.7"];
    let media = answered(&held).unwrap();
    assert_eq!(media.direction, Direction::RecvOnly);
    assert!(media.remote_rtp.ip().is_unspecified() && media.remote_rtcp.ip().is_unspecified());
    let mut alice = party(&[Codec::pcmu()], at_alices);
    alice.offer().unwrap();
    let held = [&held[..], &["a=recvonly"]].concat();
    let media = alice.receive_answer(description(&held).as_bytes()).unwrap();
    assert_eq!(media.direction, Direction::Inactive);
}

#[test]
fn who_was_held_offers_its_own_wish_again() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    let offer = description(&["m=audio 4000 RTP/AVP 0", "a=sendonly"]);
    bob.receive_offer(offer.as_bytes()).unwrap();
    let (answer, media) = bob.answer().unwrap();
    assert!(text(&answer).contains("o=- 2 1 ") && text(&answer).contains("a=recvonly\r\n"));
    assert_eq!(media.direction, Direction::RecvOnly);
    let offer = bob.offer().unwrap();
    assert!(text(&offer).contains("o=- 2 2 ") && text(&offer).contains("a=sendrecv\r\n"));
}

#[test]
fn rtcp_shares_the_port_only_when_both_want_it() {
    for (one, two) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut alice =
            Negotiation::new(Capabilities { rtcp_mux: one, ..common() }, at_alices(), 1);
        let mut bob = Negotiation::new(Capabilities { rtcp_mux: two, ..common() }, at_bobs(), 2);
        let (at_alice, at_bob) = exchange(&mut alice, &mut bob);
        let both = one && two;
        assert_eq!((at_alice.rtcp_mux, at_bob.rtcp_mux), (both, both));
        let port = if both { 4000 } else { 4001 };
        assert_eq!(at_bob.remote_rtcp, SocketAddr::new(at_bob.remote_rtp.ip(), port));
    }
}

#[test]
fn rtcp_goes_where_the_peer_says() {
    let rtcp = |line: &str| answered(&["m=audio 4000 RTP/AVP 0", line]).unwrap().remote_rtcp;
    assert_eq!(rtcp("a=x"), address("192.0.2.7:4001"));
    assert_eq!(rtcp("a=rtcp:53020"), address("192.0.2.7:53020"));
    assert_eq!(rtcp("a=rtcp:53020 IN IP4 192.0.2.8"), address("192.0.2.8:53020"));
    // What cannot be used does not count.
    assert_eq!(rtcp("a=rtcp:0"), address("192.0.2.7:4001"));
    assert_eq!(rtcp("a=rtcp:53020 IN IP4 224.0.0.1"), address("192.0.2.7:4001"));
    assert_eq!(rtcp("a=rtcp:53020 IN IP4 a.example"), address("192.0.2.7:4001"));
    let error = answered(&["m=audio 65535 RTP/AVP 0"]).unwrap_err();
    assert!(matches!(error, Error::UnsupportedAddress { .. }), "{error}");
}

#[test]
fn an_unusual_rtcp_port_is_announced() {
    let mut local = at_alices();
    local.rtcp = address("192.0.2.1:4100");
    let offer = Negotiation::new(common(), local, 1).offer().unwrap();
    assert!(text(&offer).contains("a=rtcp:4100\r\n"));
    local.rtcp = address("[2001:db8::1]:4001");
    let offer = Negotiation::new(common(), local, 1).offer().unwrap();
    assert!(text(&offer).contains("a=rtcp:4001 IN IP6 2001:db8::1\r\n"));
}

#[test]
fn payload_types_that_look_like_rtcp_do_not_share_the_port() {
    let mux = |number: u8| {
        let mut bob = Negotiation::new(Capabilities { rtcp_mux: true, ..common() }, at_bobs(), 2);
        let (line, map) =
            (format!("m=audio 4000 RTP/AVP {number}"), format!("a=rtpmap:{number} PCMU/8000"));
        bob.receive_offer(description(&[&line, &map, "a=rtcp-mux"]).as_bytes()).unwrap();
        bob.answer().unwrap().1.rtcp_mux
    };
    assert!(mux(96) && mux(0) && mux(63));
    assert!(!mux(72) && !mux(64) && !mux(95));
}

// Packet times.

#[test]
fn the_packet_time_is_the_peers_wish_within_its_limit() {
    let ptime = |lines: &[&str]| {
        answered(&[&["m=audio 4000 RTP/AVP 0"], lines].concat()).unwrap().ptime.as_micros()
    };
    assert_eq!(ptime(&[]), 20_000);
    assert_eq!(ptime(&["a=ptime:30"]), 30_000);
    assert_eq!(ptime(&["a=ptime:22.5"]), 22_500);
    assert_eq!(ptime(&["a=maxptime:10"]), 10_000);
    assert_eq!(ptime(&["a=maxptime:40"]), 20_000);
    assert_eq!(ptime(&["a=ptime:60", "a=maxptime:33.3333"]), 30_000);
    // A flood, a second of delay, half a clock tick: none is followed.
    assert_eq!(ptime(&["a=ptime:1"]), 20_000);
    assert_eq!(ptime(&["a=maxptime:1"]), 10_000);
    assert_eq!(ptime(&["a=ptime:1000"]), 20_000);
    assert_eq!(ptime(&["a=ptime:20.0625"]), 20_000);
}

#[test]
fn a_packet_time_that_is_limited_says_truly_by_whom() {
    let reasons = |limit: &str| {
        let limit = format!("a=maxptime:{limit}");
        answered(&["m=audio 4000 RTP/AVP 0", &limit]).unwrap().reasons.join("\n")
    };
    let least = "10ms of media in a packet: it is our least, though the peer takes 5ms";
    assert!(reasons("5").contains(least), "{}", reasons("5"));
    assert!(!reasons("5").contains("no more"), "{}", reasons("5"));
    let limited = "15ms of media in a packet: the peer takes no more than 15ms";
    assert!(reasons("15").contains(limited), "{}", reasons("15"));
    assert!(!reasons("40").contains("peer takes"), "{}", reasons("40"));
}

#[test]
fn a_packet_time_of_ours_that_is_not_usable_becomes_one_that_is() {
    for (micros, offered, used) in
        [(0, "10", 10), (2_000_000, "200", 200), (20_010, "20.01", 20), (20_000, "20", 20)]
    {
        let capabilities = Capabilities { ptime: Duration::from_micros(micros), ..common() };
        let offer = Negotiation::new(capabilities.clone(), at_alices(), 1).offer().unwrap();
        let line = format!("a=ptime:{offered}\r\n");
        assert!(String::from_utf8_lossy(&offer).contains(&line), "{offer:?}");
        let mut bob = Negotiation::new(capabilities, at_bobs(), 2);
        bob.receive_offer(description(&["m=audio 4000 RTP/AVP 0"]).as_bytes()).unwrap();
        assert_eq!(bob.answer().unwrap().1.ptime, Duration::from_millis(used));
    }
}

#[test]
fn the_answer_repeats_the_packet_time_that_was_asked_for() {
    let capabilities = Capabilities { ptime: Duration::from_millis(40), ..common() };
    let mut alice = Negotiation::new(capabilities, at_alices(), 1);
    let (at_alice, at_bob) = exchange(&mut alice, &mut party(&[Codec::pcmu()], at_bobs));
    assert_eq!((at_alice.ptime.as_millis(), at_bob.ptime.as_millis()), (40, 40));
}

// Whose turn it is.

#[test]
fn an_offer_while_ours_is_pending_is_glare() {
    let mut alice = party(&[Codec::pcmu()], at_alices);
    let offer = party(&[Codec::pcmu()], at_bobs).offer().unwrap();
    alice.offer().unwrap();
    let glare = Error::WrongState { pending: Pending::Local };
    assert_eq!(alice.receive_offer(&offer), Err(glare.clone()));
    assert_eq!(alice.offer(), Err(glare.clone()));
    assert_eq!(alice.answer(), Err(glare.clone()));
    assert_eq!(glare.status(), 491);
    alice.roll_back();
    alice.receive_offer(&offer).unwrap();
}

#[test]
fn a_second_offer_before_our_answer_is_refused() {
    let mut alice = party(&[Codec::pcmu()], at_alices);
    let offer = party(&[Codec::pcmu()], at_bobs).offer().unwrap();
    alice.receive_offer(&offer).unwrap();
    let early = Error::WrongState { pending: Pending::Remote };
    assert_eq!(alice.receive_offer(&offer), Err(early.clone()));
    assert_eq!(alice.offer(), Err(early.clone()));
    assert_eq!(alice.receive_answer(&offer), Err(early.clone()));
    assert_eq!(early.status(), 500);
    alice.answer().unwrap();
    let idle = Error::WrongState { pending: Pending::None };
    assert_eq!(alice.answer(), Err(idle.clone()));
    assert_eq!(alice.receive_answer(&offer), Err(idle));
}

#[test]
fn a_rejected_offer_changes_nothing_but_its_version_is_used_up() {
    let mut alice = party(&[Codec::pcmu(), Codec::pcma()], at_alices);
    let mut bob = party(&[Codec::pcmu(), Codec::pcma()], at_bobs);
    let (agreed, _) = exchange(&mut alice, &mut bob);
    let version = |text: &[u8]| SessionDescription::parse(text).unwrap().origin().clone();
    // Bob puts Alice on hold; she is then bound to recvonly, and wants sendrecv in her own offer.
    let hold = description(&["m=audio 5000 RTP/AVP 0", "a=sendonly"]);
    alice.receive_offer(hold.as_bytes()).unwrap();
    let (answer, held) = alice.answer().unwrap();
    assert_eq!(version(&answer).session_version, "2");
    let offer = alice.offer().unwrap();
    assert_eq!(version(&offer).session_version, "3");
    alice.roll_back();
    assert_eq!(alice.agreed(), Some(&held));
    assert_eq!(alice.offer().unwrap(), offer, "the same text keeps its version");
    alice.roll_back();
    alice.receive_offer(hold.as_bytes()).unwrap();
    assert_eq!(version(&alice.answer().unwrap().0).session_version, "4");
    assert_ne!(held.direction, agreed.direction);
}

#[test]
fn an_offer_that_cannot_be_used_leaves_the_session_as_it_was() {
    let mut alice = party(&[Codec::pcmu()], at_alices);
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    let (_, agreed) = exchange(&mut alice, &mut bob);
    let other = description(&["m=audio 4000 RTP/AVP 18"]);
    assert_eq!(bob.receive_offer(other.as_bytes()).unwrap_err().status(), 488);
    assert_eq!(bob.receive_offer(b"v=0\r\nhello").unwrap_err().status(), 400);
    assert_eq!((bob.agreed(), bob.pending()), (Some(&agreed), Pending::None));
    exchange(&mut alice, &mut bob);
}

#[test]
fn the_answer_repeats_the_time_of_the_offer() {
    let mut bob = party(&[Codec::pcmu()], at_bobs);
    let offer = description(&["m=audio 4000 RTP/AVP 0"]).replace("t=0 0", "t=3724394400 0");
    bob.receive_offer(offer.as_bytes()).unwrap();
    assert!(text(&bob.answer().unwrap().0).contains("\r\nt=3724394400 0\r\n"));
    let offer = description(&["m=audio 4000 RTP/AVP 0"]).replace("t=0 0\r\n", "");
    bob.receive_offer(offer.as_bytes()).unwrap();
    assert!(text(&bob.answer().unwrap().0).contains("\r\nt=0 0\r\n"));
}

#[test]
fn the_session_id_fits_a_signed_integer() {
    let offer = Negotiation::new(common(), at_alices(), u64::MAX).offer().unwrap();
    assert!(text(&offer).contains(&format!("o=- {} 1 ", i64::MAX)));
}

#[test]
fn reasons_are_one_line_each_whatever_the_peer_writes() {
    let media =
        answered(&["m=audio 4000 RTP/AVP 0", "a=rtcp:1 IN IP4 \u{1b}[31m<b>", "a=sendonly"]);
    let reasons = media.unwrap().reasons;
    assert!(reasons.iter().any(|it| it.contains("recvonly here")), "{reasons:?}");
    assert!(!reasons.concat().contains(char::is_control), "{reasons:?}");
}

// Any two parties.

proptest! {
    #[test]
    fn two_parties_agree_or_both_do_not(one in capabilities(), two in capabilities()) {
        let mut alice = Negotiation::new(one.clone(), at_alices(), 1);
        let mut bob = Negotiation::new(two.clone(), at_bobs(), 2);
        let offer = alice.offer().unwrap();
        let common = one.codecs.iter().find(|it| two.codecs.iter().any(|its| its.is_same(it)));
        let Some(common) = common else {
            let error = bob.receive_offer(&offer).unwrap_err();
            let no_codec = matches!(error, Error::NoCommonCodec { .. });
            prop_assert!(no_codec, "{}", error);
            return Ok(());
        };
        bob.receive_offer(&offer).unwrap();
        let (answer, at_bob) = bob.answer().unwrap();
        let at_alice = alice.receive_answer(&answer).unwrap();

        prop_assert!(at_alice.codec.is_same(common) && at_bob.codec.is_same(common));
        mirrored(&at_alice, &at_bob)?;
        let wish = one.direction.within(two.direction.reversed());
        prop_assert_eq!(at_alice.direction, wish);
        prop_assert_eq!(at_alice.ptime, one.ptime);
        prop_assert_eq!(at_alice.rtcp_mux, one.rtcp_mux && two.rtcp_mux);
        prop_assert_eq!(at_alice.remote_rtp, at_bobs().rtp);

        // A second round without change: not one byte differs, and nothing is agreed anew.
        let again = alice.offer().unwrap();
        prop_assert_eq!(&again, &offer);
        bob.receive_offer(&again).unwrap();
        let (again, still_at_bob) = bob.answer().unwrap();
        prop_assert_eq!(&again, &answer);
        prop_assert_eq!(&still_at_bob, &at_bob);
        prop_assert_eq!(&alice.receive_answer(&again).unwrap(), &at_alice);

        // The other way round the agreement is the same.
        let (at_bob_again, at_alice_again) = exchange(&mut bob, &mut alice);
        prop_assert_eq!(settings(&at_bob_again), settings(&at_bob));
        prop_assert_eq!(settings(&at_alice_again), settings(&at_alice));
    }

    #[test]
    fn any_bytes_are_refused_or_written_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        swallow(&bytes, "random");
    }

    #[test]
    fn any_lines_are_refused_or_written_back(lines in prop::collection::vec("[a-z]=\\PC{0,40}", 0..20)) {
        swallow(description(&[]).as_bytes(), "head");
        swallow((description(&[]) + &lines.join("\r\n")).as_bytes(), "random lines");
    }
}

fn mirrored(one: &NegotiatedMedia, two: &NegotiatedMedia) -> Result<(), TestCaseError> {
    prop_assert!(one.codec.is_same(&two.codec));
    prop_assert_eq!(one.direction, two.direction.reversed());
    prop_assert_eq!(one.send_payload_type, two.receive_payload_type);
    prop_assert_eq!(one.receive_payload_type, two.send_payload_type);
    prop_assert_eq!((one.rtcp_mux, one.ptime), (two.rtcp_mux, two.ptime));
    Ok(())
}

/// All of an agreement but the words for people.
fn settings(media: &NegotiatedMedia) -> NegotiatedMedia {
    let format_parameters = None;
    let codec = Codec { format_parameters, ..media.codec.clone() };
    NegotiatedMedia { codec, reasons: Vec::new(), ..media.clone() }
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let number = prop::option::of(0..=127_u8);
    let name = prop::sample::select(vec!["PCMU", "PCMA", "pcmu", "G722", "opus", "X-a"]);
    let rate = prop::sample::select(vec![8000_u32, 16000]);
    let parameters = prop::option::of(prop::sample::select(vec!["a=1", "b=2; c"]));
    let codec = (name, rate, 1..=2_u8, parameters, number).prop_map(
        |(encoding, clock_rate, channels, parameters, payload_type)| Codec {
            encoding: encoding.into(),
            clock_rate,
            channels,
            format_parameters: parameters.map(Into::into),
            payload_type,
        },
    );
    let direction = prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    let ptime = (1..=20_u64).prop_map(|n| Duration::from_millis(10 * n));
    (prop::collection::vec(codec, 1..6), ptime, any::<bool>(), direction).prop_map(
        |(codecs, ptime, rtcp_mux, direction)| Capabilities { codecs, ptime, rtcp_mux, direction },
    )
}

// The bench.

/// Feeds a text to everything that reads one. What is made of it must be readable.
fn swallow(text: &[u8], name: &str) {
    if let Ok(session) = SessionDescription::parse(text) {
        assert_eq!(session.to_bytes(), text, "{name}");
    }
    let mut bob = party(&[Codec::pcmu(), Codec::pcma()], at_bobs);
    if bob.receive_offer(text).is_ok() {
        let (answer, _) = bob.answer().unwrap();
        SessionDescription::parse(&answer).unwrap();
    }
    let mut alice = party(&[Codec::pcmu(), Codec::pcma()], at_alices);
    alice.offer().unwrap();
    let _ = alice.receive_answer(text);
}

fn exchange(
    offerer: &mut Negotiation,
    answerer: &mut Negotiation,
) -> (NegotiatedMedia, NegotiatedMedia) {
    answerer.receive_offer(&offerer.offer().unwrap()).unwrap();
    let (answer, at_answerer) = answerer.answer().unwrap();
    (offerer.receive_answer(&answer).unwrap(), at_answerer)
}

/// What Bob agrees to when he is offered these streams.
fn answered(media: &[&str]) -> Result<NegotiatedMedia, Error> {
    answer_to(&description(media))
}

fn answer_to(offer: &str) -> Result<NegotiatedMedia, Error> {
    let mut bob = party(&[Codec::pcmu(), Codec::pcma()], at_bobs);
    bob.receive_offer(offer.as_bytes())?;
    Ok(bob.answer().unwrap().1)
}

fn description(media: &[&str]) -> String {
    let head = ["v=0", "o=- 7 1 IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=0 0"];
    [&head[..], media].concat().iter().map(|line| format!("{line}\r\n")).collect()
}

fn party(codecs: &[Codec], place: fn() -> LocalMedia) -> Negotiation {
    negotiation(codecs, place, Direction::SendRecv)
}

fn negotiation(codecs: &[Codec], place: fn() -> LocalMedia, direction: Direction) -> Negotiation {
    let session_id = if place() == at_alices() { 1 } else { 2 };
    let codecs = codecs.to_vec();
    Negotiation::new(Capabilities { codecs, direction, ..common() }, place(), session_id)
}

fn common() -> Capabilities {
    Capabilities {
        codecs: vec![Codec::pcmu(), Codec::pcma()],
        ptime: Duration::from_millis(20),
        rtcp_mux: false,
        direction: Direction::SendRecv,
    }
}

fn codec(encoding: &str, clock_rate: u32, payload_type: Option<u8>) -> Codec {
    Codec { encoding: encoding.into(), clock_rate, payload_type, ..Codec::pcmu() }
}

fn at_alices() -> LocalMedia {
    LocalMedia { rtp: address("192.0.2.1:4000"), rtcp: address("192.0.2.1:4001") }
}

fn at_bobs() -> LocalMedia {
    LocalMedia { rtp: address("198.51.100.9:5000"), rtcp: address("198.51.100.9:5001") }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn vector(name: &str) -> String {
    with_addresses(&vectors()[name])
}

/// The pairs of offer and answer in the manifest, by name.
fn pairs() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/manifest.json");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let name = |pair: &serde_json::Value, role| pair[role].as_str().unwrap().to_owned();
    let pairs = manifest["pairs"].as_array().unwrap().iter();
    pairs.map(|pair| (name(pair, "offer"), name(pair, "answer"))).collect()
}

fn vectors() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        name.ends_with(".sdp").then(|| (name, fs::read_to_string(entry.path()).unwrap()))
    };
    fs::read_dir(folder).unwrap().filter_map(|entry| read(entry.unwrap())).collect()
}

/// The RFCs write host names into `c=`; their places here are addresses.
fn with_addresses(text: &str) -> String {
    [
        ("host.anywhere.com", "192.0.2.1"),
        ("host.example.com", "192.0.2.2"),
        ("host.atlanta.example.com", "192.0.2.1"),
        ("host.biloxi.example.com", "192.0.2.2"),
        ("newhost.biloxi.example.com", "192.0.2.3"),
        ("placeholder.biloxi.example.com", "192.0.2.4"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (name, address)| {
        text.replace(&format!("IP4 {name}"), &format!("IP4 {address}"))
    })
}
