//! What a registrar knows a user by (RFC 3261 §10.3 step 5, RFC 5630 §5.2).

use std::{fmt, fmt::Write};

use super::{SipUri, escape::write_byte, unescape};
use crate::parse::Class;

/// The canonical form of an address-of-record: a key for maps, equal for all URIs that a registrar
/// must treat as one.
///
/// It holds the user part without escapes, the host in lower case, and the port. What RFC 3261
/// §10.3 takes away is not in it: all URI parameters and escapes. The password and the URI headers
/// are no part of an identity either, and `sip` and `sips` name the same resource (RFC 5630 §5.2).
/// The user part has case, and a port that is given differs from one that is left out (RFC 3261
/// §19.1.4).
///
/// Unlike the equality of URIs this one is an equivalence.
///
/// ```
/// use offhook_sip_message::Uri;
///
/// let key = |uri: &str| uri.parse::<Uri>().ok()?.as_sip().map(|uri| uri.address_of_record());
/// assert_eq!(key("sip:%61lice@Atlanta.COM;user=phone"), key("sips:alice@atlanta.com"));
/// assert_eq!(key("sip:a%20b@h.example:5070").map(|key| key.to_string()).as_deref(),
///     Some("sip:a%20b@h.example:5070"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressOfRecord {
    host: String,
    user: Option<Vec<u8>>,
    port: Option<u16>,
}

impl AddressOfRecord {
    pub(super) fn of(uri: &SipUri) -> Self {
        let mut host = String::new();
        // Writing to a String cannot fail.
        let _ = write!(host, "{}", uri.host);
        host.make_ascii_lowercase();
        let user = uri.user.as_deref().map(|user| unescape(user).into_owned());
        Self { host, user, port: uri.port }
    }

    /// The user part without escapes; any byte can be in it.
    pub fn user(&self) -> Option<&[u8]> {
        self.user.as_deref()
    }

    /// The host in lower case, an IPv6 address in brackets: the domain.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if the URI had one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for AddressOfRecord {
    /// As a SIP URI with the fewest escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sip:")?;
        if let Some(user) = &self.user {
            user.iter().try_for_each(|&byte| write_byte(byte, Class::USER.has(byte), f))?;
            f.write_str("@")?;
        }
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}
