//! The registration flows of RFC 3665 §2, played with the printed answers.

use std::fs;

use offhook_sip::{Event, Login, OutgoingRequest, Registration};
use offhook_sip_message::{Contact, HeaderName, Method, NameAddr, ValidResponse};

use crate::stage::{Stage, cseq, field, fields, first_line, tls};

/// The printed message.
fn printed(name: &str) -> String {
    let path = format!("{}/tests/data/rfc3665/{name}.sip", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// The printed answer, as one to `request`: what identifies it is that of the request.
fn answer(name: &str, request: &str) -> String {
    let printed = printed(name).replace("\r\n ", " ");
    let line = |line: &str| match line.split(':').next().unwrap() {
        name @ ("Via" | "From" | "Call-ID" | "CSeq") => format!("{name}: {}", field(request, name)),
        "To" => format!("To: {};tag=printed", field(request, "To")),
        _ => line.to_owned(),
    };
    printed.lines().map(|it| line(it) + "\n").collect()
}

fn bob() -> NameAddr {
    let aor = NameAddr::new("sips:bob@biloxi.example.com".parse().unwrap());
    aor.with_display_name("Bob")
}

fn registration() -> Registration {
    let registrar = "sips:ss2.biloxi.example.com".parse().unwrap();
    Registration {
        contact: Some("sips:bob@client.biloxi.example.com".parse().unwrap()),
        logins: vec![Login::new("atlanta.example.com", "bob", "unknown")],
        ..Registration::new(registrar, bob(), tls())
    }
}

fn query() -> OutgoingRequest {
    let registrar = "sips:ss2.biloxi.example.com".parse().unwrap();
    let mut query = OutgoingRequest::new(Method::REGISTER, registrar, bob(), tls());
    query.to = Some(bob());
    query
}

fn response(stage: &mut Stage) -> ValidResponse {
    match stage.event() {
        Event::Response { response, .. } => response,
        other => panic!("{other:?}"),
    }
}

fn bindings(response: &ValidResponse) -> Vec<String> {
    let uri = |it: Result<Contact, _>| it.unwrap().uri().unwrap().to_string();
    response.headers_of::<Contact>().map(uri).collect()
}

/// What both have to have alike.
fn same(sent: &str, printed: &str) {
    assert_eq!(first_line(sent), first_line(printed));
    for name in ["To", "CSeq", "Contact"] {
        assert_eq!(fields(sent, name), fields(printed, name));
    }
}

#[test]
fn flow_2_1_registers_after_a_challenge() {
    let mut stage = Stage::new();
    let (_, first) = stage.register(registration());
    same(&first, &printed("2.1/01-register"));
    stage.receive(tls(), &answer("2.1/02-401", &first));
    let second = stage.sent();
    same(&second, &printed("2.1/03-register"));
    let credentials = field(&second, "Authorization");
    for part in [
        "username=\"bob\"",
        "realm=\"atlanta.example.com\"",
        "nonce=\"ea9c8e88df84f1cec4341ae6cbe5a359\"",
        "uri=\"sips:ss2.biloxi.example.com\"",
    ] {
        assert!(credentials.contains(part), "{credentials}");
    }
    stage.receive(tls(), &answer("2.1/04-200", &second));
    assert_eq!(stage.granted().expires.as_secs(), 3600);
}

#[test]
fn flow_2_2_updates_the_contacts() {
    let mut stage = Stage::new();
    let mut update = query();
    update.headers = vec![(HeaderName::CONTACT, "mailto:bob@biloxi.example.com".into())];
    stage.agent.send(stage.now, update).unwrap();
    let sent = stage.sent();
    same(&sent, &printed("2.2/01-register"));
    stage.receive(tls(), &answer("2.2/02-200", &sent));
    let both = ["sips:bob@client.biloxi.example.com", "mailto:bob@biloxi.example.com"];
    assert_eq!(bindings(&response(&mut stage)), both);
}

#[test]
fn flow_2_3_asks_for_the_contacts() {
    let mut stage = Stage::new();
    stage.agent.send(stage.now, query()).unwrap();
    let sent = stage.sent();
    same(&sent, &printed("2.3/01-register"));
    assert!(fields(&sent, "Contact").is_empty() && fields(&sent, "Expires").is_empty());
    stage.receive(tls(), &answer("2.3/02-200", &sent));
    assert_eq!(bindings(&response(&mut stage)).len(), 2);
}

#[test]
fn flow_2_4_removes_all_contacts() {
    let mut stage = Stage::new();
    let (id, first) = stage.register(registration());
    stage.receive(tls(), &answer("2.1/04-200", &first));
    stage.granted();
    stage.agent.unregister_all(stage.now, id).unwrap();
    let removal = stage.sent();
    let printed = printed("2.4/01-register");
    assert_eq!(first_line(&removal), first_line(&printed));
    for name in ["To", "Contact", "Expires"] {
        assert_eq!(fields(&removal, name), fields(&printed, name));
    }
    stage.receive(tls(), &answer("2.4/02-200", &removal));
    assert_eq!(stage.unregistered(), Some(200));
    stage.finish();
}

#[test]
fn flow_2_5_ends_with_the_second_challenge() {
    let mut stage = Stage::new();
    let (_, first) = stage.register(registration());
    same(&first, &printed("2.5/01-register"));
    stage.receive(tls(), &answer("2.5/02-401", &first));
    let second = stage.sent();
    assert_eq!(cseq(&second), 2);
    stage.receive(tls(), &answer("2.5/04-401", &second));
    assert_eq!(stage.failure(), (401, None), "the credentials are wrong");
    assert!(stage.is_silent());
}
