//! `error_union(timeline)`: the union of a group's timelines.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion_macros::user_doc;
use nines_timeline::{Run, Timeline, union};

use super::function::aggregate_function;
use super::per_group::{Group, PerGroup};
use crate::arrays::{TimelineArrayBuilder, TimelineReader};
use crate::types::timeline_type;

aggregate_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "The union of timelines, slice by slice: error if any is in error, else ok if any is ok, else no data if any is no data, else excluded. A slice that several lost counts once. The span is the union of the spans, the slice width the greatest common divisor of the widths and of the distances between their beginnings; outside its own span a timeline is no data. NULLs are ignored; NULL when there is no timeline.",
        syntax_example = "error_union(timeline)",
        sql_example = r#"```sql
> SELECT error_seconds(error_union(t)) FROM (
    SELECT name, timeline(time, ok, 60) AS t
    FROM (VALUES ('login',   '2026-10-01T00:00:00Z', true),  ('login',   '2026-10-01T00:01:00Z', false),
                 ('profile', '2026-10-01T00:00:00Z', false), ('profile', '2026-10-01T00:01:00Z', false)) AS v(name, time, ok)
    GROUP BY name);
+-------------------------------+
| error_seconds(error_union(t)) |
+-------------------------------+
| 120.0                         |
+-------------------------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    ErrorUnion, "error_union", 1, [("timeline", Timeline)], timeline_type(), PerGroup<Union>
}

/// Timelines of which the union has not been taken yet. Taking it at every row would cost the square of the
/// runs; taking it only at the end would keep every timeline. So it is taken whenever what waits has grown
/// to twice the last union: amortised O(runs × log n), memory within a constant of the result's.
#[derive(Default)]
struct Union {
    waiting: Vec<Timeline>,
    runs: usize,
    limit: usize,
}

/// Few enough that merging them is cheap and a group of them small.
const FEWEST: usize = 256;

impl Union {
    fn add(&mut self, timeline: Timeline) {
        self.runs += timeline.runs().len() + 1;
        self.waiting.push(timeline);
        if self.runs > self.limit.max(FEWEST) {
            self.reduce();
            self.limit = 2 * self.runs;
        }
    }

    fn reduce(&mut self) -> Option<&Timeline> {
        if self.waiting.len() > 1 {
            let union = union(&self.waiting.iter().collect::<Vec<_>>());
            self.waiting = union.into_iter().collect();
            self.runs = self.waiting.iter().map(|timeline| timeline.runs().len() + 1).sum();
        }
        self.waiting.first()
    }
}

impl Group for Union {
    const IDEMPOTENT: bool = true;

    fn update(values: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        let timelines = TimelineReader::new(&values[0])?;
        for row in 0..values[0].len() {
            if let Some(group) = group_of(row)
                && let Some(timeline) = timelines.value(row)?
            {
                groups[group].add(timeline);
            }
        }
        Ok(())
    }

    fn merge(states: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        Self::update(states, groups, group_of)
    }

    fn evaluate(groups: &mut [Self]) -> Result<ArrayRef> {
        let mut built = TimelineArrayBuilder::default();
        for group in groups {
            built.append(group.reduce());
        }
        Ok(Arc::new(built.finish()))
    }

    fn size(&self) -> usize {
        self.waiting.capacity() * size_of::<Timeline>() + self.runs * size_of::<Run>()
    }
}
