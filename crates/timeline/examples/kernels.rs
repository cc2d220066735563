//! Each kernel of the timeline algebra a few times, for who counts instructions: `benches/instructions/run`.
//!
//! `kernels NAME`, one of `union`, `sources`, `figures`, `histogram`. What is computed is printed, so that none of it can be left out.

use nines_timeline::histogram::Histogram;
use nines_timeline::{Interval, State, Timeline, error_sources, union};

#[path = "../benches/made/mod.rs"]
mod made;

fn main() {
    let kernel = std::env::args().nth(1).unwrap_or_default();
    let timelines: Vec<Timeline> = (0..100).map(|seed| made::timeline(90 * 1440, 75, seed)).collect();
    let told = match kernel.as_str() {
        "union" => {
            let borrowed: Vec<&Timeline> = timelines.iter().collect();
            union(&borrowed).map(|union| union.failures(0).len()).unwrap_or_default()
        }
        "sources" => {
            let errors: Vec<(String, Vec<Interval>)> = timelines
                .iter()
                .enumerate()
                .map(|(at, timeline)| (format!("/{at}"), timeline.intervals(State::Error).collect()))
                .collect();
            let borrowed: Vec<(&str, &[Interval])> =
                errors.iter().map(|(name, intervals)| (name.as_str(), intervals.as_slice())).collect();
            error_sources(&borrowed).len()
        }
        "figures" => {
            let figures =
                timelines.iter().map(|timeline| (timeline.mtbf(0), timeline.mttr(0), timeline.availability()));
            figures.filter(|figures| figures.0 > figures.1).count()
        }
        "histogram" => {
            let mut merged = Histogram::default();
            for seed in 0..2000i64 {
                let buckets =
                    (0..20).map(|at| ((at * 3 + (seed % 7) as i32), 1 + (seed + i64::from(at)) % 50)).collect();
                merged.merge(&Histogram { zero: 0, buckets }).unwrap_or_else(|error| panic!("{error}"));
            }
            let p90 = merged.quantile(0.9).unwrap_or_else(|error| panic!("{error}"));
            p90.map(|seconds| (seconds * 1e6) as usize).unwrap_or_default()
        }
        other => panic!("no kernel is called {other:?}"),
    };
    println!("{kernel}: {told}");
}
