//! `nines/sql`: two expressions over the rows of a table.

use super::indicator_type::IndicatorType;
use crate::fields::{self, Fields};
use crate::measure::Counts;
use crate::mistake::Notes;
use crate::objective::{Indicator, SqlIndicator};

pub(super) const TYPE: IndicatorType =
    IndicatorType { name: "nines/sql", parameters: &["from", "where", "good", "total"], is_threshold: false, read };

fn read(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let from = spec.need("from", notes);
    let words = [("requests", "requests"), ("events", "events"), ("gauges", "gauges")];
    let from = from.and_then(|node| fields::word(node, "from", &words, notes));
    let filter = spec.get("where").and_then(|_| spec.need_text("where", notes)).map(str::to_string);
    let (good, total) = (spec.need_text("good", notes), spec.need_text("total", notes));
    Some(Counts::Whole(Indicator::Sql(SqlIndicator {
        from: from?.to_string(),
        filter,
        good: good?.to_string(),
        total: total?.to_string(),
    })))
}
