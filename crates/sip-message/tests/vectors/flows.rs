//! The messages of the call flows are strictly right, and are written back as they came.

use offhook_sip_message::*;

use crate::{
    load::{Outcome, flow_messages, outcome, profiles},
    typed::{TYPES, Type, typed_errors},
};

#[test]
fn every_flow_message_is_strictly_valid_and_written_back_as_it_came() {
    let messages = flow_messages();
    assert_eq!(messages.len(), 533);
    for (path, bytes) in messages {
        for options in profiles() {
            let message = Message::parse_with(bytes.clone(), &options)
                .unwrap_or_else(|error| panic!("{path}:\n{}", error.caret(&bytes)));
            assert_eq!(message.as_bytes(), &bytes, "{path}");
            assert_eq!(outcome(&bytes, &options), Outcome::Accepted, "{path}");
            let mut errors = typed_errors(message.headers());
            let misprint = |error: &ParseError| {
                options.profile == Profile::Strict
                    && MISPRINTS.contains(&(path.as_str(), error.expected()))
            };
            errors.retain(|error| !misprint(error));
            assert!(errors.is_empty(), "{path}: {errors:?}");
        }
    }
}

/// Header fields of the flows that are outside of the grammar: `message-qop` is a token (RFC 3261
/// §25.1), and the credentials of RFC 3665 §2.2 F1 put quotes around it.
const MISPRINTS: [(&str, &str); 1] = [("rfc3665/2.2/01-register.sip", "a token without quotes")];

#[test]
fn an_edit_without_changes_writes_the_same_message() {
    for (path, bytes) in flow_messages() {
        for options in profiles() {
            let written = match Message::parse_with(bytes.clone(), &options).unwrap() {
                Message::Request(request) => request.edit().build().unwrap().as_bytes().clone(),
                Message::Response(response) => response.edit().build().unwrap().as_bytes().clone(),
            };
            assert_eq!(written, bytes, "{path}");
        }
    }
}

#[test]
fn every_typed_header_of_the_flows_survives_being_written_and_read() {
    let mut values = 0;
    for (path, bytes) in flow_messages() {
        for options in profiles() {
            let message = Message::parse_with(bytes.clone(), &options).unwrap();
            let round_trips = |it: &Type| (it.round_trips)(message.headers(), options.profile);
            values += TYPES.iter().map(round_trips).sum::<usize>();
            let unread = message.headers().iter().find(|(name, _)| {
                !UNTYPED.contains(&name.as_str()) && !TYPES.iter().any(|it| (it.name)() == *name)
            });
            assert_eq!(unread, None, "{path} has a header field without a type");
        }
    }
    assert!(values > 8_000, "{values} values were read");
}

/// Header fields of the flows that stay text.
const UNTYPED: [&str; 0] = [];

#[test]
fn the_reports_of_transfers_tell_their_status() {
    let mut reports = 0;
    for (path, bytes) in flow_messages() {
        let message = Message::parse(bytes).unwrap();
        let kind = message.header::<ContentType>().unwrap();
        if kind.is_some_and(|kind| kind.is("message/sipfrag")) {
            reports += 1;
            // One of them tells its own length as `...`, as it is printed.
            assert!(Sipfrag::parse(&message.body()).unwrap().status().is_some(), "{path}");
        }
    }
    assert_eq!(reports, 8);
}
