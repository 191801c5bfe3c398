use std::{net::SocketAddr, time::Duration};

use offhook_sansio::Flow;

use super::{rows::Repeat, *};
use crate::{Direction, PartyId, Recording, ladder::rows::Arrow};

/// Records packets between two parties, or one party and a stranger.
struct Scene {
    recording: Recording,
    parties: Vec<PartyId>,
}

const ALICE: &str = "10.0.0.1:5060";
const BOB: &str = "10.0.0.2:5060";

impl Scene {
    fn new(names: &[&str]) -> Self {
        let mut recording = Recording::new();
        let parties = names.iter().map(|name| recording.party(name)).collect();
        Self { recording, parties }
    }

    fn packet(
        &mut self,
        at: u64,
        party: usize,
        direction: Direction,
        ends: [&str; 2],
        bytes: &[u8],
    ) {
        let [local, remote] = ends.map(|text| text.parse::<SocketAddr>().unwrap());
        let (at, party) = (Duration::from_millis(at), self.parties[party]);
        self.recording.packet(at, party, direction, Flow::udp(local, remote), bytes);
    }

    fn sent(&mut self, at: u64, party: usize, ends: [&str; 2], bytes: &[u8]) {
        self.packet(at, party, Direction::Sent, ends, bytes);
    }

    fn received(&mut self, at: u64, party: usize, ends: [&str; 2], bytes: &[u8]) {
        self.packet(at, party, Direction::Received, ends, bytes);
    }

    /// Label and remark of each row, and where it goes.
    fn rows(&self) -> Vec<(String, String, [usize; 2])> {
        let ladder = Ladder::of(&self.recording);
        ladder.rows.iter().map(|row| (row.label(), row.remark(), [row.from, row.to])).collect()
    }

    fn remarks(&self) -> Vec<String> {
        self.rows().into_iter().map(|(_, remark, _)| remark).collect()
    }
}

fn options(number: u32) -> Vec<u8> {
    message("OPTIONS sip:bob@b SIP/2.0", &format!("CSeq: {number} OPTIONS"))
}

fn message(start: &str, headers: &str) -> Vec<u8> {
    format!("{start}\r\n{headers}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn rtp(sequence: u8) -> Vec<u8> {
    let mut packet = vec![0; 32];
    (packet[0], packet[1], packet[3]) = (0x80, 8, sequence);
    packet
}

#[test]
fn a_lost_first_copy_is_not_taken_for_a_slow_one() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    scene.sent(0, 0, [ALICE, BOB], &options(1));
    scene.sent(500, 0, [ALICE, BOB], &options(1));
    scene.received(530, 1, [BOB, ALICE], &options(1));
    assert_eq!(scene.remarks(), ["lost", "again"]);
}

#[test]
fn copies_that_arrive_late_are_paired_in_order() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    for at in [0, 500] {
        scene.sent(at, 0, [ALICE, BOB], &options(1));
        scene.received(at + 600, 1, [BOB, ALICE], &options(1));
    }
    assert_eq!(scene.remarks(), ["", "again"]);
    let ladder = Ladder::of(&scene.recording);
    let took = Duration::from_millis(600);
    for row in &ladder.rows {
        assert!(matches!(row.arrow, Arrow::Message { took: Some(it), .. } if it == took));
    }
}

#[test]
fn a_copy_that_the_network_made_is_a_duplicate() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    scene.sent(0, 0, [ALICE, BOB], &options(1));
    scene.received(30, 1, [BOB, ALICE], &options(1));
    scene.received(31, 1, [BOB, ALICE], &options(1));
    assert_eq!(scene.remarks(), ["", "duplicate"]);
    let ladder = Ladder::of(&scene.recording);
    let arrow = &ladder.rows[1].arrow;
    assert!(matches!(arrow, Arrow::Message { repeat: Some(Repeat::Duplicate), .. }));
}

#[test]
fn an_address_that_no_party_has_gets_a_column_and_loses_nothing() {
    let mut scene = Scene::new(&["Alice"]);
    scene.sent(0, 0, [ALICE, "192.0.2.9:5060"], &options(1));
    let answer = message("SIP/2.0 200 OK", "CSeq: 1 OPTIONS");
    scene.received(40, 0, [ALICE, "192.0.2.9:5060"], &answer);
    scene.received(540, 0, [ALICE, "192.0.2.9:5060"], &answer);
    let ladder = Ladder::of(&scene.recording);
    assert_eq!(ladder.columns, ["Alice", "192.0.2.9"]);
    let ways: Vec<_> = scene.rows().into_iter().map(|(_, _, way)| way).collect();
    assert_eq!(ways, [[0, 1], [1, 0], [1, 0]]);
    assert_eq!(scene.remarks(), ["", "", "again"]);
}

#[test]
fn ever_new_addresses_do_not_make_ever_more_columns() {
    let mut scene = Scene::new(&["Alice"]);
    for host in 1..200 {
        scene.received(host, 0, [ALICE, &format!("192.0.2.{host}:5060")], &options(1));
    }
    let ladder = Ladder::of(&scene.recording);
    assert_eq!(ladder.columns.len(), 8);
    assert_eq!(ladder.columns.last().unwrap(), "other addresses");
    assert_eq!(ladder.rows.last().map(|row| (row.from, row.to)), Some((7, 0)));
}

#[test]
fn a_relay_between_two_parties_does_not_hide_who_speaks_to_whom() {
    let (relay_a, relay_b) = ("127.0.0.1:9001", "127.0.0.1:9002");
    let mut scene = Scene::new(&["Alice", "Bob"]);
    scene.sent(0, 0, [ALICE, relay_a], &options(1));
    scene.received(20, 1, [BOB, relay_b], &options(1));
    scene.sent(100, 0, [ALICE, relay_a], &options(2));
    scene.sent(200, 1, [BOB, relay_b], &options(3));
    let ladder = Ladder::of(&scene.recording);
    assert_eq!(ladder.columns, ["Alice", "Bob"]);
    assert_eq!(scene.remarks(), ["", "lost", "lost"]);
}

#[test]
fn an_echo_of_a_strangers_is_a_journey_of_its_own() {
    let mut scene = Scene::new(&["Alice"]);
    let ends = ["10.0.0.1:4000", "192.0.2.9:4000"];
    scene.sent(0, 0, ends, &rtp(1));
    scene.received(40, 0, ends, &rtp(1));
    let ways: Vec<_> = scene.rows().into_iter().map(|(.., way)| way).collect();
    assert_eq!(ways, [[0, 1], [1, 0]]);
}

#[test]
fn the_same_bytes_of_two_senders_are_two_journeys() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    scene.sent(0, 0, [ALICE, BOB], b"\r\n\r\n");
    scene.sent(0, 1, [BOB, ALICE], b"\r\n\r\n");
    scene.received(9, 1, [BOB, ALICE], b"\r\n\r\n");
    scene.received(9, 0, [ALICE, BOB], b"\r\n\r\n");
    let rows = scene.rows();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(|(label, remark, _)| label.contains("1 packet ") && remark.is_empty()));
}

#[test]
fn media_between_two_messages_is_one_row_a_direction() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    let (a, b) = ("10.0.0.1:4000", "10.0.0.2:4000");
    for sequence in 0..50 {
        let at = u64::from(sequence) * 20;
        scene.sent(at, 0, [a, b], &rtp(sequence));
        if sequence % 10 != 0 {
            scene.received(at + 30, 1, [b, a], &rtp(sequence));
        }
        if sequence == 24 {
            scene.sent(at + 1, 1, [BOB, ALICE], &options(1));
        }
    }
    let labels: Vec<_> =
        scene.rows().into_iter().map(|(label, remark, _)| label + &remark).collect();
    let before = "RTP PCMA · 25 packets · 0.5 s3 lost";
    let after = "RTP PCMA · 25 packets · 0.5 s2 lost";
    assert_eq!(labels, [before, "OPTIONS (1)lost", after]);
}

#[test]
fn a_party_that_sends_to_itself_is_shown() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    scene.sent(0, 0, [ALICE, ALICE], &options(1));
    assert!(text(&scene.recording).contains("OPTIONS (1) (to itself)"));
    assert!(svg(&scene.recording).contains("(to itself)"));
}

#[test]
fn an_arrow_may_cross_a_column_in_both_directions() {
    let mut scene = Scene::new(&["Alice", "Proxy", "Bob"]);
    scene.sent(0, 0, [ALICE, BOB], &options(1));
    scene.received(1, 2, [BOB, ALICE], &options(1));
    scene.sent(2, 2, [BOB, ALICE], &options(2));
    let text = text(&scene.recording);
    let line = |number| text.lines().nth(number).unwrap_or_default();
    assert!(line(2).contains("│───") && line(2).contains("▶│"), "{text}");
    assert!(line(3).contains("OPTIONS (2)") && line(3).contains('✗'), "{text}");
    let widths: Vec<_> = [1, 2].map(|number| line(number).chars().count()).into();
    assert_eq!(widths[0], widths[1], "{text}");
}

#[test]
fn an_empty_recording_is_an_empty_ladder() {
    let recording = Recording::new();
    assert_eq!(text(&recording).lines().count(), 2);
    assert!(svg(&recording).starts_with("<svg ") && svg(&recording).ends_with("</svg>\n"));
}

#[test]
fn what_found_no_room_is_mentioned() {
    let mut scene = Scene::new(&["Alice"]);
    scene.recording = Recording::with_room(10);
    scene.parties = vec![scene.recording.party("Alice")];
    scene.sent(0, 0, [ALICE, BOB], &options(1));
    assert!(text(&scene.recording).contains("1 more packets found no room"));
    assert!(svg(&scene.recording).contains("1 more packets found no room"));
}

#[test]
fn a_long_ladder_is_cut_and_says_so() {
    let mut scene = Scene::new(&["Alice", "Bob"]);
    for number in 0..1010 {
        scene.sent(number.into(), 0, [ALICE, BOB], &options(number));
    }
    assert!(svg(&scene.recording).contains("10 more rows are not drawn"));
    assert_eq!(text(&scene.recording).lines().count(), 1012);
}

#[test]
fn hostile_text_stays_text_in_both_drawings() {
    let mut scene = Scene::new(&["</text><script>alert(1)</script>", "\x1b[31mBob\u{202e}"]);
    let method = "X'\"&<b onload=x>";
    let hostile =
        message(&format!("SIP/2.0 200 \x1b[2J</svg>\u{9b}31m{method}\u{202e}"), "CSeq: 1 INVITE");
    scene.sent(0, 0, [ALICE, BOB], &hostile);
    scene.sent(1, 0, [ALICE, BOB], b"A\x1b]0;title\x07 <img src=x>\r\n\r\n");
    let (text, svg) = (text(&scene.recording), svg(&scene.recording));
    let is_hostile = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(is_hostile) && !text.contains('\u{202e}'), "{text}");
    assert!(!svg.contains(is_hostile) && !svg.contains('\u{202e}'), "{svg}");
    for tag in ["<script", "<b ", "<img", "</svg>\u{fffd}"] {
        assert!(!svg.contains(tag), "{svg}");
    }
    assert_eq!(svg.matches("</svg>").count(), 1);
}
