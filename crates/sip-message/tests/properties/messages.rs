//! Generated messages are read as they were meant and written back as they came.

use offhook_sip_message::*;
use proptest::prelude::*;

use crate::generate::message;

/// Each value that is read is written so that it is read as equal.
fn round_trips<H: Header + std::fmt::Debug>(message: &Message, profile: Profile) -> usize {
    let values = message.headers_of::<H>().collect::<Result<Vec<_>, _>>();
    let values = values.unwrap_or_else(|error| panic!("{}", error.caret(message.as_bytes())));
    for value in &values {
        let mut text = String::new();
        value.write(&mut text);
        assert_eq!(H::parse(&WireText::new(text.as_str(), profile)).as_ref(), Ok(value), "{text}");
    }
    values.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_right_is_read_in_both_profiles_and_written_back((rows, text) in message()) {
        for options in [ParseOptions::strict(), ParseOptions::default()] {
            let message = Message::parse_with(text.clone().into(), &options);
            let message = message.unwrap_or_else(|error| panic!("{}", error.caret(text.as_bytes())));
            prop_assert_eq!(message.as_bytes(), text.as_bytes());
            let length = message.headers().count(HeaderName::CONTENT_LENGTH);
            let names: Vec<HeaderName> = message.headers().iter().map(|(name, _)| name).collect();
            let meant: Vec<HeaderName> = rows.iter().map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(&names[..names.len() - length], &meant[..]);
            for (name, row) in &rows {
                prop_assert!(message.headers().count(name.clone()) > 0, "{}", row);
            }
            let profile = options.profile;
            prop_assert!(round_trips::<Via>(&message, profile) > 0);
            prop_assert_eq!(round_trips::<From>(&message, profile), 1);
            prop_assert_eq!(round_trips::<To>(&message, profile), 1);
            round_trips::<CallId>(&message, profile);
            round_trips::<CSeq>(&message, profile);
            round_trips::<Contact>(&message, profile);
            round_trips::<Route>(&message, profile);
            round_trips::<RecordRoute>(&message, profile);
            round_trips::<PAssertedIdentity>(&message, profile);
            round_trips::<ReferTo>(&message, profile);
            round_trips::<Supported>(&message, profile);
            round_trips::<Allow>(&message, profile);
            round_trips::<Event>(&message, profile);
            round_trips::<Accept>(&message, profile);
            round_trips::<Reason>(&message, profile);
            round_trips::<Warning>(&message, profile);
            round_trips::<Subject>(&message, profile);
        }
    }

    #[test]
    fn an_edit_without_changes_adds_nothing_but_a_length((_, text) in message()) {
        let message = Message::parse(text.clone().into()).unwrap();
        let had_length = message.headers().count(HeaderName::CONTENT_LENGTH) == 1;
        let built = match &message {
            Message::Request(request) => request.edit().build().map(Message::Request),
            Message::Response(response) => response.edit().build().map(Message::Response),
        };
        let built = built.unwrap();
        prop_assert_eq!(built.body(), message.body());
        if had_length {
            prop_assert_eq!(built.as_bytes(), message.as_bytes());
        }
        let kept = built.headers().iter().filter(|(name, _)| *name != HeaderName::CONTENT_LENGTH);
        let came = message.headers().iter().filter(|(name, _)| *name != HeaderName::CONTENT_LENGTH);
        prop_assert!(kept.eq(came));
    }

    #[test]
    fn a_valid_message_is_valid_in_both_profiles_and_is_answered((_, text) in message()) {
        let Message::Request(request) = Message::parse(text.into()).unwrap() else { return Ok(()) };
        let strict = ValidRequest::new(request.clone(), &ParseOptions::strict());
        let tolerant = ValidRequest::new(request.clone(), &ParseOptions::default());
        prop_assert!(tolerant.is_ok() || strict.is_err());
        let Ok(valid) = tolerant else { return Ok(()) };
        let reply = Response::reply_to(&valid, StatusCode::OK).to_tag("x").build().unwrap();
        let reply = ValidResponse::new(reply, &ParseOptions::default()).unwrap();
        prop_assert_eq!(reply.via(), valid.via());
        prop_assert_eq!((reply.call_id(), reply.cseq()), (valid.call_id(), valid.cseq()));
        prop_assert_eq!(reply.to().tag(), valid.to().tag().or(Some("x")));
        let vias = |message: &Headers| -> Vec<Via> {
            message.headers_of().collect::<Result<_, _>>().unwrap()
        };
        prop_assert_eq!(vias(reply.headers()), vias(valid.headers()));
    }
}
