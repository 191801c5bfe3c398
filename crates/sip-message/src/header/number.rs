//! Plain numbers and times in seconds (RFC 3261 §20.19, §20.22, §20.23, §20.33; RFC 3262 §7.1).

use bytestring::ByteString;
use nom::{combinator::opt, sequence::preceded};

use super::{Header, HeaderName};
use crate::{
    Parameters, WireText,
    parse::{ParseError, comment, finish, lws, number},
    uri::header_parameters,
};

macro_rules! numbers {
    ($($(#[$doc:meta])* $header:ident $name:ident $number:ty, $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $header(pub $number);

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText) -> Result<Self, ParseError> {
                finish(value, $rfc, number).map(Self)
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0.to_string());
            }
        }
    )*};
}

numbers! {
    /// How many more hops a request may take, RFC 3261 §20.22.
    MaxForwards MAX_FORWARDS u8, "RFC 3261 §20.22";
    /// After how many seconds the message or its content is out of date, RFC 3261 §20.19.
    Expires EXPIRES u32, "RFC 3261 §20.19";
    /// The shortest time in seconds that the registrar takes, RFC 3261 §20.23.
    MinExpires MIN_EXPIRES u32, "RFC 3261 §20.23";
    /// The number of a reliable provisional response, RFC 3262 §7.1.
    RSeq RSEQ u32, "RFC 3262 §7.1";
}

/// When to try again, RFC 3261 §20.33.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryAfter {
    /// After how many seconds.
    pub seconds: u32,
    /// A comment with its parentheses, as it was written.
    pub comment: Option<ByteString>,
    /// The parameters, such as `duration`.
    pub parameters: Parameters,
}

impl RetryAfter {
    /// After `seconds` seconds.
    pub fn new(seconds: u32) -> Self {
        Self { seconds, comment: None, parameters: Parameters::new() }
    }
}

impl Header for RetryAfter {
    const NAME: HeaderName = HeaderName::RETRY_AFTER;
    const IS_LIST: bool = false;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let remark = opt(preceded(lws, comment));
        let rule = (number, remark, |i| header_parameters(value, i));
        let (seconds, remark, parameters) = finish(value, "RFC 3261 §20.33", rule)?;
        let comment = remark.map(|text| value.slice_ref(text));
        Ok(Self { seconds, comment, parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.seconds.to_string());
        if let Some(comment) = &self.comment {
            out.push_str(&format!(" {comment}"));
        }
        self.parameters.write(out);
    }
}
