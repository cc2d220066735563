//! In which slots of a day rows are.

use std::ops::Range;

/// The slots since midnight in which the rows of a run are.
#[derive(Clone, Copy)]
pub(super) enum RowSlots<'a> {
    /// Each in the slot after that of the row before, from this one on.
    Following(usize),
    Each(&'a [u32]),
}

impl<'a> RowSlots<'a> {
    /// Those of these instants. Instants that follow each other cost no division.
    pub fn of(times: &[i64], midnight: i64, width: i64, slots: &'a mut Vec<u32>) -> RowSlots<'a> {
        let slot_of = |time: i64| ((time - midnight) / width) as u32;
        let follow = |pair: &[i64]| pair[1].wrapping_sub(pair[0]) == width;
        match times.first() {
            Some(&first) if times.windows(2).all(follow) => RowSlots::Following(slot_of(first) as usize),
            _ => {
                slots.clear();
                let (mut last, mut slot) = (i64::MIN, 0);
                slots.extend(times.iter().map(|&time| {
                    slot = if time.wrapping_sub(last) == width { slot + 1 } else { slot_of(time) };
                    last = time;
                    slot
                }));
                RowSlots::Each(slots)
            }
        }
    }

    pub fn slot(self, row: usize) -> usize {
        match self {
            RowSlots::Following(first) => first + row,
            RowSlots::Each(slots) => slots[row] as usize,
        }
    }

    /// Up to which of these rows all are on the same side of a slot as the first.
    pub fn side(self, rows: Range<usize>, of: usize) -> usize {
        let later = self.slot(rows.start) >= of;
        match self {
            RowSlots::Following(first) if !later => rows.end.min(of - first),
            RowSlots::Following(_) => rows.end,
            RowSlots::Each(_) => rows.start + rows.clone().take_while(|&row| (self.slot(row) >= of) == later).count(),
        }
    }
}
