//! `histogram_count_le(histogram, le)`.

use super::function::{Args, scalar_function};
use crate::arrays::{HistogramReader, too_many};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{Array, AsArray, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Histograms"),
        description = "Observations of at most a threshold. Exact where the threshold is a bucket bound, 2^(i/32) seconds; otherwise the threshold rounds up to the next bound, about 2 % away at most.",
        syntax_example = "histogram_count_le(histogram, le)",
        sql_example = r#"```sql
> SELECT histogram_count_le(named_struct('zero', 1, 'buckets', make_array(named_struct('bucket', -1, 'count', 3), named_struct('bucket', 31, 'count', 1))), 1.0) AS fast;
+------+
| fast |
+------+
| 4    |
+------+
```"#,
        argument(name = "histogram", description = "A latency histogram, as stored in `requests.latency`."),
        argument(name = "le", description = "The threshold in seconds.")
    )]
    HistogramCountLe, "histogram_count_le", 2, [("histogram", Histogram), ("le", Float)], DataType::Int64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let histograms = HistogramReader::new(&args.columns[0])?;
    let thresholds = args.columns[1].as_primitive::<Float64Type>();
    let count = |row| {
        let Some(histogram) = histograms.value(row)?.filter(|_| thresholds.is_valid(row)) else { return Ok(None) };
        let (count, _) = histogram.count_le(thresholds.value(row)).map_err(too_many)?;
        Ok(Some(count))
    };
    Ok(Arc::new((0..args.rows).map(count).collect::<Result<Int64Array>>()?))
}
