//! Whatever text a header field is built from, it is read back as it was given.

use proptest::prelude::*;

use super::{probe::written, *};
use crate::Uri;

fn same<H: Header + std::fmt::Debug>(header: H) -> Result<(), TestCaseError> {
    let text = written(&header);
    let read = H::parse(&WireText::from(text.as_str()))
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
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
        same(SecurityClient::new(token.as_str()).with_q(Quality::new(number as u16 % 1001).unwrap()))?;
        same(PEarlyMedia::from(token.as_str()))?;
        let kinds = [PrivacyValue::None, PrivacyValue::from(format!("x{token}"))];
        same(Privacy::new(kinds))?;
        let bare = token.replace('.', "-");
        same(ResourcePriority::new(bare.as_str(), bare.as_str()))?;
        let uri: Uri = "https://a.example/b,c;d?e".parse().unwrap();
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
