//! Words for what is promised, so that a broken promise says which one it was.

use std::fmt::Debug;

/// A result that must be a success, whatever the input was.
pub(crate) trait Promised<T> {
    /// The success, or a panic that names the promise.
    fn promised(self, promise: &str) -> T;
}

impl<T, E: Debug> Promised<T> for Result<T, E> {
    fn promised(self, promise: &str) -> T {
        self.unwrap_or_else(|error| unreachable!("broken promise: {promise}: {error:?}"))
    }
}

/// Whether two values are equal, which must not depend on which of them is asked.
pub(crate) fn are_equal<T: PartialEq>(one: &T, other: &T) -> bool {
    let there = one == other;
    let back = other == one;
    assert_eq!(there, back, "equality has no order");
    there
}

/// Whether `part` lies within the memory of `whole`: a view that shows nothing else.
pub(crate) fn is_within(part: &[u8], whole: &[u8]) -> bool {
    part.is_empty() || {
        let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
        whole.start <= part.start && part.end <= whole.end
    }
}
