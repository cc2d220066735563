//! `error_sources(name, timeline)`: who was in error when.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::common::Result;
use datafusion_macros::user_doc;
use nines_timeline::{Interval, error_sources, normalize};

use super::function::aggregate_function;
use super::per_group::{Group, PerGroup};
use crate::arrays::{IntervalListReader, TimelineReader, sources_array};
use crate::types::sources_type;

aggregate_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "The stretches of time in which any of the timelines was in error, ascending, each with the names of all that were: a list of {started, ended, names}. It explains the error time of `error_union` over the same rows. A NULL name or timeline is ignored; an empty list when nothing was in error, NULL when there is no timeline.",
        syntax_example = "error_sources(name, timeline)",
        sql_example = r#"```sql
> SELECT unnest(error_sources(name, t))['names'] AS names FROM (
    SELECT name, timeline(time, ok, 60) AS t
    FROM (VALUES ('login',   '2026-10-01T00:00:00Z', true),  ('login',   '2026-10-01T00:01:00Z', false),
                 ('profile', '2026-10-01T00:00:00Z', false), ('profile', '2026-10-01T00:01:00Z', false)) AS v(name, time, ok)
    GROUP BY name);
+------------------+
| names            |
+------------------+
| [profile]        |
| [login, profile] |
+------------------+
```"#,
        argument(name = "name", description = "Whose timeline it is."),
        argument(name = "timeline", description = "A timeline.")
    )]
    ErrorSources, "error_sources", 2, [("name", Text), ("timeline", Timeline)], sources_type(), PerGroup<Errors>
}

/// The error intervals of each name; joined when the group is emitted.
#[derive(Default)]
struct Errors {
    by_name: BTreeMap<String, Vec<Interval>>,
    /// Whether a timeline came, though perhaps without errors.
    any: bool,
    /// Bytes on the heap, roughly.
    bytes: usize,
}

impl Errors {
    fn add(&mut self, name: &str, errors: impl Iterator<Item = Interval>) {
        self.any = true;
        let mut errors = errors.peekable();
        if errors.peek().is_none() {
            return;
        }
        if !self.by_name.contains_key(name) {
            self.bytes += name.len() + size_of::<(String, Vec<Interval>)>();
        }
        let known = self.by_name.entry(name.to_string()).or_default();
        let before = known.len();
        known.extend(errors);
        self.bytes += (known.len() - before) * size_of::<Interval>();
    }
}

impl Group for Errors {
    const IDEMPOTENT: bool = true;

    fn update(values: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        let (names, timelines) = (values[0].as_string::<i32>(), TimelineReader::new(&values[1])?);
        for row in (0..names.len()).filter(|&row| names.is_valid(row)) {
            if let Some(group) = group_of(row)
                && let Some(errors) = timelines.errors(row)
            {
                groups[group].add(names.value(row), errors);
            }
        }
        Ok(())
    }

    fn merge(states: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        let intervals = IntervalListReader::new(&states[0])?;
        let names = lists.values().as_struct().column(2).as_list::<i32>().clone();
        for row in (0..lists.len()).filter(|&row| lists.is_valid(row)) {
            let Some(group) = group_of(row) else { continue };
            groups[group].any = true;
            let first = lists.value_offsets()[row] as usize;
            for (i, interval) in intervals.value(row).enumerate() {
                for name in names.value(first + i).as_string::<i32>().iter().flatten() {
                    groups[group].add(name, std::iter::once(interval));
                }
            }
        }
        Ok(())
    }

    fn evaluate(groups: &mut [Self]) -> Result<ArrayRef> {
        for errors in groups.iter_mut().flat_map(|group| group.by_name.values_mut()) {
            *errors = normalize(std::mem::take(errors));
        }
        Ok(sources_array(groups.iter().map(|group| {
            let named = group.by_name.iter().map(|(name, errors)| (name.as_str(), errors.as_slice()));
            group.any.then(|| error_sources(&named.collect::<Vec<_>>()))
        })))
    }

    fn size(&self) -> usize {
        self.bytes
    }
}
