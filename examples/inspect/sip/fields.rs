//! The header fields of a message, each read by its type.

use offhook::sip_message::{HeaderField, Headers, ParseError};

use crate::{fault::Fault, node::Node, tree::Row, typed};

/// What the header fields hold. One that cannot be read does not spoil the others.
pub(crate) struct Fields {
    /// Name and value of each, as they came.
    pub(crate) headers: Node,
    /// By name in snake case.
    pub(crate) typed: Vec<(String, Node)>,
    pub(crate) faults: Vec<Fault>,
    rows: Vec<FieldRow>,
}

struct FieldRow {
    offset: usize,
    name: String,
    value: String,
    /// What the value holds, element by element.
    parts: Vec<Node>,
}

impl Fields {
    /// Reads all fields of a message that begins at byte `base`.
    pub(crate) fn of(headers: &Headers, base: usize) -> Self {
        let mut fields = Self { headers: Node::Null, typed: vec![], faults: vec![], rows: vec![] };
        for field in headers.fields() {
            fields.read(&field, base);
        }
        fields.headers = fields.rows.iter().map(FieldRow::node).collect();
        fields
    }

    /// Keeps what is wrong, once.
    pub(crate) fn fault(&mut self, error: &ParseError, base: usize) {
        let fault = Fault::of_sip(error, base);
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Keeps why the message as a whole must not be acted upon.
    pub(crate) fn verdict(&mut self, error: Option<ParseError>, base: usize) {
        error.iter().for_each(|error| self.fault(error, base));
    }

    /// The faults in the order of their places.
    pub(crate) fn sorted_faults(&mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.offset);
        self.faults.clone()
    }

    /// The rows of the tree, and the faults among them.
    pub(crate) fn rows(&self, input: &[u8], end: usize) -> Vec<Row> {
        let starts = self.rows.iter().map(|row| row.offset).chain([end]);
        let mut rows = Vec::new();
        let mut faults = self.faults.iter().peekable();
        let mut below = |limit: usize, depth: usize, rows: &mut Vec<Row>| {
            while let Some(fault) = faults.next_if(|fault| fault.offset < limit) {
                rows.push(Row::fault(depth, fault, input));
            }
        };
        below(self.rows.first().map_or(end, |row| row.offset), 1, &mut rows);
        for (row, next) in self.rows.iter().zip(starts.skip(1)) {
            rows.push(Row::at(row.offset, 0, &row.name, &row.value));
            rows.extend(row.parts());
            below(next, 1, &mut rows);
        }
        rows
    }

    fn read(&mut self, field: &HeaderField<'_>, base: usize) {
        let mut parts = Vec::new();
        match typed::of(&field.name()) {
            Some(header) => {
                let mut values = Vec::new();
                for value in header.read(field) {
                    match value {
                        Ok(value) => values.push(value),
                        Err(error) => self.fault(&error, base),
                    }
                }
                parts = values.clone();
                self.keep(header, values);
            }
            None => self.verdict(field.text().err(), base),
        }
        let value = field.text().map(String::from);
        self.rows.push(FieldRow {
            offset: base + field.offset(),
            name: field.name_as_written().to_owned(),
            value: value.unwrap_or_else(|_| String::from_utf8_lossy(field.raw()).into_owned()),
            parts,
        });
    }

    /// Of a field that is no list the first row counts.
    fn keep(&mut self, header: &typed::Typed, values: Vec<Node>) {
        let key = header.key();
        let known = self.typed.iter_mut().find(|(own, _)| *own == key).map(|(_, value)| value);
        match (known, header.is_list) {
            (Some(Node::List(list)), true) => list.extend(values),
            (None, true) => self.typed.push((key, Node::List(values))),
            (None, false) => {
                self.typed.extend(values.into_iter().map(|value| (key.clone(), value)))
            }
            (Some(_), _) => {}
        }
    }
}

impl FieldRow {
    fn node(&self) -> Node {
        Node::map([("name", self.name.as_str().into()), ("value", self.value.as_str().into())])
    }

    /// Several values in one row are told apart by their number.
    fn parts(&self) -> Vec<Row> {
        let several = self.parts.iter().filter(|part| part.line().is_none()).count() > 1;
        let numbered = self.parts.iter().zip(1..).flat_map(|(part, number)| {
            let mut rows = vec![Row::part(1, &format!("[{number}]"), "")];
            rows.extend(Row::parts(2, part));
            rows
        });
        if several {
            return numbered.collect();
        }
        self.parts.iter().flat_map(|part| Row::parts(1, part)).collect()
    }
}
