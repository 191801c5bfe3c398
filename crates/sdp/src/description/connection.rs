//! The `c=` line: where media goes (RFC 8866 §5.7).
#![deny(clippy::arithmetic_side_effects)]

use std::{fmt, net::IpAddr};

use bytestring::ByteString;

use super::words::{Fault, Word, Words};

/// Where media is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The network type: `IN`.
    pub network_type: ByteString,
    /// The address type: `IP4` or `IP6`.
    pub address_type: ByteString,
    /// The address.
    pub address: Address,
    /// What follows the address after a slash: time to live and number of multicast addresses.
    pub range: Option<ByteString>,
}

impl Connection {
    /// The line for one address.
    pub const fn to(address: IpAddr) -> Self {
        Self {
            network_type: ByteString::from_static("IN"),
            address_type: ByteString::from_static(match address {
                IpAddr::V4(_) => "IP4",
                IpAddr::V6(_) => "IP6",
            }),
            address: Address::Ip(address),
            range: None,
        }
    }

    pub(super) fn read(value: &ByteString) -> Result<Self, Fault> {
        Self::read_words(&mut Words::new(value, "RFC 8866 §5.7"))
    }

    /// Reads the three words that `c=` and `a=rtcp` have in common.
    pub(super) fn read_words(words: &mut Words<'_>) -> Result<Self, Fault> {
        let network_type = words.next("a network type")?;
        let address_type = words.next("an address type")?;
        let (address, range) = words.read("a connection address", |word| Some(parts(word)))?;
        Ok(Self { network_type, address_type, address, range })
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network_type, address_type, address, range } = self;
        write!(f, "{network_type} {address_type} {address}")?;
        range.iter().try_for_each(|range| write!(f, "/{range}"))
    }
}

/// A connection address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address.
    Ip(IpAddr),
    /// A host name, or an address of another family.
    Name(ByteString),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn parts(word: Word<'_>) -> (Address, Option<ByteString>) {
    let (address, range) = match word.text.split_once('/') {
        Some((address, range)) => (address, Some(word.share(range))),
        None => (word.text, None),
    };
    let address = address.parse().map_or_else(|_| Address::Name(word.share(address)), Address::Ip);
    (address, range)
}
