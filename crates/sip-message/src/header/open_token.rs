//! Tokens of an open registry: the known ones have names, the others are kept as they came.

/// An enum of registered tokens and `Other`, compared without case (RFC 3261 §7.3.1).
macro_rules! open_tokens {
    ($($(#[$doc:meta])* $token:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub enum $token {
            $($(#[$variant_doc])* $variant,)*
            /// Any other token, as it was written.
            Other(crate::Text),
        }

        impl $token {
            /// The token as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl<T: Into<crate::Text>> std::convert::From<T> for $token {
            fn from(text: T) -> Self {
                let text = text.into();
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })*
                Self::Other(text)
            }
        }

        impl PartialEq for $token {
            fn eq(&self, other: &Self) -> bool {
                self.as_str().eq_ignore_ascii_case(other.as_str())
            }
        }

        impl Eq for $token {}

        impl std::hash::Hash for $token {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
            }
        }

        impl std::fmt::Display for $token {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}
pub(super) use open_tokens;
