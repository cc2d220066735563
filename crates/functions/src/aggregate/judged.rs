//! Slices whose counts are complete: which were ok and which in error, as stretches.
//!
//! Counts of a slice take 8 bytes, a stretch of any length 16. Whoever knows that no more rows of a slice come has it judged
//! at once, and keeps no counts.

use std::borrow::Cow;

use datafusion::common::{Result, internal_err};

/// Neighbouring slices with events, all ok or all in error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first of them, counted from the epoch.
    pub first: i64,
    slices: u32,
    pub ok: bool,
}

impl Stretch {
    /// The first slice after it.
    pub fn end(self) -> i64 {
        self.first + i64::from(self.slices)
    }
}

/// Bytes of a stretch in a partial state.
const ENCODED: usize = 8 + 4 + 1;

/// Stretches, in the order in which they were judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged(Vec<Stretch>);

impl Judged {
    /// Adds slices.
    #[inline]
    pub fn push(&mut self, first: i64, slices: u32, ok: bool) {
        if let Some(last) = self.0.last_mut()
            && last.ok == ok
            && last.end() == first
            && let Some(together) = last.slices.checked_add(slices)
        {
            last.slices = together;
            return;
        }
        self.0.push(Stretch { first, slices, ok });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ascending. A slice that was judged twice is an error: its counts were not complete.
    pub fn ascending(&self) -> Result<Cow<'_, [Stretch]>> {
        let apart = |stretches: &[Stretch]| stretches.windows(2).all(|pair| pair[0].end() <= pair[1].first);
        if apart(&self.0) {
            return Ok(Cow::Borrowed(&self.0));
        }
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by_key(|stretch| stretch.first);
        match apart(&sorted) {
            true => Ok(Cow::Owned(sorted)),
            false => internal_err!("a slice was judged twice"),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the stretches to a state.
    pub fn encode(&self, state: &mut Vec<u8>) {
        for stretch in &self.0 {
            state.extend(stretch.first.to_le_bytes());
            state.extend(stretch.slices.to_le_bytes());
            state.push(u8::from(stretch.ok));
        }
    }

    /// Takes so many stretches off a state and adds them. `None` when the state does not hold them.
    pub fn decode(&mut self, count: usize, state: &mut &[u8]) -> Option<()> {
        let (stretches, rest) = state.split_at_checked(count.checked_mul(ENCODED)?)?;
        for stretch in stretches.chunks_exact(ENCODED) {
            let first = i64::from_le_bytes(stretch[..8].try_into().ok()?);
            self.push(first, u32::from_le_bytes(stretch[8..12].try_into().ok()?), stretch[12] != 0);
        }
        *state = rest;
        Some(())
    }

    /// Bytes on the heap.
    pub fn size(&self) -> usize {
        self.0.capacity() * size_of::<Stretch>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_join_and_survive_a_state() {
        let mut judged = Judged::default();
        judged.push(10, 3, true);
        judged.push(13, 2, true);
        judged.push(15, 1, false);
        judged.push(17, 1, false);
        judged.push(-4, u32::MAX, true);
        judged.push(-4 + i64::from(u32::MAX), 1, true);
        assert_eq!(judged.len(), 5);
        let mut state = Vec::new();
        judged.encode(&mut state);
        let (mut read, mut left) = (Judged::default(), state.as_slice());
        read.decode(5, &mut left).unwrap();
        assert!(left.is_empty());
        assert_eq!(read.0, judged.0);
        assert!(Judged::default().decode(5, &mut &state[1..]).is_none());
    }

    #[test]
    fn a_slice_is_judged_once() {
        let mut judged = Judged::default();
        judged.push(20, 5, true);
        judged.push(3, 2, false);
        let sorted = judged.ascending().unwrap();
        assert_eq!(sorted.iter().map(|stretch| (stretch.first, stretch.end())).collect::<Vec<_>>(), [(3, 5), (20, 25)]);
        judged.push(4, 1, true);
        assert!(judged.ascending().unwrap_err().to_string().contains("judged twice"));
    }
}
