//! The index of the pages of all owners: links, figures and states.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::DateTime;
use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::common::collect;
use nines_engine::{Parameter, Parameters, Session};
use nines_notebook::{Page, Range, Unit, format, plain_text, range_text};

use super::owners::{Owner, SQL};
use crate::error::Result;

const FIGURES: &str = include_str!("index.sql");
/// What stands behind an owner: columns of the query, and their measures.
const COLUMNS: [(&str, Unit); 4] =
    [("SLO", Unit::Percent), ("error time", Unit::Duration(1.0)), ("failures", Unit::None), ("state", Unit::None)];

/// The page. `about` is the range of time that the pages are about.
pub(super) async fn page(
    session: &Session,
    report: &str,
    entries: &[(Owner, PathBuf)],
    about: Option<Range>,
) -> Result<Page> {
    let zone = session.settings().time_zone.tz();
    let mut figures = BTreeMap::new();
    if let Some(range) = about {
        for batch in &ask(session, range).await? {
            for row in 0..batch.num_rows() {
                let text = |column: usize, unit: &Unit| format::value(batch.column(column), row, unit, zone);
                let values = COLUMNS.iter().enumerate().map(|(at, (_, unit))| text(at + 1, unit).unwrap_or_default());
                figures.insert(text(0, &Unit::None).unwrap_or_default(), values.collect::<Vec<String>>());
            }
        }
    }
    let told: Vec<&str> = COLUMNS.iter().filter(|_| about.is_some()).map(|(name, _)| *name).collect();
    let mut lines =
        vec![format!("| owner | services | {}", told.iter().map(|name| format!("{name} | ")).collect::<String>())];
    lines.push(format!("|---|---|{}", ["---:|", "---:|", "---:|", "---|"][..told.len()].concat()));
    for (owner, file) in entries {
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        let mut cells = vec![
            format!("[{}](<{file}>)", plain_text(&owner.name)),
            plain_text(
                &owner.services.iter().filter(|name| **name != owner.name).cloned().collect::<Vec<_>>().join(", "),
            ),
        ];
        if about.is_some() {
            let own = figures.get(&owner.name).cloned().unwrap_or_else(|| vec![String::new(); COLUMNS.len()]);
            cells.extend(own.iter().map(|text| plain_text(text)));
        }
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    let range = about.map(|range| range_text(range, zone));
    let title = range.map_or_else(|| format!("Reports: {report}"), |range| format!("Reports: {report}, {range}"));
    let mut page = Page::of_text(title, zone, lines.join("\n"));
    page.about = about;
    Ok(page)
}

/// The figures of all owners over a range.
async fn ask(session: &Session, (from, to): Range) -> Result<Vec<RecordBatch>> {
    let instant = |at: i64| Parameter::Text(DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339());
    let parameters: Parameters =
        [("from".to_string(), instant(from)), ("to".to_string(), instant(to))].into_iter().collect();
    let sql = format!("WITH owners AS ({SQL}) {FIGURES}");
    let mut rows = Vec::new();
    for statement in session.parse(&sql)? {
        rows = collect(session.run(&statement, &parameters).await?.batches).await?;
    }
    Ok(rows)
}
