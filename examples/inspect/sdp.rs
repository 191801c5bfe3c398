//! A session description: its lines, and its streams (RFC 8866 §5).

use bytes::Bytes;
use offhook::sdp::{
    Connection, Field, Line, MediaDescription, MediaLine, Origin, SessionDescription,
};

use crate::{fault::Fault, finding::Finding, node::Node, tree::Row};

/// Looks at a session description.
pub(crate) fn inspect(input: &Bytes) -> Finding {
    let length = input.len();
    match read(input, 0) {
        Ok((rows, json)) => {
            let title = format!("session description  ({length} bytes)");
            Finding::new(title, rows, json, true)
        }
        Err(fault) => {
            let row = Row::fault(0, &fault, input);
            Finding::refused("session description", length, &fault, vec![row])
        }
    }
}

/// The rows and the JSON of a description that begins at byte `base`.
pub(crate) fn read(text: &[u8], base: usize) -> Result<(Vec<Row>, Node), Fault> {
    let session =
        SessionDescription::parse(text).map_err(|error| Fault::of_sdp(&error, text, base))?;
    let (mut at, mut rows) = (base, Vec::new());
    let mut lines = |lines: &[Line], depth: usize| {
        for line in lines {
            rows.extend(line_rows(line, at, depth));
            at += line.as_bytes().len();
        }
    };
    lines(session.lines(), 0);
    for media in &session.media {
        let (first, others) = media.lines().split_at(1);
        lines(first, 0);
        lines(others, 1);
    }
    Ok((rows, session_node(&session)))
}

fn line_rows(line: &Line, at: usize, depth: usize) -> Vec<Row> {
    let text = text(line);
    let (letter, value) = text.split_once('=').unwrap_or((&text, ""));
    let parts = match line.field() {
        Field::Origin(origin) => origin_node(origin),
        Field::Connection(connection) => connection_node(connection),
        Field::Media(media) => media_node(media),
        Field::Attribute(_) => {
            let (name, value) = value.split_once(':').unwrap_or((value, ""));
            return vec![Row::at(at, depth, &format!("a={name}"), value)];
        }
        Field::Blank => return vec![],
        Field::Other { .. } => Node::Null,
    };
    let mut rows = vec![Row::at(at, depth, letter, value)];
    rows.extend(Row::parts(depth + 1, &parts));
    rows
}

fn session_node(session: &SessionDescription) -> Node {
    Node::map([
        ("kind", "sdp".into()),
        ("version", 0_u8.into()),
        ("origin", origin_node(session.origin())),
        ("session_name", values(session.lines(), b's').next().into()),
        ("connection", session.connection().map(connection_node).into()),
        ("times", values(session.lines(), b't').collect()),
        ("direction", session.direction().map(|it| it.to_string()).into()),
        ("attributes", attributes(session.lines())),
        ("lines", lines(session.lines())),
        ("media", session.media.iter().map(stream_node).collect()),
    ])
}

fn stream_node(stream: &MediaDescription) -> Node {
    media_node(stream.media())
        .with("connection", stream.connection().map(connection_node).into())
        .with("direction", stream.direction().map(|it| it.to_string()).into())
        .with("attributes", attributes(stream.lines()))
        .with("lines", lines(stream.lines()))
}

fn origin_node(origin: &Origin) -> Node {
    let text = |text: &str| Node::from(text);
    Node::map([
        ("username", text(&origin.username)),
        ("session_id", text(&origin.session_id)),
        ("session_version", text(&origin.session_version)),
        ("network_type", text(&origin.network_type)),
        ("address_type", text(&origin.address_type)),
        ("address", text(&origin.address)),
    ])
}

fn connection_node(connection: &Connection) -> Node {
    Node::map([
        ("network_type", connection.network_type.to_string().into()),
        ("address_type", connection.address_type.to_string().into()),
        ("address", connection.address.to_string().into()),
        ("range", connection.range.as_ref().map(ToString::to_string).into()),
    ])
}

fn media_node(media: &MediaLine) -> Node {
    Node::map([
        ("media", media.media.to_string().into()),
        ("port", media.port.into()),
        ("ports", media.ports.map(std::num::NonZeroU32::get).into()),
        ("protocol", media.protocol.to_string().into()),
        ("formats", media.formats.iter().map(ToString::to_string).collect()),
    ])
}

/// The attributes of a section, as written; the value of a flag is null.
fn attributes(lines: &[Line]) -> Node {
    let node = |value: String| match value.split_once(':') {
        Some((name, value)) => Node::map([("name", name.into()), ("value", value.into())]),
        None => Node::map([("name", value.into()), ("value", Node::Null)]),
    };
    values(lines, b'a').map(node).collect()
}

/// The lines of a section that have no place of their own, as written.
fn lines(lines: &[Line]) -> Node {
    let others = lines.iter().filter(|line| match line.field() {
        Field::Other { letter, .. } => !matches!(letter, b'v' | b's' | b't'),
        _ => false,
    });
    let node = |text: String| {
        let (letter, value) = text.split_once('=').unwrap_or((&text, ""));
        Node::map([("type", letter.into()), ("value", value.into())])
    };
    others.map(|line| node(text(line))).collect()
}

/// The values of the lines `letter=…`.
fn values(lines: &[Line], letter: u8) -> impl Iterator<Item = String> {
    let lines = lines.iter().filter(move |line| line.as_bytes().first() == Some(&letter));
    lines.map(|line| text(line).chars().skip(2).collect())
}

fn text(line: &Line) -> String {
    String::from_utf8_lossy(line.as_bytes()).trim_end_matches(['\r', '\n']).to_owned()
}
