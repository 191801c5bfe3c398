//! Values whose every text is known to fit its place, so that what is written is read back as it
//! was meant (RFC 3261 §25.1). A refusal here means nothing: only a parser knows the whole grammar.

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

    /// No name is there twice: [`Parameters`] see to that.
    fn fit(&self, names: Class, values: Class) -> bool {
        self.iter().enumerate().all(|(at, (name, value))| {
            at < FEW && is(name, names) && value.is_none_or(|value| is(value, values))
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

/// Far below the number that a parser takes.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{CallId, Header, Supported, Via};

    fn is_read_back<H: Header + std::fmt::Debug>(value: &H) {
        let mut text = String::new();
        value.write(&mut text);
        if value.fits() {
            assert_eq!(H::parse(&text.as_str().into()).as_ref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_users_write_fits() {
        for uri in
            ["sip:bob@biloxi.com", "sips:+1-2@a-b.example:5061;lr;transport=tcp", "sip:[::1]"]
        {
            assert!(uri.parse::<Uri>().unwrap().fits(), "{uri}");
        }
        for odd in ["sip:a%20b@h.example", "sip:h.example?x=y", "sip:1.example", "tel:+1"] {
            assert!(!odd.parse::<Uri>().unwrap().fits(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_fits_is_read_back_as_it_is(
            host in "[0-9a-b.:_-]{1,6}|[!-~]{0,3}",
            text in "[!-~]{0,4}|[a-z0-9]{1,4}",
            value in "[!-~ ]{0,3}",
        ) {
            let mut uri = SipUri::new(Host::Name(host.as_str().into()));
            uri.user = Some(text.as_str().into());
            uri.parameters.set(value.as_str(), Some(text.as_str()));
            if uri.fits() {
                prop_assert_eq!(uri.to_string().parse::<Uri>(), Ok(Uri::Sip(uri)));
            }
            let mut via = Via::new(text.as_str(), Host::Name(host.as_str().into()), Some(1));
            via.parameters.set(text.as_str(), Some(value.as_str()));
            is_read_back(&via);
            is_read_back(&CallId(format!("{text}{value}").into()));
            is_read_back(&Supported(text.into()));
        }
    }
}
