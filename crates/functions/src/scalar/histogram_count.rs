//! `histogram_count(histogram)`.

use super::function::{Args, scalar_function};
use crate::arrays::{HistogramReader, too_many};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Histograms"),
        description = "Number of observations in a histogram.",
        syntax_example = "histogram_count(histogram)",
        sql_example = r#"```sql
> SELECT histogram_count(named_struct('zero', 1, 'buckets', make_array(named_struct('bucket', -1, 'count', 3), named_struct('bucket', 31, 'count', 1)))) AS requests;
+----------+
| requests |
+----------+
| 5        |
+----------+
```"#,
        argument(name = "histogram", description = "A latency histogram, as stored in `requests.latency`.")
    )]
    HistogramCount, "histogram_count", 1, [("histogram", Histogram)], DataType::Int64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let histograms = HistogramReader::new(&args.columns[0])?;
    let count = |row| histograms.value(row)?.map(|histogram| histogram.count()).transpose().map_err(too_many);
    Ok(Arc::new((0..args.rows).map(count).collect::<Result<Int64Array>>()?))
}
