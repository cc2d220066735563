//! `histogram_merge(latency)`: the sum of a group's latency histograms.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion_macros::user_doc;
use nines_timeline::histogram;

use super::function::aggregate_function;
use super::per_group::{Group, PerGroup};
use crate::arrays::{HistogramReader, histogram_array, too_many};
use crate::types::histogram_type;

aggregate_function! {
    #[user_doc(
        doc_section(label = "Histograms"),
        description = "The sum of latency histograms, bucket by bucket; exact. Counts beyond 2^63 − 1 are an error. NULLs are ignored; NULL when there is no histogram. Read it with `histogram_quantile`, `histogram_count_le` and `histogram_count`.",
        syntax_example = "histogram_merge(latency)",
        sql_example = r#"```sql
> SELECT histogram_count(histogram_merge(h)) AS requests, histogram_quantile(0.5, histogram_merge(h)) AS p50
  FROM (VALUES (named_struct('zero', 0, 'buckets', make_array(named_struct('bucket', -1, 'count', 3)))),
               (named_struct('zero', 0, 'buckets', make_array(named_struct('bucket', 31, 'count', 2))))) AS v(h);
+----------+-----+
| requests | p50 |
+----------+-----+
| 5        | 1.0 |
+----------+-----+
```"#,
        argument(name = "latency", description = "A latency histogram, as stored in `requests.latency`.")
    )]
    HistogramMerge, "histogram_merge", 1, [("latency", Histogram)], histogram_type(), PerGroup<Merged>
}

/// `None` until a histogram came.
#[derive(Default)]
struct Merged(Option<histogram::Histogram>);

impl Group for Merged {
    const IDEMPOTENT: bool = false;

    fn update(values: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        let histograms = HistogramReader::new(&values[0])?;
        for row in 0..values[0].len() {
            if let Some(group) = group_of(row)
                && let Some(histogram) = histograms.value(row)?
            {
                match &mut groups[group].0 {
                    Some(merged) => merged.merge(&histogram).map_err(too_many)?,
                    none => *none = Some(histogram),
                }
            }
        }
        Ok(())
    }

    fn merge(states: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        Self::update(states, groups, group_of)
    }

    fn evaluate(groups: &mut [Self]) -> Result<ArrayRef> {
        Ok(histogram_array(groups.iter().map(|group| group.0.as_ref())))
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |h| h.buckets.capacity() * size_of::<(i32, i64)>())
    }
}
