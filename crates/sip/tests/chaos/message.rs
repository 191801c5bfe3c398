//! A message as lines, for a proxy that changes a few of them.

use std::net::SocketAddr;

#[derive(Clone)]
pub(crate) struct Text {
    first: String,
    lines: Vec<String>,
    body: String,
}

impl Text {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n").map(str::to_owned);
        Self { first: lines.next().unwrap(), lines: lines.collect(), body: body.to_owned() }
    }

    pub(crate) fn write(&self) -> String {
        format!("{}\r\n{}\r\n\r\n{}", self.first, self.lines.join("\r\n"), self.body)
    }

    pub(crate) fn is_response(&self) -> bool {
        self.first.starts_with("SIP/2.0 ")
    }

    pub(crate) fn method(&self) -> &str {
        self.first.split(' ').next().unwrap()
    }

    pub(crate) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn cseq_method(&self) -> &str {
        self.field("CSeq").split(' ').nth(1).unwrap()
    }

    pub(crate) fn to_tag(&self) -> &str {
        self.field("To").split(";tag=").nth(1).unwrap_or_default()
    }

    pub(crate) fn is_in_dialog(&self) -> bool {
        !self.to_tag().is_empty()
    }

    /// The branch of the top Via.
    pub(crate) fn branch(&self) -> &str {
        let rest = self.field("Via").split("branch=").nth(1).unwrap();
        rest.split(';').next().unwrap()
    }

    fn field(&self, name: &'static str) -> &str {
        self.rows(name).next().unwrap_or_else(|| panic!("no {name} in {}", self.first))
    }

    fn rows(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Puts a row before all others.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.lines.insert(0, format!("{name}: {value}"));
    }

    pub(crate) fn drop_first(&mut self, name: &str) {
        let of = |line: &String| line.strip_prefix(name).is_some_and(|it| it.starts_with(": "));
        if let Some(at) = self.lines.iter().position(of) {
            self.lines.remove(at);
        }
    }

    pub(crate) fn set_request_uri(&mut self, uri: &str) {
        self.first = format!("{} {uri} SIP/2.0", self.method());
    }

    /// `Max-Forwards` (§16.6, 3).
    pub(crate) fn count_down(&mut self) {
        let left: u8 = self.field("Max-Forwards").parse().unwrap();
        self.drop_first("Max-Forwards");
        self.lines.push(format!("Max-Forwards: {}", left - 1));
    }

    /// RFC 3581 §4.
    pub(crate) fn mark_source(&mut self, from: SocketAddr) {
        let is_top = |line: &&mut String| line.starts_with("Via: ");
        if let Some(line) = self.lines.iter_mut().find(is_top)
            && line.ends_with(";rport")
        {
            *line = format!("{line}={};received={}", from.port(), from.ip());
        }
    }

    /// Where the Request-URI leads to.
    pub(crate) fn request_address(&self) -> SocketAddr {
        address(self.first.split(' ').nth(1).unwrap())
    }

    /// Where the top Via leads to.
    pub(crate) fn via_address(&self) -> Option<SocketAddr> {
        let sent_by = self.rows("Via").next()?.split(' ').nth(1)?;
        Some(address(sent_by))
    }

    /// A response of the proxy itself.
    pub(crate) fn respond(&self, status: &str, tag: &str) -> Self {
        let mut lines: Vec<String> = self.rows("Via").map(|via| format!("Via: {via}")).collect();
        let to = self.field("To");
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        lines.push(format!("From: {}", self.field("From")));
        lines.push(format!("To: {to}{tag}"));
        lines.push(format!("Call-ID: {}", self.field("Call-ID")));
        lines.push(format!("CSeq: {}", self.field("CSeq")));
        lines.push("Content-Length: 0".to_owned());
        Self { first: format!("SIP/2.0 {status}"), lines, body: String::new() }
    }

    /// The ACK to a failure of this INVITE (§17.1.1.3).
    pub(crate) fn acknowledge(&self, failure: &Self) -> Self {
        self.follow("ACK", failure.field("To"))
    }

    /// The CANCEL of this INVITE (§9.1).
    pub(crate) fn cancel(&self) -> Self {
        self.follow("CANCEL", self.field("To"))
    }

    /// A request of the same transaction.
    fn follow(&self, method: &str, to: &str) -> Self {
        let uri = self.first.split(' ').nth(1).unwrap();
        let number = self.field("CSeq").split(' ').next().unwrap();
        let lines = vec![
            format!("Via: {}", self.field("Via")),
            "Max-Forwards: 70".to_owned(),
            format!("From: {}", self.field("From")),
            format!("To: {to}"),
            format!("Call-ID: {}", self.field("Call-ID")),
            format!("CSeq: {number} {method}"),
            "Content-Length: 0".to_owned(),
        ];
        Self { first: format!("{method} {uri} SIP/2.0"), lines, body: String::new() }
    }
}

/// The address in a URI or a sent-by; these parties use no names.
fn address(text: &str) -> SocketAddr {
    let host = text.trim_start_matches("sip:");
    let host = host.split_once('@').map_or(host, |(_, host)| host);
    let host = host.split([';', '?', '>']).next().unwrap();
    host.parse().or_else(|_| format!("{host}:5060").parse()).unwrap()
}
