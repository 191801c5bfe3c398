//! The header fields of a message, each read by its type.

use std::ops::Range;

use offhook::sip_message::{HeaderField, HeaderName, Headers};

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
    header: HeaderName,
    /// The name as it was written.
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

    /// Keeps what is wrong, once, in the order of the places.
    pub(crate) fn keep_fault(&mut self, fault: Fault) {
        let place = self.faults.partition_point(|other| other.offset < fault.offset);
        let mut beside = self.faults.iter().skip(place).take_while(|it| it.offset == fault.offset);
        if !beside.any(|other| *other == fault) {
            self.faults.insert(place, fault);
        }
    }

    /// The rows of the tree, and below each the faults up to the next one; the last row ends at
    /// byte `end`.
    pub(crate) fn rows(&self, input: &[u8], end: usize) -> Vec<Row> {
        let start = self.rows.first().map_or(end, |row| row.offset);
        let ends = self.rows.iter().skip(1).map(|row| row.offset).chain([end]);
        let mut rows: Vec<_> =
            self.faults_in(0..start).map(|fault| Row::fault(1, fault, input)).collect();
        for (row, end) in self.rows.iter().zip(ends) {
            rows.push(Row::at(row.offset, 0, &row.name, &row.value));
            rows.extend(row.parts());
            let faults = self.faults_in(row.offset..end);
            rows.extend(faults.map(|fault| Row::fault(row.depth_of(fault), fault, input)));
        }
        rows
    }

    fn faults_in(&self, place: Range<usize>) -> impl Iterator<Item = &Fault> {
        let first = self.faults.partition_point(|fault| fault.offset < place.start);
        self.faults.iter().skip(first).take_while(move |fault| fault.offset < place.end)
    }

    fn read(&mut self, field: &HeaderField<'_>, base: usize) {
        let mut parts = Vec::new();
        match typed::of(&field.name()) {
            Some(header) => {
                let mut values = Vec::new();
                for value in header.read(field) {
                    match value {
                        Ok(value) => values.push(value),
                        Err(error) => self.keep_fault(Fault::of_sip(&error, base)),
                    }
                }
                parts = values.clone();
                self.keep(header, values);
            }
            None => {
                let error = field.text().err();
                error.iter().for_each(|error| self.keep_fault(Fault::of_sip(error, base)));
            }
        }
        let value = field.text().map(String::from);
        self.rows.push(FieldRow {
            offset: base + field.offset(),
            header: field.name(),
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
                self.typed.extend(values.into_iter().map(|value| (key.clone(), value)));
            }
            (Some(_), _) => {}
        }
    }
}

impl FieldRow {
    fn node(&self) -> Node {
        Node::map([("name", self.name.as_str().into()), ("value", self.value.as_str().into())])
    }

    /// A fault of another header field is that it is missing: it is no part of this one.
    fn depth_of(&self, fault: &Fault) -> usize {
        let own = fault.header.as_deref().is_none_or(|name| self.header.is(name.as_bytes()));
        usize::from(own)
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
