//! The little of STUN that a port of SIP needs: Binding requests that keep a flow over UDP alive, and
//! the answers to them (RFC 5626 §8, RFC 8489 §5, §6.3, §14).

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

/// What tells a request from others (RFC 8489 §5).
pub(crate) type StunId = [u8; 12];

/// A message of the method Binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stun {
    /// A request, with the attributes that it must not be answered without, and that mean nothing
    /// here (RFC 8489 §6.3.1).
    Request {
        id: StunId,
        unknown: Vec<u16>,
    },
    /// The address that the server has seen the request come from.
    Success {
        id: StunId,
        mapped: SocketAddr,
    },
    Failure {
        id: StunId,
    },
}

impl Stun {
    /// Reads a datagram: `None` if it is no STUN, or nothing that a keepalive needs.
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let (header, body) = datagram.split_first_chunk::<HEADER>()?;
        let [k0, k1, l0, l1, c0, c1, c2, c3, id @ ..] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if [c0, c1, c2, c3] != COOKIE.to_be_bytes() || length != body.len() {
            return None;
        }
        match u16::from_be_bytes([k0, k1]) {
            REQUEST => Some(Self::Request { id, unknown: unknown(body)? }),
            SUCCESS => Some(Self::Success { id, mapped: mapped(body, id)? }),
            FAILURE => Some(Self::Failure { id }),
            _ => None,
        }
    }

    /// A request without attributes: none are needed (RFC 5626 §8).
    pub(crate) fn request(id: StunId) -> Bytes {
        message(REQUEST, id, &[])
    }

    /// The answer to a request from `source`.
    pub(crate) fn success(id: StunId, source: SocketAddr) -> Bytes {
        let mut value = BytesMut::with_capacity(LONGEST_ADDRESS);
        value.put_u8(0);
        value.put_u8(if source.is_ipv4() { IPV4 } else { IPV6 });
        value.put_u16(source.port() ^ (COOKIE >> 16) as u16);
        match source.ip() {
            IpAddr::V4(ip) => value.put_u32(ip.to_bits() ^ COOKIE),
            IpAddr::V6(ip) => value.put_u128(ip.to_bits() ^ mask(id)),
        }
        message(SUCCESS, id, &[(XOR_MAPPED_ADDRESS, &value)])
    }

    /// The refusal of a request that has attributes which mean nothing here (RFC 8489 §6.3.1).
    pub(crate) fn refusal(id: StunId, unknown: &[u16]) -> Bytes {
        let mut types = BytesMut::new();
        unknown.iter().for_each(|kind| types.put_u16(*kind));
        message(FAILURE, id, &[(ERROR_CODE, UNKNOWN_ATTRIBUTE), (UNKNOWN_ATTRIBUTES, &types)])
    }
}

fn message(kind: u16, id: StunId, attributes: &[(u16, &[u8])]) -> Bytes {
    let mut body = BytesMut::new();
    for (kind, value) in attributes {
        body.put_u16(*kind);
        body.put_u16(value.len() as u16);
        body.put_slice(value);
        body.put_bytes(0, padding(value.len()));
    }
    let mut message = BytesMut::with_capacity(HEADER + body.len());
    message.put_u16(kind);
    message.put_u16(body.len() as u16);
    message.put_u32(COOKIE);
    message.put_slice(&id);
    message.put_slice(&body);
    message.freeze()
}

/// The attributes of a body; ends with `None` where one is cut short.
fn attributes(body: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let attribute = attribute(rest);
        rest = attribute.map_or(&[], |(_, _, behind)| behind);
        Some(attribute.map(|(kind, value, _)| (kind, value)))
    })
}

fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let ([k0, k1, l0, l1], rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let (value, rest) = rest.split_at_checked(length)?;
    Some((u16::from_be_bytes([*k0, *k1]), value, rest.get(padding(length)..)?))
}

/// What has to be known and is not; `None` if an attribute is cut short.
fn unknown(body: &[u8]) -> Option<Vec<u16>> {
    let mut unknown = Vec::new();
    for attribute in attributes(body) {
        let (kind, _) = attribute?;
        let is_needed = kind < OPTIONAL && !AUTHENTICATION.contains(&kind);
        if is_needed && unknown.len() < MOST_UNKNOWN && !unknown.contains(&kind) {
            unknown.push(kind);
        }
    }
    Some(unknown)
}

/// RFC 8489 §14.2.
fn mapped(body: &[u8], id: StunId) -> Option<SocketAddr> {
    let found = attributes(body).map_while(|attribute| attribute);
    let (_, value) = found.into_iter().find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS)?;
    let ([_, family, p0, p1], address) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*p0, *p1]) ^ (COOKIE >> 16) as u16;
    let ip: IpAddr = match *family {
        IPV4 => IpAddr::V4((u32::from_be_bytes(address.try_into().ok()?) ^ COOKIE).into()),
        IPV6 => IpAddr::V6((u128::from_be_bytes(address.try_into().ok()?) ^ mask(id)).into()),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The cookie and the identifier, with which an IPv6 address is mixed.
fn mask(id: StunId) -> u128 {
    let id = id.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    u128::from(COOKIE) << 96 | id
}

/// Values are filled up to four bytes.
const fn padding(length: usize) -> usize {
    length.wrapping_neg() & 3
}

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_A442;
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const FAILURE: u16 = 0x0111;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// 420 as the value of an ERROR-CODE (RFC 8489 §14.8).
const UNKNOWN_ATTRIBUTE: &[u8] = b"\0\0\x04\x14Unknown Attribute";
/// USERNAME, MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, USERHASH, REALM, NONCE and
/// PASSWORD-ALGORITHM: who proves more than is asked for is answered all the same.
const AUTHENTICATION: [u16; 7] = [0x0006, 0x0008, 0x001C, 0x001E, 0x0014, 0x0015, 0x001D];
/// From here on attributes may be left out of account.
const OPTIONAL: u16 = 0x8000;
/// A refusal need not be longer than what it refuses.
const MOST_UNKNOWN: usize = 8;
const IPV4: u8 = 1;
const IPV6: u8 = 2;
const LONGEST_ADDRESS: usize = 20;

#[cfg(test)]
mod tests;
