//! `cargo bench -p nines-timeline`: union and figures over a year of minutes.

use nines_timeline::{Timeline, union};

mod made;

fn main() {
    divan::main();
}

const YEAR: i64 = 365 * 1440;

/// A year with `failures` runs of error, at places that differ by `seed`.
fn year(seed: i64, failures: i64) -> Timeline {
    made::timeline(YEAR, failures, seed)
}

/// Arguments: timelines, failures in each.
#[divan::bench(args = [(2, 300), (10, 300), (1000, 300), (1000, 30)])]
fn union_of(bencher: divan::Bencher, (n, failures): (i64, i64)) {
    let timelines = (0..n).map(|seed| year(seed, failures)).collect::<Vec<_>>();
    let borrowed = timelines.iter().collect::<Vec<_>>();
    bencher.counter(divan::counter::ItemsCount::new((n * failures) as usize)).bench(|| union(&borrowed));
}

#[divan::bench]
fn mttr_of_a_year(bencher: divan::Bencher) {
    let timeline = year(1, 300);
    bencher.bench(|| (timeline.mttr(0), timeline.mtbf(0), timeline.availability()));
}
