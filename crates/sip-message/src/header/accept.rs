//! Which bodies are welcome: `Accept` and `Accept-Encoding` (RFC 3261 §20.1, §20.2).

use super::{Header, HeaderName, MediaType, shape};
use crate::{Parameters, Text, WireText, parse::ParseError, uri::header_parameters};

/// A type of body that is welcome, RFC 3261 §20.1. A field without any value welcomes none.
#[derive(Clone, Debug, PartialEq)]
pub struct Accept(pub MediaType);

impl Header for Accept {
    const NAME: HeaderName = HeaderName::ACCEPT;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        MediaType::parse(value, "RFC 3261 §20.1", header_parameters).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

/// A content coding that is welcome, RFC 3261 §20.2. A field without any value welcomes none but
/// `identity`.
#[derive(Clone, Debug)]
pub struct AcceptEncoding {
    /// The coding, such as `gzip`; `*` stands for all.
    pub coding: Text,
    /// The parameters, such as `q`.
    pub parameters: Parameters,
}

impl AcceptEncoding {
    /// The coding `coding` without parameters.
    pub fn new(coding: impl Into<Text>) -> Self {
        Self { coding: coding.into(), parameters: Parameters::new() }
    }

    /// Whether `coding` is this one, or this one stands for all.
    pub fn covers(&self, coding: &str) -> bool {
        self.coding == "*" || self.coding.eq_ignore_ascii_case(coding)
    }
}

impl PartialEq for AcceptEncoding {
    fn eq(&self, other: &Self) -> bool {
        self.coding.eq_ignore_ascii_case(&other.coding) && self.parameters == other.parameters
    }
}

impl Header for AcceptEncoding {
    const NAME: HeaderName = HeaderName::ACCEPT_ENCODING;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (coding, parameters) = shape::token_and_parameters(value, "RFC 3261 §20.2")?;
        Ok(Self { coding, parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.coding);
        self.parameters.write(out);
    }
}

super::quality::qualities! { Accept 0 AcceptEncoding }

#[cfg(test)]
mod tests {
    use super::super::probe::{read, refused, same};
    use super::*;
    use crate::Quality;

    #[test]
    fn types_and_codings_have_a_preference() {
        let accept: Accept = same("application/sdp;level=1");
        assert_eq!(accept.q(), None);
        let half = Quality::new(500).unwrap();
        assert_eq!(accept.with_q(half), same("application/sdp;level=1;q=0.5"));
        assert!(same::<AcceptEncoding>("*;q=0").covers("gzip"));
        assert_eq!(AcceptEncoding::new("GZIP").with_q(half), same("gzip;q=0.5"));
    }

    #[test]
    fn a_preference_that_is_none_counts_as_absent() {
        for text in ["gzip;q=2", "gzip;q=.5", "gzip;q", "gzip;q=\"0.5\""] {
            assert_eq!(read::<AcceptEncoding>(text).q(), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_coding_is_refused() {
        refused::<AcceptEncoding>("", 0);
        refused::<AcceptEncoding>("gzip deflate", 5);
        refused::<Accept>("application;q=1", 11);
    }
}
