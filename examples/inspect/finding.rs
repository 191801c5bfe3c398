//! What was found in the input.

use crate::{
    fault::Fault,
    node::Node,
    tree::{Row, Tree},
};

/// The same thing twice, for people and for programs, and the verdict.
#[derive(Debug)]
pub(crate) struct Finding {
    /// One tree for each message or packet.
    pub(crate) trees: Vec<Tree>,
    pub(crate) json: Node,
    pub(crate) valid: bool,
}

impl Finding {
    pub(crate) fn new(title: String, rows: Vec<Row>, json: Node, valid: bool) -> Self {
        Self { trees: vec![Tree { title, rows }], json, valid }
    }

    /// Input that cannot be read at all; `row` shows the place of the fault.
    pub(crate) fn refused(kind: &str, length: usize, fault: &Fault, row: Row) -> Self {
        let title = format!("no {kind}  ({length} bytes)");
        Self::new(title, vec![row], Node::map([("error", fault.node())]), false)
    }
}

/// `2 errors`, as the end of a title.
pub(crate) fn errors(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 error".to_owned(),
        _ => format!(", {count} errors"),
    }
}
