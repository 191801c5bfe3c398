//! Values whose every text is known to fit its place, so that what is written is read back as it
//! was meant (RFC 3261 §25.1). A refusal here means nothing: only a parser knows the whole grammar.

use smallvec::SmallVec;

use super::{Host, Parameters, SipUri, Uri};
use crate::parse::Class;

impl Uri {
    /// Whether the URI is surely read back as it is.
    pub(crate) fn fits(&self) -> bool {
        match self {
            Self::Sip(uri) => uri.fits(),
            Self::Tel(_) | Self::Absolute(_) => false,
        }
    }
}

impl SipUri {
    fn fits(&self) -> bool {
        let user = match (&self.user, &self.password) {
            (Some(user), None) => is(user, Class::USER),
            (user, password) => user.is_none() && password.is_none(),
        };
        user && self.host.fits()
            && self.parameters.fit(Class::PARAM, Class::PARAM)
            && self.headers.is_none()
    }
}

impl Host {
    /// Whether the host is surely read back as it is.
    pub(crate) fn fits(&self) -> bool {
        match self {
            Self::Name(name) => is_plain_name(name),
            Self::V4(_) | Self::V6(_) => true,
        }
    }
}

impl Parameters {
    /// Whether the parameters of a header field are surely read back as they are.
    pub(crate) fn fit_header(&self) -> bool {
        self.fit(Class::TOKEN, Class::GEN_VALUE)
    }

    fn fit(&self, names: Class, values: Class) -> bool {
        let mut before = SmallVec::<[&str; FEW]>::new();
        self.iter().all(|(name, value)| {
            let is_new = !before.iter().any(|own| own.eq_ignore_ascii_case(name));
            before.push(name);
            is_new
                && before.len() <= FEW
                && is(name, names)
                && value.is_none_or(|value| is(value, values))
        })
    }
}

/// Labels of letters, digits and hyphens, each with a letter first.
fn is_plain_name(name: &str) -> bool {
    let mut previous = b'.';
    let fits = |byte: u8| {
        let before = std::mem::replace(&mut previous, byte);
        match before {
            b'.' => byte.is_ascii_alphabetic(),
            b'-' => byte.is_ascii_alphanumeric() || byte == b'-',
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'),
        }
    };
    name.bytes().all(fits) && !matches!(previous, b'.' | b'-')
}

/// Whether `text` is one byte of `class` or more.
fn is(text: &str, class: Class) -> bool {
    !text.is_empty() && class.covers(text)
}

/// Each name is held against all before it, so these must be few.
const FEW: usize = 8;
