//! Bytes that were read and nobody has asked for yet.

/// What a read asks for at least, and what of emptied buffers is kept, in bytes.
pub(crate) const ROOM: usize = 64 * 1024;

/// How many bytes are read ahead at most, however much is read; eight times as much as at first, today.
const MOST: usize = 8 * ROOM;

/// A buffer between a reading job and the reads that it serves.
#[derive(Default)]
pub(super) struct Ahead {
    /// How many bytes the last job filled, if it filled all that there was room for.
    filled: Option<usize>,
    /// All of it is initialised, so that it is zeroed once.
    buffer: Vec<u8>,
    /// What is unread of the buffer: `start..end`.
    start: usize,
    end: usize,
}

impl Ahead {
    /// How many bytes are unread.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes a job should ask for on behalf of a read that wants `wanted`: twice as many as before, while there is more.
    pub(super) fn room(&self, wanted: usize) -> usize {
        let room = self.filled.map_or(ROOM, |filled| MOST.min(2 * filled));
        wanted.max(room)
    }

    /// Moves as many bytes as there are and fit, and tells how many.
    pub(super) fn move_to(&mut self, into: &mut [u8]) -> usize {
        let count = self.len().min(into.len());
        into[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        count
    }

    /// Fills the empty buffer by one call, which tells how many of `room` bytes it filled.
    pub(super) fn fill<E>(
        &mut self,
        room: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        (self.start, self.end) = (0, 0);
        self.filled = None;
        self.end = read(&mut self.buffer[..room])?;
        self.filled = (self.end == room).then_some(room);
        Ok(self.end)
    }

    /// Forgets the bytes and gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order_however_they_are_asked_for() {
        let mut ahead = Ahead::default();
        let filled = ahead.fill(8, |buffer| {
            buffer[..5].copy_from_slice(b"12345");
            Ok::<_, ()>(5)
        });
        assert_eq!((filled, ahead.len()), (Ok(5), 5));
        let mut two = [0; 2];
        assert_eq!((ahead.move_to(&mut two), two), (2, *b"12"));
        let mut many = [0; 9];
        assert_eq!(ahead.move_to(&mut many), 3);
        assert_eq!(&many[..3], b"345");
        assert!(ahead.is_empty());
        assert_eq!(ahead.move_to(&mut many), 0);
    }

    #[test]
    fn more_is_asked_for_while_there_is_more() {
        let mut ahead = Ahead::default();
        let mut rooms = Vec::new();
        for _ in 0..6 {
            rooms.push(ahead.room(1) / ROOM);
            let filled = ahead.fill(ahead.room(1), |buffer| Ok::<_, ()>(buffer.len()));
            assert_eq!(filled, Ok(ahead.len()));
        }
        assert_eq!(rooms, [1, 2, 4, 8, 8, 8]);
        assert_eq!(ahead.room(MOST + 1), MOST + 1, "what is wanted at once");
        assert_eq!(ahead.fill(MOST, |_| Ok::<_, ()>(7)), Ok(7));
        assert_eq!(ahead.room(1), ROOM, "no more came");
    }

    #[test]
    fn a_failed_read_leaves_nothing() {
        let mut ahead = Ahead::default();
        assert_eq!(ahead.fill(4, |_| Err("broken")), Err("broken"));
        assert!(ahead.is_empty());
    }
}
