//! Offsets in one arena, by lifetime.

/// Free blocks of the arena, best fit, neighbours joined.
#[derive(Debug)]
pub(super) struct Arena {
    /// Boundary on which places start.
    align: usize,
    /// Offset and size of each free block, by offset.
    free: Vec<(usize, usize)>,
    /// Bytes in use at the fullest moment.
    pub(super) size: usize,
}

impl Arena {
    pub(super) fn new(align: usize) -> Self {
        Self { align, free: Vec::new(), size: 0 }
    }

    pub(super) fn take(&mut self, bytes: usize) -> usize {
        let bytes = bytes.next_multiple_of(self.align);
        let fits = self.free.iter().enumerate().filter(|(_, block)| block.1 >= bytes);
        if let Some((at, &(offset, size))) = fits.min_by_key(|(_, block)| block.1) {
            if size == bytes {
                self.free.remove(at);
            } else {
                self.free[at] = (offset + bytes, size - bytes);
            }
            return offset;
        }
        // A free block at the end grows.
        if let Some(&(offset, size)) = self.free.last()
            && offset + size == self.size
        {
            self.free.pop();
            self.size = offset + bytes;
            return offset;
        }
        let offset = self.size;
        self.size += bytes;
        offset
    }

    pub(super) fn give(&mut self, offset: usize, bytes: usize) {
        let bytes = bytes.next_multiple_of(self.align);
        if bytes == 0 {
            return;
        }
        let at = self.free.partition_point(|block| block.0 < offset);
        self.free.insert(at, (offset, bytes));
        if at + 1 < self.free.len() && self.free[at].0 + self.free[at].1 == self.free[at + 1].0 {
            self.free[at].1 += self.free[at + 1].1;
            self.free.remove(at + 1);
        }
        if at > 0 && self.free[at - 1].0 + self.free[at - 1].1 == self.free[at].0 {
            self.free[at - 1].1 += self.free[at].1;
            self.free.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_joins_neighbours_and_reuses_them() {
        let mut arena = Arena::new(64);
        let (a, b, c) = (arena.take(64), arena.take(64), arena.take(64));
        arena.give(a, 64);
        arena.give(c, 64);
        arena.give(b, 64);
        assert_eq!(arena.free, vec![(0, 192)]);
        assert_eq!(arena.take(150), 0);
        assert_eq!(arena.size, 192);
    }

    #[test]
    fn a_free_end_grows() {
        let mut arena = Arena::new(64);
        let (_, b) = (arena.take(64), arena.take(64));
        arena.give(b, 64);
        assert_eq!((arena.take(256), arena.size), (64, 320));
    }
}
