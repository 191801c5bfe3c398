//! Numbers as decimal digits, written without detours.

/// A number as decimal digits.
pub(crate) struct Digits {
    digits: [u8; 20],
    start: usize,
}

impl Digits {
    pub(crate) fn of(number: impl Into<u64>) -> Self {
        let mut rest: u64 = number.into();
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        for digit in digits.iter_mut().rev() {
            // A remainder of ten is a digit.
            *digit = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or_default());
            rest /= 10;
            start = start.saturating_sub(1);
            if rest == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits are text.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

/// Appends `number` in decimal digits.
pub(crate) fn write_number(number: impl Into<u64>, out: &mut String) {
    out.push_str(Digits::of(number).as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for number in [0, 1, 9, 10, 70, 99, 100, 5060, 65_535, u64::from(u32::MAX), u64::MAX] {
            let mut out = String::from("x");
            write_number(number, &mut out);
            assert_eq!(out, format!("x{number}"));
        }
    }
}
