//! What a proxy reads of a message (RFC 3261 §16.3, §16.4, §17.1.3).

/// The values that decide where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing<'a> {
    /// The start line.
    pub start: Start,
    /// The branch of the top `Via`.
    pub branch: &'a str,
    /// The tag of `From`.
    pub from_tag: &'a str,
    /// The tag of `To`.
    pub to_tag: Option<&'a str>,
    /// `Call-ID`.
    pub call_id: &'a str,
    /// The number of `CSeq`.
    pub cseq: u32,
    /// The method of `CSeq`.
    pub cseq_method: Verb,
    /// `Max-Forwards`.
    pub max_forwards: Option<u32>,
    /// Whether there is a `Route`.
    pub has_route: bool,
    /// How long the body is.
    pub body: usize,
}

/// The start line; the URI of a request is read, too, as far as the peer reads it at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request(Verb),
    /// A response with its code.
    Response(u16),
}

/// A method, as far as the messages have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `INVITE`
    Invite,
    /// `REGISTER`
    Register,
    /// Any other.
    Other,
}
