//! `histogram_quantile(q, histogram)`.

use super::function::{Args, scalar_function};
use crate::arrays::{HistogramReader, too_many};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{Array, AsArray, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::common::exec_err;
use datafusion_macros::user_doc;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Histograms"),
        description = "The nearest-rank quantile in seconds: the upper bound of the bucket that holds it. NULL for an empty histogram.",
        syntax_example = "histogram_quantile(q, histogram)",
        sql_example = r#"```sql
> SELECT histogram_quantile(0.9, named_struct('zero', 1, 'buckets', make_array(named_struct('bucket', -1, 'count', 3), named_struct('bucket', 31, 'count', 1)))) AS p90;
+-----+
| p90 |
+-----+
| 2.0 |
+-----+
```"#,
        argument(name = "q", description = "The quantile, from 0 to 1: a float taken as the decimal it prints as."),
        argument(name = "histogram", description = "A latency histogram, as stored in `requests.latency`.")
    )]
    HistogramQuantile, "histogram_quantile", 2, [("q", Float), ("histogram", Histogram)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let histograms = HistogramReader::new(&args.columns[1])?;
    let quantiles = args.columns[0].as_primitive::<Float64Type>();
    let quantile = |row| {
        let Some(histogram) = histograms.value(row)?.filter(|_| quantiles.is_valid(row)) else { return Ok(None) };
        let q = quantiles.value(row);
        if !(0.0..=1.0).contains(&q) {
            return exec_err!("histogram_quantile: q must be between 0 and 1, got {q}");
        }
        histogram.quantile(q).map_err(too_many)
    };
    Ok(Arc::new((0..args.rows).map(quantile).collect::<Result<Float64Array>>()?))
}
