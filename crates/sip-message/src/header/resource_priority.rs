//! Who goes first: `Resource-Priority` and `Accept-Resource-Priority` (RFC 4412 §3).

use super::{Header, HeaderName};
use crate::{
    Text, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, take_class1},
};

macro_rules! resource_priorities {
    ($($(#[$doc:meta])* $header:ident $name:ident $may_be_empty:literal $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header {
            /// The namespace, such as `dsn`.
            pub namespace: Text,
            /// The priority within the namespace, such as `flash`.
            pub priority: Text,
        }

        impl $header {
            /// The priority `priority` of `namespace`.
            pub fn new(namespace: impl Into<Text>, priority: impl Into<Text>) -> Self {
                Self { namespace: namespace.into(), priority: priority.into() }
            }

            /// Whether this is the priority `priority` of `namespace`. Both have no case.
            pub fn is(&self, namespace: &str, priority: &str) -> bool {
                self.namespace.eq_ignore_ascii_case(namespace)
                    && self.priority.eq_ignore_ascii_case(priority)
            }
        }

        impl PartialEq for $header {
            fn eq(&self, other: &Self) -> bool {
                self.is(&other.namespace, &other.priority)
            }
        }

        impl Eq for $header {}

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;
            const MAY_BE_EMPTY: bool = $may_be_empty;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let (namespace, priority) = finish(value, $rfc, resource_value)?;
                Ok(Self::new(value.slice_ref(namespace), value.slice_ref(priority)))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.namespace);
                out.push('.');
                out.push_str(&self.priority);
            }
        }
    )*};
}

resource_priorities! {
    /// A priority that the sender asks for, RFC 4412 §3.1.
    ResourcePriority RESOURCE_PRIORITY false "RFC 4412 §3.1";
    /// A priority that the sender can give, RFC 4412 §3.2.
    AcceptResourcePriority ACCEPT_RESOURCE_PRIORITY true "RFC 4412 §3.2";
}

/// `namespace "." r-priority`: both are tokens without a dot.
fn resource_value(i: &str) -> Parsed<'_, (&str, &str)> {
    let (rest, text) = take_class1(i, Class::TOKEN, "a namespace")?;
    match text.split_once('.') {
        Some(("", _)) => Fault::error(i, "a namespace"),
        Some((namespace, priority)) if !priority.is_empty() && !priority.contains('.') => {
            Ok((rest, (namespace, priority)))
        }
        Some(_) | None => Fault::error(i, "a namespace, one dot and a priority"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn priorities_have_no_case() {
        let flash: ResourcePriority = same("dsn.flash");
        assert_eq!((&*flash.namespace, &*flash.priority), ("dsn", "flash"));
        assert_eq!(flash, ResourcePriority::new("DSN", "Flash"));
        assert_ne!(flash, ResourcePriority::new("dsn", "flash-override"));
        let accepted: AcceptResourcePriority = same("dsn.flash-override");
        assert!(accepted.is("dsn", "Flash-Override"));
    }

    #[test]
    fn broken_priorities_are_refused() {
        for text in ["", "dsn", "dsn.", ".flash", "a.b.c", "."] {
            refused::<ResourcePriority>(text, 0);
        }
        refused::<ResourcePriority>("dsn.flash;q=1", 9);
        refused::<ResourcePriority>("dsn.flash x", 10);
    }
}
