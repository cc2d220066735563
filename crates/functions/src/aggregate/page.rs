//! A page: good and total of 128 neighbouring slices, and how it is written into a partial state.
//!
//! In a state a page is its number, a flag, the totals, and the bad events of those slices that have any: slices
//! are nearly always wholly good, and partial states are what partitions and machines exchange.

use nines_timeline::Share;

use super::judged::Judged;

/// Slices of a page.
pub(crate) const SLICES: usize = 128;

/// Counts of neighbouring slices.
pub(crate) enum Page {
    /// `total << 32 | good`, each below 2^31, so that one addition adds both and never carries over.
    Narrow(Box<[u64; SLICES]>),
    /// `(good, total)`.
    Wide(Box<[(i64, i64); SLICES]>),
}

/// What came of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Fits,
    /// The page takes twice its bytes now.
    Widened,
    /// More than 64 bits hold.
    TooMuch,
}

/// Bytes of a narrow page; widening adds as much again.
pub(crate) const NARROW: usize = size_of::<[u64; SLICES]>();

/// The bits that are set once a narrow count has outgrown 31 bits.
const OVERFLOWN: u64 = 0x8000_0000_8000_0000;

impl Page {
    pub fn empty() -> Page {
        Page::Narrow(Box::new([0; SLICES]))
    }

    /// Good and total of a slice.
    pub fn get(&self, at: usize) -> (i64, i64) {
        match self {
            Page::Narrow(counts) => unpack(counts[at]),
            Page::Wide(counts) => counts[at],
        }
    }

    /// Adds to a slice. Counts must not be negative.
    #[inline]
    pub fn add(&mut self, at: usize, good: i64, total: i64) -> Added {
        if let Page::Narrow(counts) = self
            && (good | total) >> 31 == 0
        {
            let sum = counts[at] + ((total as u64) << 32 | good as u64);
            if sum & OVERFLOWN == 0 {
                counts[at] = sum;
                return Added::Fits;
            }
        }
        self.add_wide(at, good, total)
    }

    #[cold]
    fn add_wide(&mut self, at: usize, good: i64, total: i64) -> Added {
        let is_new = matches!(self, Page::Narrow(_));
        self.widen();
        if let Page::Wide(counts) = self {
            match (counts[at].0.checked_add(good), counts[at].1.checked_add(total)) {
                (Some(good), Some(total)) => counts[at] = (good, total),
                _ => return Added::TooMuch,
            }
        }
        if is_new { Added::Widened } else { Added::Fits }
    }

    /// Adds to neighbouring slices from `at` on, as far as the page goes. Nothing is added if a count is negative or large: `None`.
    #[inline]
    pub fn add_all(&mut self, at: usize, good: &[i64], total: &[i64]) -> Option<Added> {
        let Page::Narrow(counts) = self else { return None };
        let counts = counts.get_mut(at..at + good.len())?;
        let all = good.iter().zip(total).fold(0, |all, (good, total)| all | good | total);
        if all >> 31 != 0 {
            return None;
        }
        let mut bits = 0;
        for (count, (&good, &total)) in counts.iter_mut().zip(good.iter().zip(total)) {
            *count += (total as u64) << 32 | good as u64;
            bits |= *count;
        }
        // Neither sum of two counts below 2^31 is above 32 bits: nothing is lost yet.
        if bits & OVERFLOWN == 0 {
            return Some(Added::Fits);
        }
        self.widen();
        Some(Added::Widened)
    }

    fn widen(&mut self) {
        if let Page::Narrow(counts) = self {
            *self = Page::Wide(Box::new(std::array::from_fn(|at| unpack(counts[at]))));
        }
    }

    /// Judges the slices that have events, the first of which is number `first`.
    pub fn judge(&self, first: i64, target: Share, judged: &mut Judged) {
        if let Page::Narrow(counts) = self {
            // Nearly all are wholly good.
            let bad = counts.iter().fold(0, |bad, &packed| bad | (packed >> 32) ^ (packed & 0xffff_ffff));
            let empty = counts.iter().fold(false, |empty, &packed| empty | (packed >> 32 == 0));
            if bad == 0 && !empty {
                return judged.push(first, SLICES as u32, true);
            }
        }
        for at in 0..SLICES {
            let (good, total) = self.get(at);
            if total > 0 {
                judged.push(first + at as i64, 1, good >= total || target.met_by(good, total));
            }
        }
    }

    /// The same page without counts, to be used again; `None` if it is wide.
    pub fn emptied(mut self) -> Option<Page> {
        match &mut self {
            Page::Narrow(counts) => counts.fill(0),
            Page::Wide(_) => return None,
        }
        Some(self)
    }

    /// Appends the page to a state.
    pub fn encode(&self, number: i64, state: &mut Vec<u8>) {
        state.extend(number.to_le_bytes());
        match self {
            Page::Narrow(counts) => {
                let differing = counts.iter().filter(|&&packed| differs(packed)).count();
                state.push(differing as u8);
                counts.iter().for_each(|packed| state.extend(((packed >> 32) as u32).to_le_bytes()));
                for (at, &packed) in counts.iter().enumerate().filter(|&(_, &packed)| differs(packed)) {
                    state.push(at as u8);
                    state.extend((packed as u32).to_le_bytes());
                }
            }
            Page::Wide(counts) => {
                state.push(WIDE);
                for (good, total) in counts.iter() {
                    state.extend(good.to_le_bytes());
                    state.extend(total.to_le_bytes());
                }
            }
        }
    }

    /// Takes a page off a state, of which number and flag were taken. `None` when the state is no such thing.
    pub fn decode(flag: u8, state: &mut &[u8]) -> Option<Page> {
        if flag == WIDE {
            let mut counts = Box::new([(0, 0); SLICES]);
            for count in counts.iter_mut() {
                *count = (i64::from_le_bytes(take(state)?), i64::from_le_bytes(take(state)?));
            }
            return Some(Page::Wide(counts));
        }
        let mut counts = Box::new([0; SLICES]);
        for packed in counts.iter_mut() {
            let total = u64::from(u32::from_le_bytes(take(state)?));
            *packed = total << 32 | total;
        }
        for _ in 0..flag {
            let [at] = take(state)?;
            let good = u64::from(u32::from_le_bytes(take(state)?));
            let packed = counts.get_mut(usize::from(at))?;
            *packed = *packed >> 32 << 32 | good;
        }
        Some(Page::Narrow(counts))
    }
}

/// The flag of a wide page; of a narrow one, the flag is the number of slices whose good is not their total.
const WIDE: u8 = u8::MAX;

/// The flag of stretches that are judged, in the place of a page: their number is how many there are.
pub(crate) const JUDGED: u8 = u8::MAX - 1;

/// Whether good is not total.
fn differs(packed: u64) -> bool {
    (packed >> 32) as u32 != packed as u32
}

fn unpack(packed: u64) -> (i64, i64) {
    ((packed & 0xffff_ffff) as i64, (packed >> 32) as i64)
}

/// Takes bytes off a state.
pub(super) fn take<const N: usize>(state: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = state.split_first_chunk::<N>()?;
    *state = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_survive_a_state() {
        let mut narrow = Page::empty();
        (0..128).for_each(|at| assert_eq!(narrow.add(at, at as i64, at as i64 + i64::from(at % 3 == 0)), Added::Fits));
        let mut wide = Page::empty();
        assert_eq!(wide.add(5, 7, 1 << 40), Added::Widened);
        let mut bad = Page::empty();
        (0..128).for_each(|at| assert_eq!(bad.add(at, 0, 1), Added::Fits));
        let mut state = Vec::new();
        let pages = [(-3, narrow), (4, wide), (5, bad)];
        pages.iter().for_each(|(number, page)| page.encode(*number, &mut state));
        let mut left = state.as_slice();
        for (number, page) in &pages {
            assert_eq!(i64::from_le_bytes(take(&mut left).unwrap()), *number);
            let [flag] = take(&mut left).unwrap();
            let decoded = Page::decode(flag, &mut left).unwrap();
            assert!((0..SLICES).all(|at| decoded.get(at) == page.get(at)));
        }
        assert!(left.is_empty());
        assert!(Page::decode(state[8], &mut &state[9..20]).is_none());
    }
}
