//! What one user program tells another: `User-to-User` (RFC 7433 §4.1).

use std::borrow::Cow;

use super::{
    Header, HeaderName,
    parts::{text, write_text},
    shape::append,
};
use crate::{
    Parameters, Text, WireText,
    parse::{ParseError, finish},
    uri::header_parameters,
};

/// Data of a program, which SIP only carries, RFC 7433 §4.1.
#[derive(Clone, Debug, PartialEq)]
pub struct UserToUser {
    /// The data as text, without quotes and escapes. Quotes are no part of it (RFC 7433 §4.2).
    pub data: Text,
    /// The parameters, such as `purpose`, `content` and `encoding`.
    pub parameters: Parameters,
}

impl UserToUser {
    /// The data `data` as it is, of no stated encoding.
    pub fn new(data: impl Into<Text>) -> Self {
        Self { data: data.into(), parameters: Parameters::new() }
    }

    /// The octets `octets` in the encoding `hex` (RFC 7433 §4.2).
    pub fn hex(octets: &[u8]) -> Self {
        let mut data = String::with_capacity(octets.len().saturating_mul(2));
        for octet in octets {
            append(format_args!("{octet:02X}"), &mut data);
        }
        let mut header = Self::new(data);
        header.parameters.set("encoding", Some("hex"));
        header
    }

    /// The same data for the package `purpose`.
    #[must_use]
    pub fn with_purpose(mut self, purpose: impl Into<Text>) -> Self {
        self.parameters.set("purpose", Some(purpose));
        self
    }

    /// The same data, which is of the kind `content`.
    #[must_use]
    pub fn with_content(mut self, content: impl Into<Text>) -> Self {
        self.parameters.set("content", Some(content));
        self
    }

    /// The package that the data is of.
    pub fn purpose(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("purpose")
    }

    /// The kind of the data.
    pub fn content(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("content")
    }

    /// The encoding of the data; where there is none the package says it (RFC 7433 §4.1).
    pub fn encoding(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("encoding")
    }

    /// The octets, if the data is pairs of hexadecimal digits. Whether it is meant so is for
    /// [`UserToUser::encoding`] and the package to say.
    pub fn octets(&self) -> Option<Vec<u8>> {
        let octet = |pair: &[u8]| {
            let sound = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
            str::from_utf8(pair)
                .ok()
                .filter(|_| sound)
                .map(|pair| u8::from_str_radix(pair, 16))?
                .ok()
        };
        self.data.as_bytes().chunks(2).map(octet).collect()
    }
}

impl Header for UserToUser {
    const NAME: HeaderName = HeaderName::USER_TO_USER;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (|i| text(value, "user-to-user data", i), |i| header_parameters(value, i));
        let (data, parameters) = finish(value, "RFC 7433 §4.1", rule)?;
        Ok(Self { data, parameters })
    }

    fn write(&self, out: &mut String) {
        write_text(&self.data, out);
        self.parameters.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn the_example_is_read_and_written() {
        let text = "56a390f3d2b7310023a2;encoding=hex;purpose=foo;content=bar";
        let header: UserToUser = same(text);
        let octets = [0x56, 0xa3, 0x90, 0xf3, 0xd2, 0xb7, 0x31, 0x00, 0x23, 0xa2];
        assert_eq!(header.octets().unwrap(), octets);
        assert_eq!(header.purpose().as_deref(), Some("foo"));
        assert_eq!(header.content().as_deref(), Some("bar"));
        assert_eq!(header.encoding().as_deref(), Some("hex"));
        let built = UserToUser::hex(&octets).with_purpose("foo").with_content("bar");
        assert_eq!(written(&built), text.replace("56a390f3d2b7310023a2", "56A390F3D2B7310023A2"));
        assert_eq!(built.octets(), header.octets());
    }

    #[test]
    fn quotes_are_no_part_of_the_data() {
        assert_eq!(read_strictly::<UserToUser>("\"56a3\""), read_strictly::<UserToUser>("56a3"));
        let header: UserToUser = same("\"two words, \\\"one\\\" list\";purpose=x");
        assert_eq!((&*header.data, header.octets()), ("two words, \"one\" list", None));
        assert_eq!(written(&UserToUser::new("")), "\"\"");
        assert_eq!(UserToUser::new("abc").octets(), None);
        assert_eq!(UserToUser::new("+1").octets(), None);
    }

    #[test]
    fn broken_data_is_refused() {
        refused::<UserToUser>("", 0);
        refused::<UserToUser>(";encoding=hex", 0);
        refused::<UserToUser>("a b", 2);
        refused::<UserToUser>("a;purpose=b;purpose=c", 12);
        refused::<UserToUser>("\"a", 2);
    }
}
