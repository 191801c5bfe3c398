//! Why a test cannot go on, in one line.

use std::{error::Error, fmt};

/// What a test returns when something it needs is not as it must be. Prints as plain text.
pub struct Failure(String);

impl Failure {
    /// A failure with these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
