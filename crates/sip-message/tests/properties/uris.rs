//! Generated URIs.

use offhook_sip_message::*;
use proptest::prelude::*;

use crate::generate::{any_uri, sip_uri};

fn read(text: &str, profile: Profile) -> Uri {
    let uri = Uri::parse(&WireText::new(text, profile));
    uri.unwrap_or_else(|error| panic!("{}", error.caret(text.as_bytes())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_right_is_read_in_both_profiles_and_written_so_that_it_is_read_as_equal(text in any_uri()) {
        let strict = read(&text, Profile::Strict);
        prop_assert_eq!(&strict, &read(&text, Profile::Tolerant));
        let written = strict.to_string();
        prop_assert_eq!(&read(&written, Profile::Strict), &strict);
        prop_assert_eq!(read(&written, Profile::Strict).to_string(), written.clone());
        // Nothing but the case of the scheme, the form of an IPv6 address and zeros change.
        if !text.contains('[') {
            let (scheme, rest) = text.split_once(':').unwrap();
            prop_assert_eq!(written, format!("{}:{rest}", scheme.to_ascii_lowercase()));
        }
    }

    #[test]
    fn equality_is_symmetric_and_a_part_that_counts_makes_it_fail(one in sip_uri(), other in sip_uri()) {
        let (one, other) = (read(&one, Profile::Strict), read(&other, Profile::Strict));
        prop_assert_eq!(&one, &one.clone());
        let (there, back) = (one == other, other == one);
        prop_assert_eq!(there, back);
        let sip = one.as_sip().unwrap();
        let port = SipUri { port: Some(sip.port.map_or(1, |port| port ^ 1)), ..sip.clone() };
        prop_assert_ne!(&port, sip);
        let secure = SipUri { secure: !sip.secure, ..sip.clone() };
        prop_assert_ne!(&secure, sip);
        prop_assert_eq!(secure.address_of_record(), sip.address_of_record());
        let host = SipUri { host: Host::Name("other.example".into()), ..sip.clone() };
        prop_assert_ne!(&host, sip);
        if let Some(user) = &sip.user {
            let user = Some(Text::from(format!("{user}x")));
            let longer = SipUri { user, ..sip.clone() };
            prop_assert_ne!(&longer, sip);
        }
    }

    #[test]
    fn escapes_that_need_not_be_are_no_difference(user in "[a-z0-9]{1,6}", at: prop::sample::Index) {
        let at = at.index(user.len());
        let byte = user.as_bytes()[at];
        let escaped = format!("{}%{byte:02x}{}", &user[..at], &user[at + 1..]);
        let [plain, escaped] =
            [user, escaped].map(|user| read(&format!("sip:{user}@h.example"), Profile::Strict));
        prop_assert_eq!(&plain, &escaped);
        let key = |uri: &Uri| uri.as_sip().unwrap().address_of_record();
        prop_assert_eq!(key(&plain), key(&escaped));
    }
}
