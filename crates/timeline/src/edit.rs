//! Timelines from timelines: clip, exclude, assume, drop what is short.

use crate::{Builder, Interval, Run, State, Timeline, normalize};

impl Timeline {
    /// The timeline over this range: it keeps the slices that begin inside, whole, and where the range reaches
    /// beyond the span there is no data (as there always is outside a span). Empty when no slice begins inside. Ranges that
    /// follow each other share no slice and lose none.
    pub fn clip(&self, range: Interval) -> Timeline {
        let span = self.grid().beginning(range);
        self.rebuilt(span, |builder| {
            let covered =
                Interval::new(self.start().clamp(span.start, span.end), self.end().clamp(span.start, span.end));
            builder.push(span.start, covered.start, State::NoData);
            let first = self.runs().partition_point(|run| run.end <= covered.start);
            for run in self.runs()[first..].iter().take_while(|run| run.start < covered.end) {
                builder.push(run.start.max(covered.start), run.end.min(covered.end), run.state);
            }
            builder.push(covered.end.max(covered.start), span.end, State::NoData);
        })
    }

    /// Excludes every slice that lies wholly inside the union of the intervals.
    pub fn exclude(&self, intervals: &[Interval]) -> Timeline {
        let united = normalize(intervals.to_vec());
        let excluded = normalize(united.into_iter().map(|interval| self.grid().inside(interval)).collect());
        self.rebuilt(self.span(), |builder| {
            let mut excluded = excluded.iter().filter(|x| x.end > self.start() && x.start < self.end()).peekable();
            for Run { mut start, end, state } in self.segments() {
                while let Some(x) = excluded.peek().filter(|x| x.start < end) {
                    let from = x.start.max(start);
                    builder.push(start, from, state);
                    start = x.end.min(end);
                    builder.push(from, start, State::Excluded);
                    if x.end > end {
                        break;
                    }
                    excluded.next();
                }
                builder.push(start, end, state);
            }
        })
    }

    /// Takes unmeasured slices for ok.
    pub fn assume_ok(&self) -> Timeline {
        self.map_runs(|run| if run.state == State::NoData { State::Ok } else { run.state })
    }

    /// Takes unmeasured slices for errors.
    pub fn assume_error(&self) -> Timeline {
        self.map_runs(|run| if run.state == State::NoData { State::Error } else { run.state })
    }

    /// Takes error runs shorter than `min_run` microseconds for ok. Whatever is not an error ends a run.
    pub fn drop_short_errors(&self, min_run: i64) -> Timeline {
        self.map_runs(|run| if run.state == State::Error && run.duration() < min_run { State::Ok } else { run.state })
    }

    fn map_runs(&self, state: impl Fn(&Run) -> State) -> Timeline {
        self.rebuilt(self.span(), |builder| {
            self.runs().iter().for_each(|run| builder.push(run.start, run.end, state(run)));
        })
    }

    fn rebuilt(&self, span: Interval, fill: impl FnOnce(&mut Builder)) -> Timeline {
        match Builder::new(span, self.slice()) {
            Ok(mut builder) => {
                fill(&mut builder);
                builder.finish()
            }
            // Only beyond the ends of time is a span not made of whole slices: nothing is known there.
            Err(_) => {
                let nowhere = Interval::new(self.start(), self.start());
                Timeline::uniform(nowhere, self.slice(), State::NoData).unwrap_or_else(|_| self.clone())
            }
        }
    }
}
