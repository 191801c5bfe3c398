//! Another dialog, named by a third party: `Replaces` (RFC 3891 §6.1), `Join` (RFC 3911 §7.1) and
//! `Target-Dialog` (RFC 4538 §7).

use super::{CallId, Header, HeaderName, cseq::call_id, shape};
use crate::{Parameters, Text, WireText, parse::ParseError};

macro_rules! dialog_ids {
    ($($(#[$doc:meta])* $header:ident $name:ident $rfc:literal,
        $local:ident $local_name:literal $expect_local:literal,
        $remote:ident $remote_name:literal $expect_remote:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Call-ID and tags are there in every value that has been read.
        #[derive(Clone, Debug, PartialEq)]
        pub struct $header {
            call_id: CallId,
            parameters: Parameters,
        }

        impl $header {
            /// The dialog with this Call-ID, with the local and the remote tag of who gets the
            /// request. Tags must be tokens.
            pub fn new(
                call_id: CallId,
                $local: impl Into<Text>,
                $remote: impl Into<Text>,
            ) -> Self {
                let mut parameters = Parameters::new();
                parameters.set($local_name, Some($local));
                parameters.set($remote_name, Some($remote));
                Self { call_id, parameters }
            }

            /// The Call-ID of the dialog.
            pub fn call_id(&self) -> &CallId {
                &self.call_id
            }

            #[doc = concat!("`", $local_name, "`: the local tag of who gets the request.")]
            pub fn $local(&self) -> &str {
                self.parameters.value($local_name).unwrap_or_default()
            }

            #[doc = concat!("`", $remote_name, "`: the remote tag of who gets the request.")]
            pub fn $remote(&self) -> &str {
                self.parameters.value($remote_name).unwrap_or_default()
            }

            /// All parameters, the tags among them.
            pub fn parameters(&self) -> &Parameters {
                &self.parameters
            }

            /// The same dialog, and the parameter `name` with the wire text `value`.
            #[must_use]
            pub fn with_parameter(
                mut self,
                name: impl Into<Text>,
                value: Option<impl Into<Text>>,
            ) -> Self {
                self.parameters.set(name, value);
                self
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let (id, parameters) = shape::with_parameters(value, $rfc, call_id)?;
                for (name, expected) in
                    [($local_name, $expect_local), ($remote_name, $expect_remote)]
                {
                    if parameters.value(name).is_none() {
                        return Err(ParseError::new(value.len(), expected, $rfc));
                    }
                }
                Ok(Self { call_id: CallId(value.slice_ref(id)), parameters })
            }

            fn write(&self, out: &mut String) {
                self.call_id.write(out);
                self.parameters.write(out);
            }
        }
    )*};
}

dialog_ids! {
    /// The dialog that a new one replaces, RFC 3891 §6.1.
    Replaces REPLACES "RFC 3891 §6.1",
        to_tag "to-tag" "a to-tag", from_tag "from-tag" "a from-tag";
    /// The dialog that a new one joins, RFC 3911 §7.1.
    Join JOIN "RFC 3911 §7.1",
        to_tag "to-tag" "a to-tag", from_tag "from-tag" "a from-tag";
    /// The dialog whose knowledge authorizes a request, RFC 4538 §7.
    TargetDialog TARGET_DIALOG "RFC 4538 §7",
        local_tag "local-tag" "a local-tag", remote_tag "remote-tag" "a remote-tag";
}

impl Replaces {
    /// The same dialog, to be replaced only while it is early.
    #[must_use]
    pub fn early_only(self) -> Self {
        self.with_parameter("early-only", None::<Text>)
    }

    /// Whether the dialog is to be replaced only while it is early (RFC 3891 §3).
    pub fn is_early_only(&self) -> bool {
        self.parameters.contains("early-only")
    }
}

macro_rules! match_tags_of_old {
    ($($header:ident $rfc:literal)*) => {$(
        impl $header {
            /// Whether this is the dialog with this Call-ID and these tags of our side and of the
            /// other. A tag of `0` also stands for no tag, as peers of RFC 2543 have it
            #[doc = concat!("(", $rfc, ").")]
            pub fn matches(
                &self,
                call_id: &CallId,
                local_tag: Option<&str>,
                remote_tag: Option<&str>,
            ) -> bool {
                self.call_id == *call_id
                    && is_tag(self.to_tag(), local_tag)
                    && is_tag(self.from_tag(), remote_tag)
            }
        }
    )*};
}

match_tags_of_old! { Replaces "RFC 3891 §6.1" Join "RFC 3911 §7.1" }

impl TargetDialog {
    /// Whether this is the dialog with this Call-ID and these tags of our side and of the other
    /// (RFC 4538 §4).
    pub fn matches(&self, call_id: &CallId, local_tag: &str, remote_tag: &str) -> bool {
        self.call_id == *call_id && self.local_tag() == local_tag && self.remote_tag() == remote_tag
    }
}

fn is_tag(named: &str, of_dialog: Option<&str>) -> bool {
    of_dialog.map_or(named == "0", |tag| named == tag)
}

#[cfg(test)]
mod tests;
