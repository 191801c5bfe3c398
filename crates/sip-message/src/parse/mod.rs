//! From bytes to structure: the line scan, the grammar of values, and errors that say where.

mod digits;
pub(crate) use digits::{Digits, write_number};

mod error;
pub use error::ParseError;
pub(crate) use error::{Fault, Parsed, Rest};

mod caret;

mod class;
pub(crate) use class::{Class, take_class, take_class1, take_escapable};

mod grammar;
pub(crate) use grammar::{
    comment, equal, expect, finish, is_token, lws, lws1, number, quoted_string, semi, slash, token,
    unquote, write_quoted,
};

mod scan;
pub(crate) use scan::{Line, Scan, Span, lines_of, start_of_message};

mod search;
pub(crate) use search::{length_of, position};
