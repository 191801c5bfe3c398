//! How much something is wanted: `qvalue` (RFC 3261 §25.1).

use std::{fmt, str::FromStr};

use crate::{Parameters, parse::ParseError};

/// A preference from 0, unwanted, to 1, most wanted, in steps of a thousandth.
///
/// The default is 1, which is what a missing `q` stands for (RFC 2616 §14.1, RFC 3841 §7.2.4).
///
/// ```
/// use offhook_sip_message::{Accept, Quality};
///
/// let half: Quality = "0.5".parse()?;
/// let accept = Accept("application/*".parse()?).with_q(half);
/// assert_eq!(accept.q(), Quality::new(500));
/// assert!(half < Quality::default());
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(u16);

impl Quality {
    /// 1: most wanted.
    pub const MAX: Self = Self(1000);

    /// 0: unwanted.
    pub const ZERO: Self = Self(0);

    /// So many thousandths; `None` above 1000.
    pub const fn new(thousandths: u16) -> Option<Self> {
        if thousandths <= Self::MAX.0 { Some(Self(thousandths)) } else { None }
    }

    /// How many thousandths, 0 to 1000.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// The parameter `q`, if there is a sound one.
    pub(super) fn of(parameters: &Parameters) -> Option<Self> {
        parameters.value("q")?.parse().ok()
    }

    pub(super) fn set(self, parameters: &mut Parameters) {
        parameters.set("q", Some(self.to_string()));
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self::MAX
    }
}

impl FromStr for Quality {
    type Err = ParseError;

    /// `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let refuse = |at, expected| ParseError::new(at, expected, "RFC 3261 §25.1");
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let whole: u16 = match whole {
            "0" => 0,
            "1" => 1000,
            _ => return Err(refuse(0, "0 or 1")),
        };
        let mut part = 0_u16;
        let mut step = 100_u16;
        for (at, digit) in (2..).zip(decimals.chars()) {
            let digit = digit.to_digit(10).and_then(|digit| u16::try_from(digit).ok());
            let Some(digit) = digit.filter(|_| step > 0) else {
                return Err(refuse(at, "at most three decimals"));
            };
            part = part.saturating_add(digit.saturating_mul(step));
            step /= 10;
        }
        Self::new(whole.saturating_add(part)).ok_or_else(|| refuse(2, "a number of at most 1"))
    }
}

impl fmt::Display for Quality {
    /// The shortest form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            1000.. => f.write_str("1"),
            of if of.is_multiple_of(100) => write!(f, "0.{}", of / 100),
            of if of.is_multiple_of(10) => write!(f, "0.{:02}", of / 10),
            of => write!(f, "0.{of:03}"),
        }
    }
}

/// The accessors of header fields with the parameter `q` in `parameters`.
macro_rules! qualities {
    ($($header:ident $($inner:tt)?)*) => {$(
        impl $header {
            /// How much it is wanted, if `q` tells and is sound. Without `q` it is most wanted:
            /// `q().unwrap_or_default()`.
            pub fn q(&self) -> Option<super::Quality> {
                super::Quality::of(&self.$($inner.)?parameters)
            }

            /// The same value, wanted so much.
            #[must_use]
            pub fn with_q(mut self, q: super::Quality) -> Self {
                q.set(&mut self.$($inner.)?parameters);
                self
            }
        }
    )*};
}

pub(super) use qualities;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quality_reads_back_as_it_was_written() {
        for thousandths in 0..=1000 {
            let quality = Quality::new(thousandths).unwrap();
            let text = quality.to_string();
            assert_eq!(text.parse(), Ok(quality), "{text}");
            assert!(text.len() == 1 || !text.ends_with('0'), "{text} is not the shortest");
        }
        assert_eq!(Quality::new(1001), None);
    }

    #[test]
    fn a_quality_has_one_digit_and_at_most_three_decimals() {
        for (text, thousandths) in [("0.", 0), ("1.", 1000), ("1.000", 1000), ("0.070", 70)] {
            assert_eq!(text.parse::<Quality>().map(Quality::thousandths), Ok(thousandths));
        }
        for (text, offset) in [
            ("", 0),
            (".5", 0),
            ("2", 0),
            ("00", 0),
            ("-0", 0),
            ("0,5", 0),
            ("1.001", 2),
            ("0.5000", 5),
            ("0.5x", 3),
            ("0.é", 2),
        ] {
            let error = text.parse::<Quality>().unwrap_err();
            assert_eq!(error.offset(), offset, "{text}: {error}");
        }
    }
}
