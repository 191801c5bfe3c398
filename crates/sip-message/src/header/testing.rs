//! What the tests of all families do with their examples, and the round trips of what is built.

use super::Header;
use crate::{ParseError, Profile, WireText};

pub(super) fn strict<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Strict))
}

pub(super) fn tolerant<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Tolerant))
}

pub(super) fn written(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

/// Reads `text` in both profiles and sees that it is written as it stands, and that no part of it
/// from its start makes the reader panic.
#[track_caller]
pub(super) fn read_and_written<H: Header + std::fmt::Debug>(text: &str) -> H {
    let header = strict::<H>(text).unwrap();
    assert_eq!(written(&header), text);
    assert_eq!(tolerant::<H>(text).as_ref(), Ok(&header));
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        drop((strict::<H>(&text[..end]), tolerant::<H>(&text[..end])));
    }
    header
}

/// Sees that `text` is refused at `offset` in both profiles.
#[track_caller]
pub(super) fn refused<H: Header + std::fmt::Debug>(text: &str, offset: usize) {
    for read in [strict::<H>(text), tolerant::<H>(text)] {
        let error = read.expect_err(text);
        assert_eq!(error.offset(), offset, "{text}: {error}");
    }
}

/// Sees that only the tolerant profile reads `text`.
#[track_caller]
pub(super) fn tolerated<H: Header + std::fmt::Debug>(text: &str) -> H {
    assert!(strict::<H>(text).is_err(), "{text}");
    let header = tolerant::<H>(text).unwrap();
    assert_eq!(tolerant::<H>(&written(&header)).as_ref(), Ok(&header), "{text}");
    header
}

mod round_trips {
    use proptest::prelude::*;

    use super::{super::*, tolerant, written};

    fn same<H: Header + std::fmt::Debug>(header: H) -> Result<(), TestCaseError> {
        let text = written(&header);
        let read = tolerant::<H>(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read, header, "{}", text);
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_built_from_any_text_is_read_back(
            text in "[ -~\\t\\x00\\x7fé]{0,12}",
            token in "[-.!%*_+`'~a-zA-Z0-9]{1,8}",
            number: u128,
            octets: Vec<u8>,
        ) {
            same(UserToUser::new(text.as_str()).with_purpose(token.as_str()))?;
            same(UserToUser::hex(&octets))?;
            prop_assert_eq!(UserToUser::hex(&octets).octets(), Some(octets));
            same(PVisitedNetworkId::new(text.as_str()))?;
            same(PAccessNetworkInfo::new(token.as_str()))?;
            same(PChargingVector::new(text.as_str()).with_orig_ioi(&text).with_term_ioi(&token))?;
            same(PChargingFunctionAddresses::new(token.as_str(), &text).with("ccf", &token))?;
            same(GeolocationError::new(number as u16 % 1000).with_text(&text))?;
            same(GeolocationRouting::from(token.as_str()))?;
            same(SessionId::new(SessionUuid(number), SessionUuid(!number)))?;
            same(SecurityClient::new(token.as_str()).with_preference(number as u16 % 1001))?;
            same(PEarlyMedia::from(token.as_str()))?;
            let kinds = [PrivacyValue::None, PrivacyValue::from(format!("x{token}"))];
            same(Privacy::new(kinds))?;
            let bare = token.replace('.', "-");
            same(ResourcePriority::new(bare.as_str(), bare.as_str()))?;
            let uri: crate::Uri = "https://a.example/b,c;d?e".parse().unwrap();
            same(Identity::new("..abc", uri.clone()).with_ppt(token.as_str()))?;
            same(Geolocation::new(uri.clone()))?;
            same(TriggerConsent::new(uri.clone()).with_target_uri(&uri))?;
            let info = AuthenticationInfo {
                rspauth: Some(text.as_str().into()),
                nc: Some(number as u32),
                ..AuthenticationInfo::next_nonce(text)
            };
            same(info)?;
        }
    }
}
