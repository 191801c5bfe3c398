//! The torture messages of RFC 4475 and RFC 5118: each comes to what its manifest says, in both
//! profiles, and the deviations are named here with their reasons.

use offhook_sip_message::*;

use Outcome::{Accepted, Dropped, Refused};

use crate::load::{Outcome, Torture, outcome, profiles, text, torture_messages};

macro_rules! one_test_a_message {
    ($($test:ident $name:literal;)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        const TESTED: &[&str] = &[$($name),*];
    };
}

one_test_a_message! {
    wsinv "wsinv";
    intmeth "intmeth";
    esc01 "esc01";
    escnull "escnull";
    esc02 "esc02";
    lwsdisp "lwsdisp";
    longreq "longreq";
    dblreq "dblreq";
    semiuri "semiuri";
    transports "transports";
    mpart01 "mpart01";
    unreason "unreason";
    noreason "noreason";
    badinv01 "badinv01";
    clerr "clerr";
    ncl "ncl";
    scalar02 "scalar02";
    scalarlg "scalarlg";
    quotbal "quotbal";
    ltgtruri "ltgtruri";
    lwsruri "lwsruri";
    lwsstart "lwsstart";
    trws "trws";
    escruri "escruri";
    baddate "baddate";
    regbadct "regbadct";
    badaspec "badaspec";
    baddn "baddn";
    badvers "badvers";
    mismatch01 "mismatch01";
    mismatch02 "mismatch02";
    bigcode "bigcode";
    badbranch "badbranch";
    insuf "insuf";
    unkscm "unkscm";
    novelsc "novelsc";
    unksm2 "unksm2";
    bext01 "bext01";
    invut "invut";
    regaut01 "regaut01";
    multi01 "multi01";
    mcl01 "mcl01";
    bcast "bcast";
    zeromf "zeromf";
    cparam01 "cparam01";
    cparam02 "cparam02";
    regescrt "regescrt";
    sdp01 "sdp01";
    inv2543 "inv2543";
    ipv6_good "ipv6-good";
    ipv6_bad "ipv6-bad";
    port_ambiguous "port-ambiguous";
    port_unambiguous "port-unambiguous";
    via_received_param_with_delim "via-received-param-with-delim";
    via_received_param_no_delim "via-received-param-no-delim";
    ipv6_in_sdp "ipv6-in-sdp";
    mult_ip_in_header "mult-ip-in-header";
    mult_ip_in_sdp "mult-ip-in-sdp";
    ipv4_mapped_ipv6 "ipv4-mapped-ipv6";
    ipv6_bug_abnf_3_colons "ipv6-bug-abnf-3-colons";
    ipv6_correct_abnf_2_colons "ipv6-correct-abnf-2-colons";
}

#[test]
fn every_message_has_its_test_and_every_deviation_its_message() {
    let messages = torture_messages();
    let names: Vec<&str> = messages.iter().map(|message| &*message.name).collect();
    assert_eq!(names, TESTED);
    assert!(DEVIATIONS.iter().all(|deviation| names.contains(&deviation.name)));
    assert!(PLACES.iter().all(|(name, ..)| names.contains(name)));
}

fn check(name: &str) {
    let message = torture_messages().into_iter().find(|message| message.name == name).unwrap();
    let deviation = DEVIATIONS.iter().find(|deviation| deviation.name == name);
    let derived = derived(&message);
    let [strict, tolerant] = profiles().map(|options| outcome(&message.bytes, &options));
    let expected = deviation.map_or([derived; 2], |it| [it.strict, it.tolerant]);
    assert_eq!([strict, tolerant], expected, "strict and tolerant; {}", message.manifest);
    if let Some(deviation) = deviation {
        assert_ne!(expected, [derived; 2], "no deviation: {}", deviation.because);
    }
    check_place(&message, tolerant);
}

/// What the manifest asks for, of one who has to choose for himself the refusal.
fn derived(message: &Torture) -> Outcome {
    let codes = message.manifest["response_codes"].as_array();
    let first = codes.and_then(|codes| codes.first()?.as_u64());
    match text(&message.manifest, "action") {
        // What is wrong with these is for an element behind the parser to see.
        "accept" | "accept-then-reject" => Accepted,
        "reject" | "reject-or-repair" => Refused(first.unwrap() as u16),
        "discard" => Dropped,
        action => panic!("{action}"),
    }
}

/// Where what is refused is found to be wrong, and by which clause.
fn check_place(message: &Torture, tolerant: Outcome) {
    let options = ParseOptions::default();
    let error = match Message::parse_with(message.bytes.clone(), &options) {
        Ok(Message::Request(request)) => {
            ValidRequest::new(request, &options).err().map(|it| it.error)
        }
        Ok(Message::Response(response)) => ValidResponse::new(response, &options).err(),
        Err(error) => Some(error),
    };
    assert_eq!(error.is_some(), tolerant != Accepted);
    let Some(error) = error else { return };
    let place = PLACES.iter().find(|(name, ..)| *name == message.name);
    let (_, at, rfc) = place.unwrap_or_else(|| panic!("no place for {error}"));
    let offset = error.offset();
    let found = String::from_utf8_lossy(&message.bytes[offset..]);
    assert!(found.starts_with(at), "{error}; found {found:?}");
    assert_eq!(error.rfc(), *rfc);
}

/// An outcome that the manifest does not lead to.
struct Deviation {
    name: &'static str,
    strict: Outcome,
    tolerant: Outcome,
    because: &'static str,
}

const fn deviation(
    name: &'static str,
    strict: Outcome,
    tolerant: Outcome,
    because: &'static str,
) -> Deviation {
    Deviation { name, strict, tolerant, because }
}

const DEVIATIONS: [Deviation; 10] = [
    deviation(
        "longreq",
        Refused(400),
        Accepted,
        "a branch is mandatory (RFC 3261 §8.1.1.7) and its topmost Via has none",
    ),
    deviation(
        "inv2543",
        Refused(400),
        Accepted,
        "a From tag is mandatory (RFC 3261 §8.1.1.3): RFC 2543 is for the tolerant profile",
    ),
    deviation(
        "ipv6-bug-abnf-3-colons",
        Refused(400),
        Accepted,
        "three colons are outside of the grammar (RFC 5954 §4.1); RFC 5118 §4.10 asks to forgive",
    ),
    deviation(
        "baddate",
        Accepted,
        Accepted,
        "a Date that cannot be read costs that field only: repaired, as RFC 4475 §3.1.2.12 allows",
    ),
    deviation(
        "regbadct",
        Accepted,
        Accepted,
        "the registrar that asks for Contact gets the error; other elements need not look",
    ),
    deviation(
        "badbranch",
        Accepted,
        Accepted,
        "a branch that is the cookie alone is matched like one of RFC 2543 (RFC 4475 §3.2.1)",
    ),
    deviation(
        "mismatch02",
        Refused(400),
        Refused(400),
        "method and CSeq differ, which is found before anybody asks which methods are served",
    ),
    deviation(
        "bcast",
        Accepted,
        Accepted,
        "it parses: who sent the request sees a second Via and drops it (RFC 3261 §8.1.3.3)",
    ),
    deviation(
        "unkscm",
        Refused(416),
        Refused(416),
        "the scheme is judged here, with the status that the RFC names",
    ),
    deviation(
        "novelsc",
        Refused(416),
        Refused(416),
        "the scheme is judged here, with the status that the RFC names",
    ),
];

/// Where each message that is refused breaks, and the clause.
const PLACES: &[(&str, &str, &str)] = &[
    ("badinv01", ";,;,,", "RFC 3261 §20.42"),
    ("clerr", " 9999", "RFC 3261 §18.3"),
    ("ncl", "-999", "RFC 3261 §20.14"),
    ("scalar02", "3689348814741910", "RFC 3261 §20.16"),
    ("scalarlg", "9292394834772304", "RFC 3261 §20.16"),
    ("quotbal", "\r\n", "RFC 3261 §20.39"),
    ("ltgtruri", "<sip:user@exampl", "RFC 3261 §19.1.1"),
    ("lwsruri", " lr SIP/2.0", "RFC 3261 §19.1.1"),
    ("lwsstart", " sip:user@exampl", "RFC 3261 §19.1.1"),
    ("trws", "SIP/2.0  ", "RFC 3261 §7.1"),
    ("escruri", "sip:user@example", "RFC 3261 §19.1.1"),
    ("badaspec", " sip:t.watson@ex", "RFC 3261 §20.39"),
    ("baddn", "", "RFC 3261 §7"),
    ("badvers", "SIP/7.0", "RFC 3261 §7.1"),
    ("mismatch01", " 8 INVITE", "RFC 3261 §8.1.1.5"),
    ("mismatch02", " 8 INVITE", "RFC 3261 §8.1.1.5"),
    ("bigcode", "4967301 better n", "RFC 3261 §7.2"),
    ("insuf", "\r\n", "RFC 3261 §8.1.1"),
    ("unkscm", "nobodyKnowsThisS", "RFC 3261 §8.2.2.1"),
    ("novelsc", "soap.beep://192.", "RFC 3261 §8.2.2.1"),
    ("multi01", "From: sip:caller", "RFC 3261 §7.3.1"),
    ("mcl01", "Content-Length: ", "RFC 3261 §20.14"),
    ("ipv6-bad", "2001:db8::10 SIP", "RFC 3261 §19.1.1"),
];

#[test]
fn rejected_torture_requests_are_answered_where_an_answer_finds_its_way() {
    for message in torture_messages() {
        let options = ParseOptions::default();
        let rejection = match Message::parse(message.bytes.clone()) {
            Ok(Message::Request(request)) => match ValidRequest::new(request, &options) {
                Ok(_) => continue,
                Err(rejection) => rejection,
            },
            Ok(Message::Response(_)) => continue,
            Err(error) => match Rejection::salvage(&message.bytes, &options, error) {
                Some(rejection) => rejection,
                None => continue,
            },
        };
        let response = rejection.response();
        assert_eq!(response.is_some(), message.name != "insuf", "{}", message.name);
        let Some(response) = response else { continue };
        assert_eq!(response.status(), rejection.status);
        let vias = rejection.request().headers().count(HeaderName::VIA);
        assert_eq!(response.headers().count(HeaderName::VIA), vias, "{}", message.name);
        for name in [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ] {
            let copied = rejection.request().headers().get_raw(name.clone());
            assert_eq!(response.headers().get_raw(name), copied, "{}", message.name);
        }
    }
}
