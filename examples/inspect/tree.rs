//! The tree for people: byte offsets on the left, what stands there on the right.

use std::fmt::{self, Write};

use crate::{escape, fault::Fault, node::Node};

/// One message or packet.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// A line of the tree.
#[derive(Debug)]
pub(crate) struct Row {
    offset: Option<usize>,
    depth: usize,
    label: String,
    /// The value. A fault has two lines, all else has one.
    lines: Vec<String>,
}

impl Row {
    /// What stands at byte `offset`.
    pub(crate) fn at(offset: usize, depth: usize, label: &str, value: &str) -> Self {
        Self { offset: Some(offset), ..Self::part(depth, label, value) }
    }

    /// A part of the row above.
    pub(crate) fn part(depth: usize, label: &str, value: &str) -> Self {
        let lines = vec![escape::visible(value)];
        Self { offset: None, depth, label: escape::visible(label), lines }
    }

    /// The same row within another one.
    #[must_use]
    pub(crate) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// What is wrong with the row above, in text.
    pub(crate) fn fault(depth: usize, fault: &Fault, input: &[u8]) -> Self {
        let lines = fault.caret(input).into();
        Self { offset: None, depth, label: "error".to_owned(), lines }
    }

    /// What is wrong in a packet.
    pub(crate) fn octet_fault(fault: &Fault, input: &[u8]) -> Self {
        let lines = fault.octets(input).into();
        Self { offset: None, depth: 0, label: "error".to_owned(), lines }
    }

    /// The parts of a value, as the rows below its own. A value that is one line has none.
    pub(crate) fn parts(depth: usize, node: &Node) -> Vec<Self> {
        match node {
            Node::Map(entries) => {
                // The row above shows the text of a URI, which begins with the scheme.
                let said = |key: &str| node.is_uri() && matches!(key, "text" | "scheme");
                let entries = entries.iter().filter(|(key, _)| !said(key));
                entries.flat_map(|(key, value)| Self::entry(depth, key, value)).collect()
            }
            Node::Null | Node::Flag(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => vec![],
        }
    }

    fn entry(depth: usize, key: &str, value: &Node) -> Vec<Self> {
        let label = key.replace('_', " ");
        match value {
            Node::Map(entries) if key == "parameters" => {
                entries.iter().map(|(name, value)| Self::parameter(depth, name, value)).collect()
            }
            Node::Map(_) => {
                let text = value.get("text").filter(|_| value.is_uri());
                let text = text.and_then(Node::line).unwrap_or_default();
                let mut rows = vec![Self::part(depth, &label, &text)];
                rows.extend(Self::parts(depth + 1, value));
                rows
            }
            Node::List(list) if value.line().is_none() => {
                list.iter().flat_map(|element| Self::entry(depth, key, element)).collect()
            }
            Node::List(list) if list.is_empty() => vec![],
            _ => value.line().map(|line| Self::part(depth, &label, &line)).into_iter().collect(),
        }
    }

    fn parameter(depth: usize, name: &str, value: &Node) -> Self {
        let value = if *value == Node::Flag(true) { None } else { value.line() };
        Self::part(depth, &format!(";{name}"), &value.unwrap_or_default())
    }

    fn label_width(&self) -> usize {
        INDENT * self.depth + self.label.chars().count()
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", escape::visible(&self.title))?;
        let last = self.rows.iter().filter_map(|row| row.offset).max().unwrap_or_default();
        let margin = last.to_string().len().max(LEAST_MARGIN);
        let labels = self.rows.iter().map(Row::label_width).filter(|width| *width <= WIDEST_LABEL);
        let width = labels.max().unwrap_or_default();
        for row in &self.rows {
            let offset = row.offset.map_or(String::new(), |offset| offset.to_string());
            let label = format!("{:indent$}{}", "", row.label, indent = INDENT * row.depth);
            let mut line = format!("{offset:>margin$}  {label:width$}");
            let column = line.chars().count() + 2;
            for (number, text) in row.lines.iter().enumerate() {
                let gap = if number == 0 { 2 } else { column };
                write!(line, "{:gap$}{text}", "")?;
                writeln!(f, "{}", line.trim_end())?;
                line.clear();
            }
        }
        Ok(())
    }
}

const INDENT: usize = 2;
/// The least width of the column of offsets.
const LEAST_MARGIN: usize = 4;
/// Longer labels push their value to the right instead of all others.
const WIDEST_LABEL: usize = 24;
