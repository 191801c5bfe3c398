//! Domain names as DNS compares them (RFC 1035 §3.1, RFC 4343).

use std::{fmt, str::FromStr, sync::Arc};

/// A domain name: lower case, without its final dot. The empty one is the root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Arc<str>);

impl DnsName {
    /// The name as text; the root is `.`.
    pub fn as_str(&self) -> &str {
        if self.is_root() { "." } else { &self.0 }
    }

    /// Whether this is the root, which as a target of SRV says that there is no such service
    /// (RFC 2782).
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name with `labels` in front; `None` if that is too long for a name.
    pub(super) fn below(&self, labels: &str) -> Option<Self> {
        format!("{labels}.{}", self.0).parse().ok()
    }
}

impl FromStr for DnsName {
    type Err = InvalidName;

    /// Reads a name of ASCII labels; those of other scripts come as A-labels.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() && text == "." {
            return Ok(Self(Arc::default()));
        }
        if name.len() > MAX_NAME {
            return Err(InvalidName { expected: "at most 253 bytes" });
        }
        if !name.split('.').all(|label| (1..=MAX_LABEL).contains(&label.len())) {
            return Err(InvalidName { expected: "labels of 1 to 63 bytes" });
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidName { expected: "printable ASCII" });
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// A text that is not a [`DnsName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a domain name: expected {expected} (RFC 1035 §2.3.4)")]
pub struct InvalidName {
    expected: &'static str,
}

/// The 255 octets of RFC 1035 §2.3.4, less the length of the first label and the root.
const MAX_NAME: usize = 253;
/// RFC 1035 §2.3.4.
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_final_dot() {
        let name: DnsName = "Example.COM.".parse().unwrap();
        assert_eq!(name, "example.com".parse().unwrap());
        assert_eq!(name.as_str(), "example.com");
        let root: DnsName = ".".parse().unwrap();
        assert!(root.is_root() && !name.is_root());
        assert_eq!(root.to_string(), ".");
    }

    #[test]
    fn every_prefix_of_a_name_is_one_or_is_refused_and_names_are_written_as_they_are_read() {
        let long = ["a".repeat(63), "B".repeat(63), "_x".repeat(31), "d".repeat(61)].join(".");
        for text in ["_sips._tcp.Example.com.", &long] {
            for length in 0..=text.len() {
                let Ok(name) = text[..length].parse::<DnsName>() else { continue };
                assert_eq!(name.as_str().parse(), Ok(name.clone()));
                assert!(name.as_str().len() <= 253);
            }
            assert!(text.parse::<DnsName>().is_ok());
        }
    }

    #[test]
    fn what_dns_cannot_carry_is_no_name() {
        let long_label = "a".repeat(64);
        let long_name = ["a".repeat(63).as_str(); 4].join(".");
        for text in ["", "..", "a..b", ".a", "a b", "bücher.example", &long_label, &long_name] {
            assert!(text.parse::<DnsName>().is_err(), "{text}");
        }
        assert!("a".repeat(63).parse::<DnsName>().is_ok());
        let almost: DnsName = long_name[..250].parse().unwrap();
        assert_eq!(almost.below("_sip._udp"), None);
    }
}
