//! How long a session lasts without a refresh: `Session-Expires` and `Min-SE` (RFC 4028 §4, §5).

use super::{Header, HeaderName, shape};
use crate::{
    Parameters, WireText,
    parse::{ParseError, write_number},
};

/// After how many seconds a session ends unless it is refreshed, RFC 4028 §4.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionExpires {
    /// The session interval, in seconds.
    pub seconds: u32,
    /// The parameters, such as `refresher`.
    pub parameters: Parameters,
}

/// Who refreshes a session: a side of the transaction that carries the header field, RFC 4028 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The side that has sent the request.
    Uac,
    /// The side that answers the request.
    Uas,
}

impl SessionExpires {
    /// An interval of `seconds` seconds.
    pub fn new(seconds: u32) -> Self {
        Self { seconds, parameters: Parameters::new() }
    }

    /// The same interval, refreshed by `refresher`.
    #[must_use]
    pub fn with_refresher(mut self, refresher: Refresher) -> Self {
        let token = match refresher {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        };
        self.parameters.set("refresher", Some(token));
        self
    }

    /// Who refreshes the session, if one of the two is named.
    pub fn refresher(&self) -> Option<Refresher> {
        match self.parameters.value("refresher")? {
            uac if uac.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            uas if uas.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        }
    }
}

impl Header for SessionExpires {
    const NAME: HeaderName = HeaderName::SESSION_EXPIRES;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (seconds, parameters) = shape::seconds_and_parameters(value, "RFC 4028 §4")?;
        Ok(Self { seconds, parameters })
    }

    fn write(&self, out: &mut String) {
        write_number(self.seconds, out);
        self.parameters.write(out);
    }

    fn fits(&self) -> bool {
        self.parameters.fit_header()
    }
}

/// The shortest session interval that is taken, in seconds, RFC 4028 §5. Without the field it is
/// 90 seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct MinSe {
    /// The interval, in seconds. Below 90 it must not be sent.
    pub seconds: u32,
    /// The parameters. None is defined.
    pub parameters: Parameters,
}

impl MinSe {
    /// An interval of `seconds` seconds.
    pub fn new(seconds: u32) -> Self {
        Self { seconds, parameters: Parameters::new() }
    }
}

impl Header for MinSe {
    const NAME: HeaderName = HeaderName::MIN_SE;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (seconds, parameters) = shape::seconds_and_parameters(value, "RFC 4028 §5")?;
        Ok(Self { seconds, parameters })
    }

    fn write(&self, out: &mut String) {
        write_number(self.seconds, out);
        self.parameters.write(out);
    }

    fn fits(&self) -> bool {
        self.parameters.fit_header()
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, reads, refused, same};
    use super::*;

    #[test]
    fn an_interval_names_its_refresher() {
        let interval: SessionExpires = same("4000;refresher=uac");
        assert_eq!(interval.refresher(), Some(Refresher::Uac));
        assert_eq!(SessionExpires::new(4000).with_refresher(Refresher::Uac), interval);
        let interval: SessionExpires = reads("1800 ; Refresher = UAS", "1800;Refresher=UAS");
        assert_eq!((interval.seconds, interval.refresher()), (1800, Some(Refresher::Uas)));
        assert_eq!(read::<SessionExpires>("90;refresher=proxy").refresher(), None);
        assert_eq!(same::<MinSe>("90;a=b").seconds, 90);
        assert_eq!(same::<MinSe>("3600"), MinSe::new(3600));
    }

    #[test]
    fn more_seconds_than_fit_are_as_many_as_fit() {
        assert_eq!(forgiven::<SessionExpires>("4294967296;a", "4294967295;a").seconds, u32::MAX);
        forgiven::<MinSe>("90;", "90");
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        refused::<SessionExpires>("", 0);
        refused::<SessionExpires>("refresher=uac", 0);
        refused::<SessionExpires>("90 refresher=uac", 3);
        refused::<MinSe>("90, 60", 2);
    }
}
