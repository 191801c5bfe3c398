//! Reading network byte order from a borrowed slice.

use std::fmt;

/// A cursor over bytes that checks every step.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    whole: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { whole: bytes, offset: 0 }
    }

    /// Takes the next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], TooShort> {
        let rest = self.rest();
        let taken = rest.get(..length).ok_or(TooShort {
            offset: self.offset,
            needed: length,
            left: rest.len(),
        })?;
        // `length` is at most what is left, so the sum stays within the slice.
        self.offset += length;
        Ok(taken)
    }

    /// Takes one byte.
    pub fn u8(&mut self) -> Result<u8, TooShort> {
        self.array().map(u8::from_be_bytes)
    }

    /// Takes two bytes in network order.
    pub fn u16(&mut self) -> Result<u16, TooShort> {
        self.array().map(u16::from_be_bytes)
    }

    /// Takes four bytes in network order.
    pub fn u32(&mut self) -> Result<u32, TooShort> {
        self.array().map(u32::from_be_bytes)
    }

    /// Takes eight bytes in network order.
    pub fn u64(&mut self) -> Result<u64, TooShort> {
        self.array().map(u64::from_be_bytes)
    }

    /// Takes `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], TooShort> {
        let error = TooShort { offset: self.offset, needed: N, left: self.rest().len() };
        self.take(N)?.try_into().map_err(|_| error)
    }

    /// The bytes not taken so far.
    pub fn rest(&self) -> &'a [u8] {
        self.whole.get(self.offset..).unwrap_or_default()
    }

    /// How many bytes have been taken.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Whether all bytes have been taken.
    pub const fn is_empty(&self) -> bool {
        self.offset >= self.whole.len()
    }
}

/// The bytes ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Where the value begins, in bytes from the start.
    pub offset: usize,
    /// How many bytes it takes.
    pub needed: usize,
    /// How many are there.
    pub left: usize,
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, needed, left } = self;
        write!(f, "{needed} bytes wanted at offset {offset}, {left} left")
    }
}

impl std::error::Error for TooShort {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_network_order() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u32(), Ok(0x0405_0607));
        assert_eq!((reader.rest(), reader.offset()), (&[8][..], 7));
    }

    #[test]
    fn a_short_read_takes_nothing_and_says_where() {
        let mut reader = Reader::new(&[1, 2, 3]);
        reader.u8().unwrap();
        assert_eq!(reader.u32(), Err(TooShort { offset: 1, needed: 4, left: 2 }));
        assert_eq!(reader.take(usize::MAX).unwrap_err().left, 2);
        assert_eq!(reader.u16(), Ok(0x0203));
        assert!(reader.is_empty());
    }
}
