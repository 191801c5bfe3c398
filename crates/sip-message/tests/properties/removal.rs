//! A header field is removed in all its disguises, and nothing else with it.

use offhook_sip_message::*;
use proptest::prelude::*;

use crate::generate::{disguised, message, rows, sws};

proptest! {
    #[test]
    fn what_is_removed_is_gone_and_all_else_is_kept((rows, text) in message(), pick: prop::sample::Index) {
        let (own, _) = pick.get(&rows).clone();
        // A name that nobody has registered, too, is removed in whatever case it came.
        let name = HeaderName::new(&own.as_str().to_ascii_uppercase()).unwrap();
        let message = Message::parse(text.into()).unwrap();
        let built = match &message {
            Message::Request(request) => request.edit().remove(name.clone()).build().map(Message::Request),
            Message::Response(it) => it.edit().remove(name.clone()).build().map(Message::Response),
        };
        let built = built.unwrap();
        prop_assert_eq!(built.headers().count(own), 0);
        let is_left = |it: &(HeaderName, &[u8])| it.0 != name && it.0 != HeaderName::CONTENT_LENGTH;
        let left = message.headers().iter().filter(is_left);
        prop_assert!(built.headers().iter().filter(is_left).eq(left));
    }

    #[test]
    fn a_disguise_hides_nothing(
        known in prop::sample::select(vec![
            HeaderName::VIA, HeaderName::ROUTE, HeaderName::FROM, HeaderName::CONTACT,
            HeaderName::P_ASSERTED_IDENTITY, HeaderName::IDENTITY, HeaderName::REFER_TO,
        ]).prop_flat_map(|name| (Just(name.clone()), disguised(&name))),
        white in sws(false),
        fold in sws(true),
        rows in rows(),
    ) {
        let (name, written) = known;
        let head: String = rows.iter().map(|(_, row)| row.as_str()).collect();
        let text = format!("SIP/2.0 200 OK\r\n{head}{written}{white}:{fold}secret\r\n\r\n");
        let Message::Response(response) = Message::parse(text.into()).unwrap() else { unreachable!() };
        let removed = response.edit().remove(name).build().unwrap();
        prop_assert!(!removed.as_bytes().windows(6).any(|it| it == b"secret"));
    }
}
