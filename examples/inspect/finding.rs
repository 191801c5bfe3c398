//! What was found in the input.

use crate::{
    escape,
    fault::Fault,
    node::Node,
    tree::{Row, Tree},
};

/// The same thing twice, for people and for programs, and the verdict.
#[derive(Debug)]
pub(crate) struct Finding {
    /// One tree for each message or packet.
    pub(crate) trees: Vec<Tree>,
    pub(crate) node: Node,
    pub(crate) valid: bool,
}

impl Finding {
    pub(crate) fn new(title: String, rows: Vec<Row>, node: Node, valid: bool) -> Self {
        Self { trees: vec![Tree { title, rows }], node, valid }
    }

    /// The trees, one below the other.
    pub(crate) fn text(&self) -> String {
        let trees: Vec<_> = self.trees.iter().map(ToString::to_string).collect();
        trees.join("\n")
    }

    /// The same as JSON text.
    pub(crate) fn json(&self) -> Result<String, String> {
        let json = serde_json::to_string_pretty(&self.node).map_err(|error| error.to_string())?;
        Ok(escape::json(&format!("{json}\n")))
    }

    /// Input that cannot be read; `rows` show the place of the fault.
    pub(crate) fn refused(kind: &str, length: usize, fault: &Fault, rows: Vec<Row>) -> Self {
        let title = format!("no {kind}  ({})", count(length, "byte"));
        Self::new(title, rows, Node::map([("error", fault.node())]), false)
    }
}

/// `, 2 errors`, as the end of a title; nothing if there are none.
pub(crate) fn errors(number: usize) -> String {
    if number == 0 { String::new() } else { format!(", {}", count(number, "error")) }
}

/// `1 byte`, `2 bytes`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}
