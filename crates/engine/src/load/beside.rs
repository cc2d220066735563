//! Rows under both of the sources that a load takes by itself: `''` for counts, `log` for the pieces of access logs. Whoever reads a log
//! both ways counts its requests twice.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use nines_store::{Commit, Outcome, TableKind};

use crate::load::Load;
use crate::{Result, Session};

const PIECES: &str = "source >= 'log/' AND source < 'log0'";
const COUNTS: &str = "source = ''";

impl Session {
    /// In how many slices of a service the table has both, in the time of a commit.
    pub(super) async fn beside(&self, load: &Load, commit: &Commit) -> Result<u64> {
        let (Outcome::Stored(_), Some((first, last))) = (commit.outcome, commit.time_range) else { return Ok(0) };
        if load.table != TableKind::Requests || load.source.is_some() {
            return Ok(0);
        }
        let instant = |micros: i64| format!("arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')");
        let slices = |of: &str| {
            let (first, last) = (instant(first), instant(last));
            format!("SELECT DISTINCT time, service FROM requests WHERE {of} AND time BETWEEN {first} AND {last}")
        };
        // Most stores have one of the two only, which the statistics of their files tell.
        for one in [PIECES, COUNTS] {
            if self.count(&format!("({} LIMIT 1)", slices(one))).await? == 0 {
                return Ok(0);
            }
        }
        self.count(&format!("({} INTERSECT {})", slices(PIECES), slices(COUNTS))).await
    }

    async fn count(&self, rows: &str) -> Result<u64> {
        let batches = self.sql(&format!("SELECT count(*) FROM {rows}")).await?;
        let counted = |batch: &datafusion::arrow::array::RecordBatch| {
            batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>()
        };
        Ok(u64::try_from(batches.iter().map(counted).sum::<i64>()).unwrap_or(0))
    }
}
