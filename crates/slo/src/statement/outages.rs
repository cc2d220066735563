//! The outages of a period, where downtime decides: from when until when, not slice by slice.

use nines_timeline::Interval;

use crate::agreement::OverEnd;
use crate::statement::view::View;
use crate::words::{counted, grouped, long};

/// How many outages are shown.
const MOST: usize = 40;

/// Outages as a page shows them.
pub(crate) struct Outages {
    /// Which of how many are shown.
    pub said: String,
    /// From, to and the downtime in between, in order of time.
    pub rows: Vec<[String; 3]>,
}

/// `None`: the measure knows no outages.
pub(crate) fn outages(view: &View<'_>) -> Option<Outages> {
    let min_run = view.terms().measure.min_run()?;
    let mut longest: Vec<(i64, &Vec<Interval>)> = view.judged().outages.iter().map(|own| (down(own), own)).collect();
    let all = longest.len();
    longest.sort_by(|a, b| b.0.cmp(&a.0).then(a.1[0].start.cmp(&b.1[0].start)));
    longest.truncate(MOST);
    longest.sort_by_key(|(_, own)| own[0].start);
    let rows = longest.iter().filter_map(|(time, own)| {
        let (first, last) = (own.first()?, own.last()?);
        Some([view.clock.at(first.start), view.clock.at(last.end), long(*time)])
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let said = match all {
        0 => format!("No slices were bad for {} or more in a row.", long(min_run)),
        all if all == rows.len() => format!("{} of {} or more.", counted(all as i64, "outage"), long(min_run)),
        all => format!("The longest {} of {} outages of {} or more.", rows.len(), grouped(all), long(min_run)),
    };
    let said = match view.terms().over_end {
        OverEnd::Cut => said,
        OverEnd::Split => {
            format!("{said} One that goes on over an end of what is judged is shown as far as it is judged.")
        }
    };
    Some(Outages { said, rows })
}

fn down(outage: &[Interval]) -> i64 {
    outage.iter().copied().map(Interval::duration).sum()
}
