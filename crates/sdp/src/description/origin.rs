//! The `o=` line: who made the description, and which version of it (RFC 8866 §5.2).
#![deny(clippy::arithmetic_side_effects)]

use std::fmt;

use bytestring::ByteString;

use super::words::{Fault, Word, Words};

/// The originator of a session and the version of its description.
///
/// Numbers stay text: the grammar puts no bound on them, and they are only compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user's name on the originating host, or `-`.
    pub username: ByteString,
    /// The number of the session, the same through all its versions.
    pub session_id: ByteString,
    /// The number of this version, one more with each change (RFC 3264 §8).
    pub session_version: ByteString,
    /// The network type: `IN`.
    pub network_type: ByteString,
    /// The address type: `IP4` or `IP6`.
    pub address_type: ByteString,
    /// The originating host, as a name or an address. It says nothing about media.
    pub address: ByteString,
}

impl Origin {
    pub(super) fn read(value: &ByteString) -> Result<Self, Fault> {
        let mut words = Words::new(value, "RFC 8866 §5.2");
        Ok(Self {
            username: words.next("a user name or -")?,
            session_id: words.read("a numeric session id", number)?,
            session_version: words.read("a numeric session version", number)?,
            network_type: words.next("a network type")?,
            address_type: words.next("an address type")?,
            address: words.next("the address of the originating host")?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, session_id, session_version, .. } = self;
        let Self { network_type, address_type, address, .. } = self;
        write!(f, "{username} {session_id} {session_version} ")?;
        write!(f, "{network_type} {address_type} {address}")
    }
}

fn number(word: Word<'_>) -> Option<ByteString> {
    word.text.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.share(word.text))
}
