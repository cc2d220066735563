//! `report(from, to [, by [, target]])`: the figures of a range, beside those of the one before.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result;
use nines_functions::{sources_array, sources_type};
use nines_slo::Month;
use nines_timeline::{Interval, Share};

use super::arguments::{Arguments, By};
use super::columns::{count, counts, flag, flags, float, floats, instant, instants, maybe_flags, text, texts};
use super::groups::{Group, groups};
use super::missing::Missing;
use super::phases::{Mean, Phases};
use super::signature::{BY, FROM, Parameter, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{Detail, Part, Prepared, Tabulation, lines};

/// What is promised instead of what was.
const TARGET: Parameter = Parameter::optional("target", "0.9995");

#[derive(Debug)]
pub(super) struct Report;

impl TableFunction for Report {
    fn signature(&self) -> Signature {
        Signature { function: "report", parameters: &[FROM, TO, BY, TARGET] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "The figures of every 'objective' (or by 'service', 'business', 'company': the union of their objectives) over \
             [from, to): slo is the figure by the objective's budgeting method, of a union by time; slo_error_time and mtbf, \
             mttr are seconds; slo_error_time_info says who was in error when. A union has a target where the Service or \
             the composite SLO states one. `met`, `burn_rate` and `budget_remaining` are by the same method, with the target that was \
             in force at each slice; the column `target` is their mean over what was measured. `budget` is in seconds, by Occurrences in events: that of what was \
             measured and of the slices that are still ahead: neither measured nor over at the newest row, and not excluded. \
             The argument `target` answers 'what if': it replaces the promise of every row, unions included, and leaves as it was \
             which slices are in error. measured_seconds is the time that was ok or in error, assumed_seconds how much of it \
             `noData` decided without data (of a union at most so much), lost_seconds how much was lost telemetry; last_data is the \
             end of the last stored slice with data in the range. `approximate` says that requests lie about a latency threshold of which it is not known \
             on which side of it; they count as slow, and `approximation` says between which thresholds. slo_before and \
             slo_error_time_before are those of the preceding \
             period of the same length, for calendar months the months before. Incidents are those that started in the range and \
             concern the row: mtti, mttk, mttf and mttv are mean seconds from start to detection, to location, to fix, to \
             verification, each over the incidents that say both times (mtti_n, mttk_n, mttf_n, mttv_n); incident_mttr is the mean \
             length of those that ended, from start to verification, else to fix (incident_mttr_n); the others are open. not_measured says which objectives are defined and have no \
             figures, and why; a row of nothing else has NULL figures.",
            "SELECT business, slo, slo_error_time, mtbf, mttr FROM report('2026-10-01', '2026-11-01', 'business')",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let by = By::parse(&arguments, By::Objective)?;
        let target = arguments.share(TARGET.name)?;
        let range = arguments.range()?;
        Ok(Call {
            ranges: vec![range, preceding(range, arguments.at.zone)],
            beside: &["slo_before", "slo_change", "slo_error_time_before"],
            detail: Detail::None,
            columns: by.columns(),
            time: None,
            composites: by == By::Objective,
            answer: Arc::new(Rows { by, range, target, zone: arguments.zone() }),
        })
    }
}

/// The period before: of whole calendar months as many months, else as much time.
fn preceding(range: Interval, zone: Tz) -> Interval {
    let as_much = Interval::new(range.start.saturating_sub(range.duration()), range.start);
    let starts_month =
        |at: i64| Month::of(at, zone).filter(|month| month.interval(zone).is_some_and(|i| i.start == at));
    let (Some(first), Some(end)) = (starts_month(range.start), starts_month(range.end)) else { return as_much };
    let before = first.up_to(end).skip(1).fold(first, |before, _| before.before());
    before.interval(zone).map_or(as_much, |start| Interval::new(start.start, range.start))
}

#[derive(Debug)]
struct Rows {
    by: By,
    range: Interval,
    /// What is promised instead of what was.
    target: Option<Share>,
    zone: Arc<str>,
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("business"),
            text("service"),
            text("objective"),
            float("slo"),
            float("slo_error_time"),
            Field::new("slo_error_time_info", sources_type(), true),
            float("mtbf"),
            float("mttr"),
            float("availability"),
            float("target"),
            flag("met"),
            float("budget"),
            float("budget_remaining"),
            float("burn_rate"),
            count("failures"),
            float("slo_before"),
            float("slo_change"),
            float("slo_error_time_before"),
            count("incidents"),
            float("mtti"),
            float("mttk"),
            float("mttf"),
            float("mttv"),
            float("incident_mttr"),
            count("mtti_n"),
            count("mttk_n"),
            count("mttf_n"),
            count("mttv_n"),
            count("incident_mttr_n"),
            flag("approximate"),
            text("approximation"),
            float("measured_seconds"),
            float("assumed_seconds"),
            float("lost_seconds"),
            instant("last_data", &self.zone),
            text("not_measured"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let (now, before) = (lines(prepared, parts, 0)?, lines(prepared, parts, 1)?);
        let now = groups(&now, self.by, &prepared.definitions);
        let before = groups(&before, self.by, &prepared.definitions);
        let earlier: Vec<Option<&Group>> = now
            .iter()
            .map(|group| {
                let same = |other: &&Group| {
                    (other.business, other.service, other.objective) == (group.business, group.service, group.objective)
                };
                before.iter().find(same)
            })
            .collect();
        let phases: Vec<Phases> = now.iter().map(|group| Phases::of(group, &prepared.incidents, self.range)).collect();
        let approximations: Vec<Option<String>> = now.iter().map(Group::approximation).collect();
        let slo_before: Vec<Option<f64>> = earlier.iter().map(|group| group.and_then(|group| group.slo())).collect();
        let of = |figure: &dyn Fn(&Group<'_>) -> Option<f64>| floats(now.iter().map(figure));
        let mean = |phase: &dyn Fn(&Phases) -> &Mean| floats(phases.iter().map(|of| phase(of).seconds()));
        let over = |phase: &dyn Fn(&Phases) -> &Mean| counts(phases.iter().map(|of| Some(phase(of).incidents)));
        let mut sources = Vec::new();
        for group in &now {
            sources.push(group.with_sources(|sources| sources_array([Some(sources)])));
        }
        let mut missing = Missing::new(&prepared.definitions.unmeasured, self.range, self.by);
        let not_measured: Vec<Option<String>> = now.iter().map(|group| missing.take(group)).collect();
        let sources: Vec<&dyn datafusion::arrow::array::Array> = sources.iter().map(AsRef::as_ref).collect();
        let info = match sources.is_empty() {
            true => datafusion::arrow::array::new_empty_array(&sources_type()),
            false => datafusion::arrow::compute::concat(&sources)?,
        };
        let figures = RecordBatch::try_new(
            self.schema(),
            vec![
                texts(now.iter().map(|group| group.business)),
                texts(now.iter().map(|group| group.service)),
                texts(now.iter().map(|group| group.objective)),
                of(&|group| group.slo()),
                of(&|group| Some(group.timeline.error_seconds())),
                info,
                of(&|group| group.timeline.mtbf(0)),
                of(&|group| group.timeline.mttr(0)),
                of(&|group| group.timeline.availability()),
                of(&|group| group.target(self.target)),
                maybe_flags(now.iter().map(|group| group.measured(self.target)?.is_met())),
                of(&|group| group.allowed(self.target)),
                of(&|group| group.whole(self.target)?.remaining()),
                of(&|group| group.measured(self.target)?.burn_rate()),
                counts(now.iter().map(|group| Some(group.timeline.failures(0).len() as i64))),
                floats(slo_before.iter().copied()),
                floats(now.iter().zip(&slo_before).map(|(group, before)| Some(group.slo()? - (*before)?))),
                floats(earlier.iter().map(|group| group.map(|group| group.timeline.error_seconds()))),
                counts(phases.iter().map(|phases| Some(phases.incidents))),
                mean(&|phases| &phases.detect),
                mean(&|phases| &phases.locate),
                mean(&|phases| &phases.fix),
                mean(&|phases| &phases.verify),
                mean(&|phases| &phases.whole),
                over(&|phases| &phases.detect),
                over(&|phases| &phases.locate),
                over(&|phases| &phases.fix),
                over(&|phases| &phases.verify),
                over(&|phases| &phases.whole),
                flags(approximations.iter().map(Option::is_some)),
                texts(approximations.iter().map(Option::as_deref)),
                of(&|group| Some(group.timeline.measured_seconds())),
                of(&|group| Some(group.assumed_seconds())),
                of(&|group| Some(group.lost_seconds())),
                instants(now.iter().map(Group::last_data), &self.zone),
                texts(not_measured.iter().map(Option::as_deref)),
            ],
        )?;
        Ok(vec![figures, missing.rows(self.schema())?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
    }

    #[test]
    fn a_month_compares_with_the_month_before_whatever_their_lengths() {
        let march = Interval::new(at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        assert_eq!(preceding(march, Tz::UTC).start, at("2026-02-01T00:00:00Z"));
        let quarter = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        assert_eq!(preceding(quarter, Tz::UTC).start, at("2025-10-01T00:00:00Z"));
        let week = Interval::new(at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"));
        assert_eq!(preceding(week, Tz::UTC).start, at("2026-02-23T00:00:00Z"));
        // Midnight in New York, where March has an hour less.
        let zone = chrono_tz::America::New_York;
        let march = Interval::new(at("2026-03-01T05:00:00Z"), at("2026-04-01T04:00:00Z"));
        assert_eq!(preceding(march, zone).start, at("2026-02-01T05:00:00Z"));
    }
}
