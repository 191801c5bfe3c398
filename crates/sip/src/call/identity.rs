//! Who calls, as the network vouches for it (RFC 3325), and who is not to be known (RFC 3323).

use offhook_sansio::Flow;
use offhook_sip_message::{
    NameAddr, PAssertedIdentity, PPreferredIdentity, Privacy, PrivacyValue, RequestBuilder, Uri,
    ValidRequest,
};

use crate::{Error, transaction::TransactionLayer};

/// The From of a caller: anonymous if privacy is asked for (RFC 3323 §4.1.1.3).
pub(super) fn from(from: NameAddr, privacy: Option<&Privacy>) -> Result<NameAddr, Error> {
    let hidden = |privacy: &Privacy| privacy.0.iter().any(|value| *value != PrivacyValue::None);
    if !privacy.is_some_and(hidden) {
        return Ok(from);
    }
    let uri = ANONYMOUS.parse::<Uri>();
    let uri = uri.map_err(|error| Error::Unbuildable(error.to_string()))?;
    Ok(NameAddr::new(uri).with_display_name(DISPLAY_NAME))
}

/// What an INVITE says of its caller beside From.
pub(super) fn write(
    preferred: &[NameAddr],
    privacy: Option<&Privacy>,
    mut builder: RequestBuilder,
) -> Result<RequestBuilder, Error> {
    if !is_preferable(preferred) {
        let why = "one SIP URI and one tel URI at most are preferred (RFC 3325 §9.2)";
        return Err(Error::Unbuildable(why.to_owned()));
    }
    if let Some(privacy) = privacy {
        builder = builder.header(privacy);
    }
    for address in preferred {
        builder = builder.header(&PPreferredIdentity::new(address.clone()));
    }
    Ok(builder)
}

/// The identities that a request asserts; none if its sender is not trusted (RFC 3325 §5, §6).
pub(super) fn asserted(
    layer: &TransactionLayer,
    flow: Flow,
    request: &ValidRequest,
) -> Vec<NameAddr> {
    let sender = flow.remote.ip().to_canonical();
    if !layer.config.trusted.iter().any(|trusted| trusted.to_canonical() == sender) {
        return Vec::new();
    }
    let asserted = request.headers_of::<PAssertedIdentity>().flatten();
    asserted.map(|identity| identity.address).collect()
}

/// One value, or a SIP or SIPS URI and a tel URI (RFC 3325 §9.2).
fn is_preferable(addresses: &[NameAddr]) -> bool {
    let tel = |address: &NameAddr| matches!(address.uri, Uri::Tel(_));
    let sip = |address: &NameAddr| matches!(address.uri, Uri::Sip(_));
    match addresses {
        [] => true,
        [one] => sip(one) || tel(one),
        [one, two] => sip(one) && tel(two) || tel(one) && sip(two),
        _ => false,
    }
}

/// Whom an anonymous request is from (RFC 3323 §4.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";
const DISPLAY_NAME: &str = "Anonymous";
