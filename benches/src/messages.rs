//! The messages that are measured.

/// An INVITE with an offer: 9 header fields, in the manner of RFC 3261 §24.2.
pub const INVITE: &[u8] = include_bytes!("messages/invite.sip");
/// The 200 that answers it through two proxies, with an answer.
pub const OK: &[u8] = include_bytes!("messages/ok.sip");
/// An INVITE as it comes out of an operator's network: 25 header fields, 1.8 kB.
pub const CARRIER_INVITE: &[u8] = include_bytes!("messages/carrier-invite.sip");
/// A REGISTER with digest credentials, RFC 3665 §2.1 F3; the folded row is one line here.
pub const REGISTER: &[u8] = include_bytes!("messages/register.sip");

/// All of them, with the names that the tables use.
pub const MESSAGES: [(&str, &[u8]); 4] =
    [("invite", INVITE), ("carrier invite", CARRIER_INVITE), ("ok", OK), ("register", REGISTER)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_as_long_as_they_say() {
        for (_, message) in MESSAGES {
            let text = std::str::from_utf8(message).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let length = head.rsplit_once("Content-Length: ").unwrap().1;
            assert_eq!(length.split("\r\n").next(), Some(body.len().to_string().as_str()));
            assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
        }
        let head = std::str::from_utf8(CARRIER_INVITE).unwrap().split("\r\n\r\n").next().unwrap();
        assert_eq!(head.split("\r\n").count() - 1, 25);
        assert!((1750..1850).contains(&CARRIER_INVITE.len()), "{}", CARRIER_INVITE.len());
    }
}
