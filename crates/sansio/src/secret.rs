//! Values that nobody may read by accident.

use std::{fmt, hint::black_box};

/// A password, a key or the like: silent in `Debug`, overwritten when it is dropped.
///
/// What was copied out of it is out of its reach: expose it late, and keep no copies.
#[derive(Clone)]
pub struct Secret<T: Wipe>(T);

impl<T: Wipe> Secret<T> {
    /// `value`, kept secret from now on.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The name is long for what it does, so that a reader sees it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Wipe> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A value that can be overwritten in its place, all of its memory included.
pub trait Wipe {
    /// Overwrites the value with zeros.
    fn wipe(&mut self);
}

impl<const N: usize> Wipe for [u8; N] {
    fn wipe(&mut self) {
        self.fill(0);
        // The zeros count as read, so that they are written even though nobody reads them.
        black_box(self);
    }
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        let room = self.capacity();
        self.clear();
        self.resize(room, 0);
        black_box(self.as_mut_slice());
        self.clear();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        std::mem::take(self).into_bytes().wipe();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::from("open sesame");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "open sesame");
    }

    #[test]
    fn a_secret_is_wiped_when_it_is_dropped() {
        struct Witness(Rc<RefCell<u32>>);
        impl Wipe for Witness {
            fn wipe(&mut self) {
                *self.0.borrow_mut() += 1;
            }
        }
        let wiped = Rc::new(RefCell::new(0));
        drop(Secret::new(Witness(wiped.clone())));
        assert_eq!(*wiped.borrow(), 1);
    }

    #[test]
    fn wiping_leaves_nothing_in_place() {
        let mut array = [7; 4];
        array.wipe();
        assert_eq!(array, [0; 4]);
        let (mut bytes, mut text) = (vec![7; 4], "abc".to_owned());
        bytes.wipe();
        text.wipe();
        assert!(bytes.is_empty() && text.is_empty());
    }
}
