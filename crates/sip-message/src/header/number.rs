//! Plain numbers and times in seconds (RFC 3261 §20.19, §20.22, §20.23, §20.33; RFC 3262 §7;
//! RFC 5393 §5.3.2; RFC 5626 §10).

use nom::{combinator::opt, sequence::preceded};

use super::{CSeq, Header, HeaderName, shape};
use crate::{
    Method, Parameters, Text, WireText,
    parse::{ParseError, Parsed, comment, expect, finish, lws, lws1, number, token, write_number},
    uri::header_parameters,
};

macro_rules! numbers {
    ($($(#[$doc:meta])* $header:ident $name:ident $number:ty, $rule:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $header(pub $number);

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                finish(value, $rfc, |i| $rule(value, i)).map(Self)
            }

            fn write(&self, out: &mut String) {
                write_number(self.0, out);
            }

            fn fits(&self) -> bool {
                true
            }
        }
    )*};
}

numbers! {
    /// How many more hops a request may take, RFC 3261 §20.22.
    MaxForwards MAX_FORWARDS u8, plain "RFC 3261 §20.22";
    /// After how many seconds the message or its content is out of date, RFC 3261 §20.19. The
    /// tolerant profile takes more than 2^32-1 seconds as so many.
    Expires EXPIRES u32, seconds "RFC 3261 §20.19";
    /// The shortest time in seconds that the registrar takes, RFC 3261 §20.23.
    MinExpires MIN_EXPIRES u32, seconds "RFC 3261 §20.23";
    /// The number of a reliable provisional response, RFC 3262 §7.1.
    RSeq RSEQ u32, plain "RFC 3262 §7.1";
    /// Into how many branches at once a request may still fork, RFC 5393 §5.3.2.
    MaxBreadth MAX_BREADTH u32, plain "RFC 5393 §5.4";
    /// After how many seconds without a message the server takes a flow for dead, RFC 5626 §10.
    FlowTimer FLOW_TIMER u32, seconds "RFC 5626 §10";
}

/// `1*DIGIT` within the range of `N`.
fn plain<'a, N: std::str::FromStr>(_: &WireText<'_>, i: &'a str) -> Parsed<'a, N> {
    number(i)
}

use shape::delta_seconds as seconds;

/// The reliable provisional response that a PRACK acknowledges, RFC 3262 §7.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RAck {
    /// The number in the `RSeq` of the response.
    pub response_num: u32,
    /// The number in the `CSeq` of the response.
    pub cseq_num: u32,
    /// The method in the `CSeq` of the response.
    pub method: Method,
}

impl RAck {
    /// Acknowledges the response with these two header fields.
    pub fn new(RSeq(response_num): RSeq, cseq: &CSeq) -> Self {
        Self { response_num, cseq_num: cseq.number, method: cseq.method.clone() }
    }

    /// Whether this acknowledges the response with these two header fields (RFC 3262 §3).
    pub fn acknowledges(&self, RSeq(response_num): RSeq, cseq: &CSeq) -> bool {
        (self.response_num, self.cseq_num) == (response_num, cseq.number)
            && self.method == cseq.method
    }
}

impl Header for RAck {
    const NAME: HeaderName = HeaderName::RACK;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (number, lws1, number, lws1, expect("a method", token));
        let (response_num, _, cseq_num, _, method) = finish(value, "RFC 3262 §7.2", rule)?;
        Ok(Self { response_num, cseq_num, method: Method::of(value, method)? })
    }

    fn write(&self, out: &mut String) {
        write_number(self.response_num, out);
        out.push(' ');
        write_number(self.cseq_num, out);
        out.push(' ');
        out.push_str(self.method.as_str());
    }

    fn fits(&self) -> bool {
        true
    }
}

/// When to try again, RFC 3261 §20.33.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryAfter {
    /// After how many seconds. The RFC has no bound; `u32::MAX` stands for all that is more.
    pub seconds: u32,
    /// A comment with its parentheses, as it was written.
    pub comment: Option<Text>,
    /// The parameters, such as `duration`.
    pub parameters: Parameters,
}

impl RetryAfter {
    /// After `seconds` seconds.
    pub fn new(seconds: u32) -> Self {
        Self { seconds, comment: None, parameters: Parameters::new() }
    }

    /// The same time with the comment `text`, which stands without parentheses.
    #[must_use]
    pub fn with_comment(self, text: &str) -> Self {
        let mut comment = String::from("(");
        for c in text.chars() {
            if matches!(c, '(' | ')' | '\\') {
                comment.push('\\');
            }
            comment.push(c);
        }
        comment.push(')');
        Self { comment: Some(comment.into()), ..self }
    }

    /// The same time, and that the callee can then be reached for `seconds` seconds.
    #[must_use]
    pub fn with_duration(mut self, seconds: u32) -> Self {
        self.parameters.set("duration", Some(seconds.to_string()));
        self
    }

    /// For how many seconds the callee can then be reached, if a sound number is given.
    pub fn duration(&self) -> Option<u32> {
        self.parameters.number("duration")
    }
}

impl Header for RetryAfter {
    const NAME: HeaderName = HeaderName::RETRY_AFTER;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let remark = opt(preceded(lws, comment));
        let rule = (shape::saturating_seconds, remark, |i| header_parameters(value, i));
        let (seconds, remark, parameters) = finish(value, "RFC 3261 §20.33", rule)?;
        let comment = remark.map(|text| value.slice_ref(text));
        Ok(Self { seconds: seconds.unwrap_or(u32::MAX), comment, parameters })
    }

    fn write(&self, out: &mut String) {
        write_number(self.seconds, out);
        if let Some(comment) = &self.comment {
            out.push(' ');
            out.push_str(comment);
        }
        self.parameters.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, reads, refused, same};
    use super::*;

    #[test]
    fn more_seconds_than_fit_are_as_many_as_fit() {
        assert_eq!(same::<Expires>("4294967295"), Expires(u32::MAX));
        assert_eq!(forgiven::<Expires>("4294967296", "4294967295"), Expires(u32::MAX));
        forgiven::<MinExpires>("99999999999999999999", "4294967295");
        forgiven::<FlowTimer>("4294967296", "4294967295");
        let retry: RetryAfter = reads("949302838503028349304023988", "4294967295");
        assert_eq!(retry.seconds, u32::MAX);
    }

    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        for text in ["", "-1", "+1", "Thu, 01 Dec 1994 16:00:00 GMT", "\"5\""] {
            refused::<Expires>(text, 0);
        }
        refused::<Expires>("3600;a=b", 4);
        refused::<Expires>("3600.5", 4);
        refused::<MaxBreadth>("4294967296", 0);
        refused::<MaxForwards>("256", 0);
    }

    #[test]
    fn a_prack_names_what_it_acknowledges() {
        let rack: RAck = reads("776656  1 INVITE", "776656 1 INVITE");
        let invite = CSeq { number: 1, method: Method::INVITE };
        assert_eq!(RAck::new(RSeq(776_656), &invite), rack);
        assert!(rack.acknowledges(RSeq(776_656), &invite));
        assert!(!rack.acknowledges(RSeq(1), &invite));
        assert!(!rack.acknowledges(RSeq(776_656), &CSeq { number: 2, ..invite }));
        refused::<RAck>("776656 INVITE", 7);
        refused::<RAck>("776656 1", 8);
        refused::<RAck>("1 4294967296 INVITE", 2);
    }

    #[test]
    fn a_time_to_try_again_has_a_comment_and_a_duration() {
        let retry: RetryAfter = same("120 (I'm in a meeting)");
        assert_eq!(RetryAfter::new(120).with_comment("I'm in a meeting"), retry);
        assert_eq!(same::<RetryAfter>("18000;duration=3600").duration(), Some(3600));
        let nasty = RetryAfter::new(1).with_comment(") (\\").with_duration(2);
        assert_eq!(same::<RetryAfter>("1 (\\) \\(\\\\);duration=2"), nasty);
        reads::<RetryAfter>("5(a (b) c) ; x", "5 (a (b) c);x");
        refused::<RetryAfter>("5 (a", 2);
        refused::<RetryAfter>("5 a", 2);
        refused::<RetryAfter>("5 (a) b", 6);
    }
}
