//! What one can wait for, and what came.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

const READABLE: u8 = 1;
const WRITABLE: u8 = 1 << 1;
const READ_CLOSED: u8 = 1 << 2;
const WRITE_CLOSED: u8 = 1 << 3;
const PRIORITY: u8 = 1 << 4;
const ERROR: u8 = 1 << 5;

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

/// What a source is ready for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Ready(u8);

/// The two ways that bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the source.
    Read,
    /// To the source.
    Write,
}

impl Interest {
    /// There is something to read, or the peer has closed its side.
    pub const READABLE: Self = Self(READABLE);
    /// There is room to write, or the other side will read no more.
    pub const WRITABLE: Self = Self(WRITABLE);
    /// There is something of priority to read, such as out-of-band data.
    pub const PRIORITY: Self = Self(PRIORITY);
    /// The source has an error to report.
    pub const ERROR: Self = Self(ERROR);

    /// Both interests.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether reading is part of it.
    pub const fn is_readable(self) -> bool {
        self.0 & READABLE != 0
    }

    /// Whether writing is part of it.
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// The bits of readiness that end a wait with this interest.
    pub(super) const fn mask(self) -> Ready {
        let mut mask = self.0;
        if self.is_readable() {
            mask |= READ_CLOSED;
        }
        if self.is_writable() {
            mask |= WRITE_CLOSED;
        }
        Ready(mask)
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.add(other)
    }
}

impl Direction {
    /// What an attempt in this direction uses up.
    #[inline]
    pub(super) fn ready(self) -> Ready {
        match self {
            Self::Read => Ready::READABLE,
            Self::Write => Ready::WRITABLE,
        }
    }
}

impl From<Direction> for Interest {
    #[inline]
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Read => Self::READABLE,
            Direction::Write => Self::WRITABLE,
        }
    }
}

impl Ready {
    /// Nothing.
    pub const EMPTY: Self = Self(0);
    /// There is something to read.
    pub const READABLE: Self = Self(READABLE);
    /// There is room to write.
    pub const WRITABLE: Self = Self(WRITABLE);
    /// The peer will send no more.
    pub const READ_CLOSED: Self = Self(READ_CLOSED);
    /// The peer will receive no more.
    pub const WRITE_CLOSED: Self = Self(WRITE_CLOSED);
    /// There is something of priority to read.
    pub const PRIORITY: Self = Self(PRIORITY);
    /// There is an error to report.
    pub const ERROR: Self = Self(ERROR);
    /// Everything that an optimist may assume of a new source.
    pub(super) const BOTH: Self = Self(READABLE | WRITABLE);

    /// Whether nothing is ready.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a read would not have to wait, be it for data or for the end of the stream.
    pub const fn is_readable(self) -> bool {
        self.0 & (READABLE | READ_CLOSED) != 0
    }

    /// Whether a write would not have to wait, be it for room or for an error.
    pub const fn is_writable(self) -> bool {
        self.0 & (WRITABLE | WRITE_CLOSED) != 0
    }

    /// Whether the peer will send no more.
    pub const fn is_read_closed(self) -> bool {
        self.0 & READ_CLOSED != 0
    }

    /// Whether the peer will receive no more.
    pub const fn is_write_closed(self) -> bool {
        self.0 & WRITE_CLOSED != 0
    }

    /// Whether there is something of priority to read.
    pub const fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// Whether there is an error to report.
    pub const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// What of this concerns the interest.
    pub(super) const fn for_interest(self, interest: Interest) -> Self {
        Self(self.0 & interest.mask().0)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

impl BitOr for Ready {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

const NAMES: [(u8, &str); 6] = [
    (READABLE, "READABLE"),
    (WRITABLE, "WRITABLE"),
    (READ_CLOSED, "READ_CLOSED"),
    (WRITE_CLOSED, "WRITE_CLOSED"),
    (PRIORITY, "PRIORITY"),
    (ERROR, "ERROR"),
];

fn write_names(bits: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut names = NAMES
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| name);
    match names.next() {
        None => f.write_str("EMPTY"),
        Some(first) => {
            f.write_str(first)?;
            names.try_for_each(|name| write!(f, " | {name}"))
        }
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(self.0, f)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(self.0, f)
    }
}
