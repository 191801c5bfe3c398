//! Info packages: `Info-Package` and `Recv-Info` (RFC 6086 §7.2, §9.2).

use super::{Header, HeaderName, shape};
use crate::{Parameters, Text, WireText, parse::ParseError};

macro_rules! info_packages {
    ($($(#[$doc:meta])* $header:ident $name:ident $is_list:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header {
            /// The name of the package. It has case.
            pub package: Text,
            /// The parameters that the package defines.
            pub parameters: Parameters,
        }

        impl $header {
            /// The package `package` without parameters.
            pub fn new(package: impl Into<Text>) -> Self {
                Self { package: package.into(), parameters: Parameters::new() }
            }

            /// Whether this is the package `package`, octet by octet, whatever its parameters
            /// (RFC 6086 §7.2).
            pub fn is(&self, package: &str) -> bool {
                self.package == package
            }
        }

        impl PartialEq for $header {
            fn eq(&self, other: &Self) -> bool {
                self.is(&other.package) && self.parameters == other.parameters
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = $is_list;
            const MAY_BE_EMPTY: bool = $is_list;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let (package, parameters) = shape::token_and_parameters(value, "RFC 6086 §9.2")?;
                Ok(Self { package, parameters })
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.package);
                self.parameters.write(out);
            }
        }
    )*};
}

info_packages! {
    /// The package of the body of an INFO request, RFC 6086 §7.2.
    InfoPackage INFO_PACKAGE false;
    /// A package that the sender takes in INFO requests, RFC 6086 §7.2. A field without any value
    /// tells that it takes none.
    RecvInfo RECV_INFO true;
}

#[cfg(test)]
mod tests {
    use super::super::probe::{refused, same};
    use super::*;

    #[test]
    fn packages_have_case() {
        let package: InfoPackage = same("foo;a=b");
        assert!(package.is("foo") && !package.is("Foo"));
        assert_ne!(same::<RecvInfo>("P"), RecvInfo::new("p"));
        assert_ne!(same::<RecvInfo>("P;a"), RecvInfo::new("P"));
    }

    #[test]
    fn what_is_no_package_is_refused() {
        refused::<InfoPackage>("", 0);
        refused::<InfoPackage>("foo, bar", 3);
        refused::<RecvInfo>("foo bar", 4);
    }
}
