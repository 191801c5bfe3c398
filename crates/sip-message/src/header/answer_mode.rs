//! How a call is to be answered and a transfer to be reported: `Answer-Mode` and
//! `Priv-Answer-Mode` (RFC 5373 §4), `Refer-Sub` (RFC 4488 §4).

use super::{Header, HeaderName, open_token::open_tokens, shape};
use crate::{Parameters, WireText, parse::ParseError};

open_tokens! {
    /// Who or what answers a call, RFC 5373 §4. Other values must be ignored.
    AnswerModeValue {
        /// A person.
        Manual "Manual",
        /// The user agent, without waiting for a person.
        Auto "Auto",
    }
}

macro_rules! answer_modes {
    ($($(#[$doc:meta])* $header:ident $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $header {
            /// Who or what answers.
            pub mode: AnswerModeValue,
            /// The parameters, such as `require`.
            pub parameters: Parameters,
        }

        impl $header {
            /// The mode `mode`, which is only asked for.
            pub fn new(mode: AnswerModeValue) -> Self {
                Self { mode, parameters: Parameters::new() }
            }

            /// The same mode; the call is to be refused rather than answered otherwise.
            #[must_use]
            pub fn required(mut self) -> Self {
                self.parameters.set("require", None::<crate::Text>);
                self
            }

            /// Whether the call is to be refused rather than answered otherwise.
            pub fn is_required(&self) -> bool {
                self.parameters.contains("require")
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let (mode, parameters) = shape::token_and_parameters(value, "RFC 5373 §4")?;
                Ok(Self { mode: mode.into(), parameters })
            }

            fn write(&self, out: &mut String) {
                out.push_str(self.mode.as_str());
                self.parameters.write(out);
            }
        }
    )*};
}

answer_modes! {
    /// How a call is to be answered, or has been, RFC 5373 §4.
    AnswerMode ANSWER_MODE;
    /// How a call is to be answered whatever the callee prefers, RFC 5373 §4.
    PrivAnswerMode PRIV_ANSWER_MODE;
}

/// Whether a REFER starts a subscription, RFC 4488 §4.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferSub {
    /// Whether it does.
    pub subscribes: bool,
    /// The parameters. None is defined.
    pub parameters: Parameters,
}

impl ReferSub {
    /// Whether it does, without parameters.
    pub fn new(subscribes: bool) -> Self {
        Self { subscribes, parameters: Parameters::new() }
    }
}

impl Header for ReferSub {
    const NAME: HeaderName = HeaderName::REFER_SUB;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (text, parameters) = shape::token_and_parameters(value, "RFC 4488 §4")?;
        let subscribes = match &*text {
            yes if yes.eq_ignore_ascii_case("true") => true,
            no if no.eq_ignore_ascii_case("false") => false,
            _ => return Err(ParseError::new(0, "true or false", "RFC 4488 §4")),
        };
        Ok(Self { subscribes, parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(if self.subscribes { "true" } else { "false" });
        self.parameters.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, reads, refused, same};
    use super::*;

    #[test]
    fn a_mode_is_asked_for_or_required() {
        let auto: AnswerMode = same("Auto;require");
        assert!(auto.mode == AnswerModeValue::Auto && auto.is_required());
        assert_eq!(AnswerMode::new(AnswerModeValue::Auto).required(), auto);
        assert!(!reads::<AnswerMode>("manual", "Manual").is_required());
        assert_eq!(read::<PrivAnswerMode>("AUTO;Require").mode, AnswerModeValue::Auto);
        assert_eq!(same::<PrivAnswerMode>("later").mode, AnswerModeValue::Other("Later".into()));
        refused::<AnswerMode>("", 0);
        refused::<AnswerMode>("Auto require", 5);
    }

    #[test]
    fn a_refer_subscribes_or_does_not() {
        assert_eq!(same::<ReferSub>("false"), ReferSub::new(false));
        assert!(reads::<ReferSub>("TRUE;a=b", "true;a=b").subscribes);
        forgiven::<ReferSub>("false;", "false");
        refused::<ReferSub>("no", 0);
        refused::<ReferSub>("", 0);
    }
}
