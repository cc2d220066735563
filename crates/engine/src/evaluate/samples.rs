//! Samples that stand until the next one: probes.
//!
//! A sample covers the slots from its own to that of the next sample of its series, exclusive, or until it was held as long as
//! allowed, whatever else the table holds, but beyond its own none that is not over now. Files of a day come in any order, so samples are sorted when the day is over.

use std::collections::HashMap;
use std::sync::Arc;

use super::DAY;
use super::judge::Day;
use super::subject::Subject;

/// The samples of a day, and the last one of each series before it.
pub(super) struct HeldSamples {
    slot: i64,
    series: Vec<Series>,
    /// Samples of the day, and the most of any day before.
    samples: usize,
    most: usize,
    /// How many bytes were said to be taken.
    told: usize,
    places: HashMap<(usize, [String; 4]), usize>,
}

struct Series {
    subject: usize,
    lane: usize,
    before: Option<(i64, bool)>,
    samples: Vec<(i64, bool)>,
}

impl HeldSamples {
    pub fn new(slot: i64) -> Self {
        HeldSamples { slot, series: Vec::new(), samples: 0, most: 0, told: 0, places: HashMap::new() }
    }

    /// The number of the series of these names within a subject.
    pub fn series(&mut self, subject: usize, lane: usize, names: [&str; 4]) -> usize {
        let next = self.series.len();
        let number = *self.places.entry((subject, names.map(str::to_string))).or_insert(next);
        if number == next {
            self.series.push(Series { subject, lane, before: None, samples: Vec::new() });
        }
        number
    }

    pub fn sample(&mut self, series: usize, time: i64, ok: bool) {
        self.series[series].samples.push((time, ok));
        self.samples += 1;
    }

    /// About how many bytes more it takes than when this was asked last.
    pub fn grown(&mut self) -> usize {
        const SERIES: usize = size_of::<Series>() + 200;
        self.most = self.most.max(self.samples);
        let taken = self.series.len() * SERIES + self.most * size_of::<(i64, bool)>();
        taken - std::mem::replace(&mut self.told, taken)
    }

    /// The slots of a day that samples cover, as (lane, slot, ok); the day's last samples stand for the next.
    pub fn close(&mut self, day: Day, subjects: &[Arc<Subject>]) -> Vec<(usize, usize, bool)> {
        let mut covered = Vec::new();
        (self.most, self.samples) = (self.most.max(self.samples), 0);
        for series in &mut self.series {
            let subject = &subjects[series.subject];
            series.samples.sort_unstable();
            let mut samples = series.before.into_iter().chain(series.samples.iter().copied()).peekable();
            while let Some((time, ok)) = samples.next() {
                let next = samples.peek().map_or(i64::MAX, |(next, _)| *next);
                // A sample always covers its own slice.
                let held = time.saturating_add(subject.hold().max(self.slot));
                let end = held.min(next).min(day.start + DAY);
                let over = subject.now.max(time + self.slot);
                let mut at = time.max(day.start);
                while at < end && at + self.slot <= over {
                    covered.push((series.lane, ((at - day.start) / self.slot) as usize, ok));
                    at += self.slot;
                }
            }
            series.before = series.samples.last().copied().or(series.before);
            series.samples.clear();
        }
        covered
    }
}
