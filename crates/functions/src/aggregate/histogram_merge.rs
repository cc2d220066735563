//! `histogram_merge(latency)`: the sum of a group's latency histograms.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;
use nines_timeline::histogram::Histogram;

use super::per_group::{Group, PerGroup};
use super::single::Single;
use crate::arrays::{HistogramReader, histogram_array};
use crate::types::{Kind, Parameters, histogram_type};

#[user_doc(
    doc_section(label = "Histograms"),
    description = "The sum of latency histograms, bucket by bucket; exact. NULLs are ignored; NULL when there is no histogram. Read it with `histogram_quantile`, `histogram_count_le` and `histogram_count`.",
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
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct HistogramMerge {
    signature: Signature,
    parameters: Parameters,
}

impl HistogramMerge {
    pub fn new(time_zone: Arc<str>) -> Self {
        let all = &[("latency", Kind::Histogram)];
        HistogramMerge {
            signature: Signature::user_defined(Volatility::Immutable),
            parameters: Parameters { function: "histogram_merge", required: 1, all, time_zone },
        }
    }
}

impl AggregateUDFImpl for HistogramMerge {
    fn name(&self) -> &str {
        self.parameters.function
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.parameters.coerce(given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(histogram_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "histogram"), histogram_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::new(PerGroup::<Merged>::new())))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(PerGroup::<Merged>::new()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// `None` until a histogram came.
#[derive(Default)]
struct Merged(Option<Histogram>);

impl Group for Merged {
    fn update(values: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        let histograms = HistogramReader::new(&values[0])?;
        for row in 0..values[0].len() {
            if let Some(group) = group_of(row)
                && let Some(histogram) = histograms.value(row)
            {
                match &mut groups[group].0 {
                    Some(merged) => merged.merge(&histogram),
                    none => *none = Some(histogram),
                }
            }
        }
        Ok(())
    }

    fn merge(states: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        Self::update(states, groups, group_of)
    }

    fn state(groups: Vec<Self>) -> Result<Vec<ArrayRef>> {
        Ok(vec![Self::evaluate(groups)?])
    }

    fn evaluate(groups: Vec<Self>) -> Result<ArrayRef> {
        Ok(histogram_array(groups.iter().map(|group| group.0.as_ref())))
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |h| h.buckets.capacity() * size_of::<(i32, i64)>())
    }
}
