//! Parameters with commas between them, written.

use super::super::shape::append;
use crate::{Parameters, Text, parse::write_quoted};

/// Writes parameters with commas between them.
pub(super) struct ParamWriter<'a> {
    out: &'a mut String,
    separator: &'static str,
}

impl<'a> ParamWriter<'a> {
    /// The first parameter comes directly behind `out`.
    pub(super) fn new(out: &'a mut String) -> Self {
        Self { out, separator: "" }
    }

    pub(super) fn quoted(&mut self, name: &str, text: &str) {
        self.name(name);
        write_quoted(text, self.out);
    }

    pub(super) fn quoted_if(&mut self, name: &str, text: Option<&Text>) {
        if let Some(text) = text {
            self.quoted(name, text);
        }
    }

    pub(super) fn plain(&mut self, name: &str, text: &str) {
        self.name(name);
        self.out.push_str(text);
    }

    pub(super) fn plain_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.plain(name, text);
        }
    }

    /// A flag is written when it is set; absent it is `false`.
    pub(super) fn flag(&mut self, name: &str, set: bool) {
        self.plain_if(name, set.then_some("true"));
    }

    pub(super) fn nonce_count(&mut self, count: Option<u32>) {
        if let Some(count) = count {
            self.name("nc");
            append(format_args!("{count:08x}"), self.out);
        }
    }

    pub(super) fn parameters(&mut self, parameters: &Parameters) {
        for (name, value) in parameters.iter() {
            self.plain(name, value.unwrap_or_default());
        }
    }

    /// More of the value that was written last.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A byte as `%` and two digits, behind the value that was written last.
    pub(super) fn hex(&mut self, byte: u8) {
        append(format_args!("%{byte:02X}"), self.out);
    }

    fn name(&mut self, name: &str) {
        self.out.push_str(self.separator);
        self.out.push_str(name);
        self.out.push('=');
        self.separator = ", ";
    }
}
