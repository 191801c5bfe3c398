//! How much is accepted, and how exactly it must follow the grammar.

/// What a message may cost. One value bounds all parsing of one peer or transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a whole message: 65 535, which is what a UDP datagram can hold.
    pub message: usize,
    /// Most bytes of the start line: 8 192.
    pub start_line: usize,
    /// Most bytes of one header field with all its folded lines: 16 384.
    pub header: usize,
    /// Most header fields: 256.
    pub headers: usize,
    /// Most bytes of the body: 65 535.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 65_535, start_line: 8_192, header: 16_384, headers: 256, body: 65_535 }
    }
}

/// How exactly a message must follow RFC 3261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The grammar of RFC 3261 §25 for start line and header fields, UTF-8 throughout, and every
    /// header field that §8.1.1 makes mandatory.
    Strict,
    /// Forgives what deployed peers get wrong and what cannot be misread: bare LF line ends, a
    /// missing reason phrase, a missing `Max-Forwards`, `From` tag or `Via` branch (RFC 2543), and
    /// a header field that is not UTF-8, which costs that field only. URIs and typed header fields
    /// forgive more, such as a semicolon behind the last parameter; each says so in its place.
    #[default]
    Tolerant,
}

/// How to parse: a profile and limits. The default is [`Profile::Tolerant`] with the default limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// How exactly the grammar is enforced.
    pub profile: Profile,
    /// How much is accepted.
    pub limits: Limits,
}

impl ParseOptions {
    /// The strict profile with the default limits.
    pub fn strict() -> Self {
        Self { profile: Profile::Strict, limits: Limits::default() }
    }
}
