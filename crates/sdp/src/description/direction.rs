//! The direction of a stream, seen from the party that states it (RFC 8866 §6.7).

use std::fmt;

/// Which way media flows, from the point of view of the party that says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways: the default when nothing is said.
    #[default]
    SendRecv,
    /// From this party only.
    SendOnly,
    /// To this party only.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// The direction made of its two halves.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether this party sends media.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether this party receives media.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow as the other party sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What is left of this direction within the bounds of another.
    #[must_use]
    pub const fn within(self, bounds: Self) -> Self {
        Self::new(self.sends() && bounds.sends(), self.receives() && bounds.receives())
    }

    /// The direction of an attribute name.
    pub(super) fn read(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_party_sends_the_other_receives() {
        assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
        assert_eq!(Direction::RecvOnly.reversed(), Direction::SendOnly);
        assert_eq!(Direction::SendRecv.reversed(), Direction::SendRecv);
        assert_eq!(Direction::Inactive.reversed(), Direction::Inactive);
    }

    #[test]
    fn bounds_only_take_away() {
        assert_eq!(Direction::SendRecv.within(Direction::RecvOnly), Direction::RecvOnly);
        assert_eq!(Direction::SendOnly.within(Direction::RecvOnly), Direction::Inactive);
        assert_eq!(Direction::SendOnly.within(Direction::SendRecv), Direction::SendOnly);
    }
}
