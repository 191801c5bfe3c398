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

    #[test]
    fn what_is_built_for_calls_and_events_is_read_back(
        text in "[ -~\\t\\x00\\x7fé]{0,12}",
        token in "[-.!%*_+`'~a-zA-Z0-9]{1,8}",
        number: u32,
        small in 0..100_u8,
    ) {
        let bare = token.replace('.', "-");
        let id = || CallId(token.as_str().into());
        let uri: Uri = "sip:a@b.example;lr?Reason=SIP%3Bcause%3D302".parse().unwrap();
        same(Replaces::new(id(), token.as_str(), bare.as_str()).early_only())?;
        same(Join::new(id(), token.as_str(), bare.as_str()))?;
        same(TargetDialog::new(id(), token.as_str(), bare.as_str()))?;
        same(InReplyTo(id()))?;
        same(RAck { response_num: number, cseq_num: number, method: crate::Method::UPDATE })?;
        same(SessionExpires::new(number).with_refresher(Refresher::Uas))?;
        same(MinSe::new(number))?;
        same(RetryAfter::new(number).with_comment(&text).with_duration(number))?;
        same(Event::new(bare.as_str()).with_id(token.as_str()))?;
        same(SubscriptionState::active(number).with_retry_after(number))?;
        same(SubscriptionState::terminated(&token.as_str().into()))?;
        same(SipEtag(token.as_str().into()))?;
        same(InfoPackage::new(token.as_str()))?;
        same(AnswerMode::new(token.as_str().into()).required())?;
        same(Warning::new(number as u16 % 1000, token.as_str(), text.as_str()))?;
        same(Reason::q850(small, &text))?;
        same(ContentType(MediaType::new(token.as_str(), "x").with_parameter("y", &text)))?;
        same(ContentDisposition::new(token.as_str()).optional())?;
        let q = Quality::new(number as u16 % 1001).unwrap();
        same(AcceptEncoding::new(token.as_str()).with_q(q))?;
        same(AcceptLanguage::new("en-gb").with_q(q))?;
        same(CallInfo::new(uri.clone()).with_purpose(token.as_str()))?;
        let feature = FeatureValue::Text(text.replace(['<', '>'], "").into());
        same(Contact::new(uri.clone()).with_q(q).with_feature("+a", &feature))?;
        same(AcceptContact::new().with_feature("b", &FeatureValue::tokens([&*bare])).explicit())?;
        let index = HistoryIndex::first().child(number);
        let entry = HistoryInfo::new(uri.clone()).with_index(&index);
        same(entry.with_target(&HistoryTarget::Mp(index)))?;
        let reason = token.as_str().into();
        same(Diversion::new(uri).with_reason(&reason).with_counter(small).with_limit(small))?;
        let time = std::time::Duration::new(number.into(), number % 1_000_000_000);
        same(Timestamp::new(time).with_delay(time))?;
    }
}
