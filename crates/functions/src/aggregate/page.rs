//! A page: good and total of 128 neighbouring slices, and how it is written into a partial state.
//!
//! In a state a page is its number, a flag, the totals, and the bad events of those slices that have any: slices
//! are nearly always wholly good, and partial states are what partitions and machines exchange.

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
        let widened = match self {
            Page::Narrow(counts) => Some(Box::new(std::array::from_fn(|at| unpack(counts[at])))),
            Page::Wide(_) => None,
        };
        let is_new = widened.is_some();
        if let Some(counts) = widened {
            *self = Page::Wide(counts);
        }
        if let Page::Wide(counts) = self {
            match (counts[at].0.checked_add(good), counts[at].1.checked_add(total)) {
                (Some(good), Some(total)) => counts[at] = (good, total),
                _ => return Added::TooMuch,
            }
        }
        if is_new { Added::Widened } else { Added::Fits }
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

    /// Takes the first page off a state: its number, and the page. `None` when the state is no such thing.
    pub fn decode(state: &mut &[u8]) -> Option<(i64, Page)> {
        let number = i64::from_le_bytes(take(state)?);
        let [flag] = take(state)?;
        if flag == WIDE {
            let mut counts = Box::new([(0, 0); SLICES]);
            for count in counts.iter_mut() {
                *count = (i64::from_le_bytes(take(state)?), i64::from_le_bytes(take(state)?));
            }
            return Some((number, Page::Wide(counts)));
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
        Some((number, Page::Narrow(counts)))
    }
}

/// The flag of a wide page; of a narrow one, the flag is the number of slices whose good is not their total.
const WIDE: u8 = u8::MAX;

/// Whether good is not total.
fn differs(packed: u64) -> bool {
    (packed >> 32) as u32 != packed as u32
}

fn unpack(packed: u64) -> (i64, i64) {
    ((packed & 0xffff_ffff) as i64, (packed >> 32) as i64)
}

fn take<const N: usize>(state: &mut &[u8]) -> Option<[u8; N]> {
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
            let (read, decoded) = Page::decode(&mut left).unwrap();
            assert_eq!(read, *number);
            assert!((0..SLICES).all(|at| decoded.get(at) == page.get(at)));
        }
        assert!(left.is_empty());
        assert!(Page::decode(&mut &state[..20]).is_none());
    }
}
