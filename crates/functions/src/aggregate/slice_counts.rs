//! Good and total per slice of one group, dense within pages.
//!
//! Slice numbers count from the epoch. A page holds 128 neighbours, so that a group costs memory only where it has
//! data, and a row costs an addition: 8 bytes per slice while counts stay below 2^31, 16 in the rare
//! page where they do not. Where it is known that no more rows come, slices are judged and their pages given up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use datafusion::common::{Result, exec_err, internal_err};
use nines_timeline::{Builder, Interval, Share, State, Timeline};

use super::judged::Judged;
use super::page::{Added, JUDGED, NARROW, Page, SLICES, take};

/// Bytes that finding a page takes, roughly.
const PLACE: usize = size_of::<Page>() + 2 * size_of::<(i64, usize)>();

/// Counts per slice of one group.
#[derive(Default)]
pub(crate) struct SliceCounts {
    pages: Vec<Page>,
    /// Pages without counts, to be used again.
    spare: Vec<Page>,
    /// How many pages are wide.
    wide: usize,
    /// Slices of which no more rows come.
    judged: Judged,
    /// Page number → place in `pages`.
    places: BTreeMap<i64, usize>,
    /// The page touched last: rows of a series come in time order, so it is nearly always the next one too.
    last: Option<(i64, usize)>,
    /// First and last slice of which a row spoke, counted or not.
    extent: Option<(i64, i64)>,
    /// The slice target, from the first row that has one.
    pub target: Option<Share>,
    /// Whether the counts of a slice did not fit in 64 bits.
    too_much: bool,
}

impl SliceCounts {
    /// Adds to a slice. Counts must not be negative.
    #[inline]
    pub fn add(&mut self, slice: i64, good: i64, total: i64) {
        self.touch(slice);
        if total == 0 && good == 0 {
            return;
        }
        let at = (slice & (SLICES as i64 - 1)) as usize;
        let added = self.page(slice >> SLICES.trailing_zeros()).add(at, good, total);
        if added != Added::Fits {
            self.note(added);
        }
    }

    /// Adds to neighbouring slices, the first of which is number `slice`. Counts must not be negative.
    pub fn add_all(&mut self, slice: i64, good: &[i64], total: &[i64]) {
        let Some(last) = total.len().checked_sub(1) else { return };
        self.touch(slice);
        self.touch(slice + last as i64);
        let mut from = 0;
        while from < total.len() {
            let slice = slice + from as i64;
            let at = (slice & (SLICES as i64 - 1)) as usize;
            let to = total.len().min(from + SLICES - at);
            let added = self.page(slice >> SLICES.trailing_zeros()).add_all(at, &good[from..to], &total[from..to]);
            match added {
                Some(Added::Fits) => {}
                Some(added) => self.note(added),
                None => (from..to).for_each(|row| self.add(slice + (row - from) as i64, good[row], total[row])),
            }
            from = to;
        }
    }

    #[cold]
    fn note(&mut self, added: Added) {
        match added {
            Added::Fits => {}
            Added::Widened => self.wide += 1,
            Added::TooMuch => self.too_much = true,
        }
    }

    /// Extends the span to this slice without counting anything.
    #[inline]
    pub fn touch(&mut self, slice: i64) {
        self.extent = match self.extent {
            Some((first, last)) => Some((first.min(slice), last.max(slice))),
            None => Some((slice, slice)),
        };
    }

    #[inline]
    fn page(&mut self, number: i64) -> &mut Page {
        let place = match self.last {
            Some((last, place)) if last == number => place,
            _ => self.find(number),
        };
        &mut self.pages[place]
    }

    fn find(&mut self, number: i64) -> usize {
        let new = self.pages.len();
        let place = *self.places.entry(number).or_insert(new);
        if place == new {
            self.pages.push(self.spare.pop().unwrap_or_else(Page::empty));
        }
        self.last = Some((number, place));
        place
    }

    /// Sets the target, which must be the same in all rows of a group.
    pub fn set_target(&mut self, target: Share, function: &str) -> Result<()> {
        match self.target {
            None => self.target = Some(target),
            Some(known) if known == target => {}
            Some(known) => {
                let text = |share: Share| share.numerator() as f64 / share.denominator() as f64;
                return exec_err!(
                    "{function}: slice_target must be the same in all rows of a group, got {} and {}; \
                     add it to GROUP BY",
                    text(known),
                    text(target)
                );
            }
        }
        Ok(())
    }

    /// First and last slice of which a row spoke.
    pub fn extent(&self) -> Option<(i64, i64)> {
        self.extent
    }

    /// Judges all slices that were counted. No more rows of these may come.
    pub fn judge(&mut self, function: &str) -> Result<()> {
        self.check(function)?;
        let mut judged = std::mem::take(&mut self.judged);
        self.judge_into(&mut judged);
        self.judged = judged;
        self.places.clear();
        self.last = None;
        self.wide = 0;
        self.spare.extend(self.pages.drain(..).filter_map(Page::emptied));
        Ok(())
    }

    fn judge_into(&self, judged: &mut Judged) {
        let target = self.target.unwrap_or(Share::ONE);
        for (number, &place) in &self.places {
            self.pages[place].judge(number << SLICES.trailing_zeros(), target, judged);
        }
    }

    /// Slices with events, ascending: (slice, good, total).
    #[cfg(test)]
    pub fn counted(&self) -> impl Iterator<Item = (i64, i64, i64)> + '_ {
        self.places.iter().flat_map(|(number, &place)| {
            let first = number << SLICES.trailing_zeros();
            let page = &self.pages[place];
            (0..SLICES)
                .map(move |at| (first + at as i64, page.get(at)))
                .filter(|(_, counts)| *counts != (0, 0))
                .map(|(slice, (good, total))| (slice, good, total))
        })
    }

    /// The timeline over the given span, else from the first to the last slice of which a row spoke; `None`
    /// when there is neither. A slice without events is no data.
    pub fn timeline(&self, function: &str, width: i64, span: Option<Interval>) -> Result<Option<Timeline>> {
        let span = match (span, self.extent) {
            (Some(span), _) => span,
            (None, None) => return Ok(None),
            (None, Some((first, last))) => match (first.checked_mul(width), (last + 1).checked_mul(width)) {
                (Some(start), Some(end)) => Interval::new(start, end),
                _ => return exec_err!("{function}: a time is too far from 1970 for microseconds in 64 bits"),
            },
        };
        self.check(function)?;
        let Ok(mut builder) = Builder::new(span, width) else { return Ok(None) };
        let mut judged = Cow::Borrowed(&self.judged);
        if !self.pages.is_empty() {
            self.judge_into(judged.to_mut());
        }
        let mut filled = span.start;
        for stretch in judged.ascending()?.iter() {
            let start = stretch.first.saturating_mul(width).max(span.start);
            let end = stretch.end().saturating_mul(width).min(span.end);
            if start < end {
                builder.push(filled, start, State::NoData);
                builder.push(start, end, if stretch.ok { State::Ok } else { State::Error });
                filled = end;
            }
        }
        builder.push(filled, span.end, State::NoData);
        Ok(Some(builder.finish()))
    }

    /// Refuses counts that did not fit.
    pub fn check(&self, function: &str) -> Result<()> {
        match self.too_much {
            true => exec_err!("{function}: the counts of a slice add up to more than a 64-bit integer holds"),
            false => Ok(()),
        }
    }

    /// Appends the counts to a state.
    pub fn encode(&self, state: &mut Vec<u8>) {
        if !self.judged.is_empty() {
            state.extend((self.judged.len() as i64).to_le_bytes());
            state.push(JUDGED);
            self.judged.encode(state);
        }
        self.places.iter().for_each(|(&number, &place)| self.pages[place].encode(number, state));
    }

    /// Adds the counts of a state.
    pub fn merge(&mut self, mut state: &[u8]) -> Result<()> {
        while !state.is_empty() {
            let Some(page) = self.decode(&mut state) else {
                return internal_err!("a partial state of slices is damaged");
            };
            let Some((number, page)) = page else { continue };
            let place = self.pages.len();
            if *self.places.entry(number).or_insert(place) == place {
                self.wide += usize::from(matches!(page, Page::Wide(_)));
                self.pages.push(page);
                continue;
            }
            for at in 0..SLICES {
                let (good, total) = page.get(at);
                if (good, total) != (0, 0) {
                    let added = self.page(number).add(at, good, total);
                    self.note(added);
                }
            }
        }
        Ok(())
    }

    /// Takes a page off a state, or stretches, which are added; `None` if it is damaged.
    fn decode(&mut self, state: &mut &[u8]) -> Option<Option<(i64, Page)>> {
        let number = i64::from_le_bytes(take(state)?);
        let [flag] = take(state)?;
        if flag == JUDGED {
            self.judged.decode(usize::try_from(number).ok()?, state)?;
            return Some(None);
        }
        Some(Some((number, Page::decode(flag, state)?)))
    }

    /// Bytes on the heap. The memory pool asks after every batch.
    pub fn size(&self) -> usize {
        let pages = self.pages.len() * (NARROW + PLACE) + (self.wide + self.spare.len()) * NARROW;
        pages + self.judged.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_31_bits_stay_exact() {
        let mut counts = SliceCounts::default();
        let big = i64::from(u32::MAX) * 3;
        for _ in 0..3 {
            counts.add(-1, (1 << 31) - 1, (1 << 31) - 1);
        }
        counts.add(7, big - 1, big);
        counts.add(7, 1, 5);
        let expected = [(-1, 3 * ((1 << 31) - 1), 3 * ((1 << 31) - 1)), (7, big, big + 5)];
        assert_eq!(counts.counted().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_page_is_paid_for_only_where_there_is_data() {
        let mut counts = SliceCounts::default();
        counts.add(0, 1, 1);
        counts.add(1_000_000, 1, 1);
        assert_eq!(counts.pages.len(), 2);
        counts.touch(-5);
        assert_eq!((counts.pages.len(), counts.extent()), (2, Some((-5, 1_000_000))));
    }
}
