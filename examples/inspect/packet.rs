//! Fields of binary packets, each at its octet.

use crate::{escape, finding, node::Node, tree::Row};

/// One field of a header: where it stands, its name in JSON, its value, and how people see it.
pub(crate) struct Field {
    offset: usize,
    key: &'static str,
    value: Node,
    shown: Option<String>,
}

impl Field {
    pub(crate) fn new(offset: usize, key: &'static str, value: impl Into<Node>) -> Self {
        Self { offset, key, value: value.into(), shown: None }
    }

    /// A source identifier or another number that people know in hexadecimal digits.
    pub(crate) fn hex(offset: usize, key: &'static str, number: u32) -> Self {
        Self { shown: Some(format!("0x{number:08x}")), ..Self::new(offset, key, number) }
    }

    /// Octets whose meaning is not known here: hexadecimal digits in JSON.
    pub(crate) fn octets(offset: usize, key: &'static str, octets: &[u8]) -> Self {
        let shown =
            format!("{}  {}", finding::count(octets.len(), "byte"), escape::hex(octets, SHOWN));
        let value: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        Self { shown: Some(shown), ..Self::new(offset, key, value) }
    }

    /// The same field with another look for people.
    #[must_use]
    pub(crate) fn shown(self, shown: impl Into<String>) -> Self {
        Self { shown: Some(shown.into()), ..self }
    }

    pub(crate) fn row(&self, depth: usize) -> Row {
        let value = self.shown.clone().or_else(|| self.value.line()).unwrap_or_default();
        Row::at(self.offset, depth, &self.key.replace('_', " "), &value)
    }

    pub(crate) fn entry(&self) -> (String, Node) {
        (self.key.to_owned(), self.value.clone())
    }
}

/// The JSON of some fields.
pub(crate) fn node(fields: &[Field]) -> Node {
    Node::Map(fields.iter().map(Field::entry).collect())
}

/// Most octets of a payload that are shown.
const SHOWN: usize = 16;
