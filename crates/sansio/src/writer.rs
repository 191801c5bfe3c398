//! Writing network byte order into a borrowed slice.

use std::{fmt, mem};

/// A cursor over a buffer that checks every step. What does not fit is not written at all.
#[derive(Debug)]
pub struct Writer<'a> {
    room: &'a mut [u8],
    written: usize,
}

impl<'a> Writer<'a> {
    /// A cursor at the first byte of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { room: buffer, written: 0 }
    }

    /// Reserves the next `length` bytes for the caller to fill.
    pub fn reserve(&mut self, length: usize) -> Result<&'a mut [u8], NoRoom> {
        self.check(length)?;
        let (reserved, room) = mem::take(&mut self.room).split_at_mut(length);
        self.room = room;
        self.written += length;
        Ok(reserved)
    }

    /// Writes `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        self.reserve(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) -> Result<(), NoRoom> {
        self.put(&[value])
    }

    /// Writes two bytes in network order.
    pub fn u16(&mut self, value: u16) -> Result<(), NoRoom> {
        self.put(&value.to_be_bytes())
    }

    /// Writes four bytes in network order.
    pub fn u32(&mut self, value: u32) -> Result<(), NoRoom> {
        self.put(&value.to_be_bytes())
    }

    /// Writes eight bytes in network order.
    pub fn u64(&mut self, value: u64) -> Result<(), NoRoom> {
        self.put(&value.to_be_bytes())
    }

    /// How many bytes have been written.
    pub const fn written(&self) -> usize {
        self.written
    }

    const fn check(&self, needed: usize) -> Result<(), NoRoom> {
        let left = self.room.len();
        if needed <= left { Ok(()) } else { Err(NoRoom { needed, left }) }
    }
}

/// The buffer ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// How many bytes the value takes.
    pub needed: usize,
    /// How many are left in the buffer.
    pub left: usize,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes to write, room for {}", self.needed, self.left)
    }
}

impl std::error::Error for NoRoom {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut buffer = [0; 3];
        let mut writer = Writer::new(&mut buffer);
        assert_eq!(writer.u16(0x0102), Ok(()));
        assert_eq!(writer.u32(7), Err(NoRoom { needed: 4, left: 1 }));
        assert_eq!(writer.u8(3), Ok(()));
        assert_eq!(writer.written(), 3);
        assert_eq!(buffer, [1, 2, 3]);
    }

    #[test]
    fn a_failed_reservation_leaves_the_room_as_it_was() {
        let mut buffer = [0; 2];
        let mut writer = Writer::new(&mut buffer);
        assert!(writer.reserve(3).is_err());
        assert_eq!(writer.u16(0x0506), Ok(()));
    }
}
