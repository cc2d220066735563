//! `review(from, to)`: what was promised against what was, the trend, and what to think about next.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::{Interval, theil_sen};

use super::arguments::Arguments;
use super::columns::{count, counts, float, float_of, floats, instant, instants, text, text_list, text_lists, texts};
use super::groups::vela;
use super::signature::{FROM, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{DAY, Detail, Line, Part, Prepared, Tabulation, lines, lines_of};

/// How sure the bounds of a trend are.
const CONFIDENCE: f64 = 0.95;
/// (week, figure) of an objective.
type Points = Vec<(f64, f64)>;

/// Weeks that a trend looks at: twenty years.
const MOST_WEEKS: i64 = 1044;

#[derive(Debug)]
pub(super) struct Review;

impl TableFunction for Review {
    fn signature(&self) -> Signature {
        Signature { function: "review", parameters: &[FROM, TO] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Every objective in [from, to) against its target: the actual figure, their difference, the trend of the figure over \
             the whole weeks of UTC days from `from` on (Theil–Sen slope per week, with its 95 % confidence interval; NULL with too few \
             weeks), a verdict and what to think about next. How much of the range was measured, assumed and lost, and when data \
             ended, is told as in report().",
            "SELECT objective, target, actual, trend, verdict, advice FROM review('2026-08-01', '2026-11-01')",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let range = arguments.range()?;
        Ok(Call {
            ranges: vec![range],
            beside: &[],
            detail: Detail::None,
            columns: &["business", "service", "objective"],
            time: None,
            composites: false,
            answer: Arc::new(Rows { range, zone: arguments.zone() }),
        })
    }
}

#[derive(Debug)]
struct Rows {
    range: Interval,
    zone: Arc<str>,
}

/// Where an objective stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    Above,
    Below,
    Unmeasured,
    /// What was measured is known by slices only.
    Uncounted,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Above => "above expectation",
            Verdict::Below => "below expectation",
            Verdict::Unmeasured | Verdict::Uncounted => "not measured",
        }
    }

    /// In the order in which to think about it.
    fn advice(self) -> &'static [&'static str] {
        match self {
            Verdict::Above => {
                &["coverage: does the indicator see the critical path, as its users do?", "if so, tighten the target"]
            }
            Verdict::Below => &[
                "indicator: does it count what users feel, and nothing else?",
                "coverage: is it the critical path that is measured?",
                "architecture: what fails together, what has no second way?",
                "deployment: which releases and changes does error time follow?",
                "if none of these can change soon, relax the target",
            ],
            Verdict::Unmeasured => &["indicator: nothing was counted; do its filters match any rows?"],
            Verdict::Uncounted => &[
                "range: it ends within UTC days that are sealed, and how many events there were in a part of one is not \
                 kept; ask for whole UTC days",
            ],
        }
    }
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("business"),
            text("service"),
            text("objective"),
            text("vela"),
            float("target"),
            float("actual"),
            float("difference"),
            count("weeks"),
            float("trend"),
            float("trend_low"),
            float("trend_high"),
            text("verdict"),
            text_list("advice"),
            float("measured_seconds"),
            float("assumed_seconds"),
            float("lost_seconds"),
            instant("last_data", &self.zone),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let whole = lines(prepared, parts, 0)?;
        // Weeks of UTC days, as parts are.
        let first = self.range.start.div_euclid(DAY) + i64::from(self.range.start.rem_euclid(DAY) != 0);
        let of_week = |at: i64| (at.div_euclid(DAY) - first).div_euclid(7);
        let weeks = of_week(self.range.end).clamp(0, MOST_WEEKS);
        let mut by_week: Vec<Vec<&Part>> = vec![Vec::new(); weeks as usize];
        for part in parts {
            if let Some(week) = usize::try_from(of_week(part.interval.start)).ok().and_then(|at| by_week.get_mut(at)) {
                week.push(part);
            }
        }
        let mut figures: HashMap<(Arc<str>, Arc<str>), Points> = HashMap::new();
        for (week, parts) in by_week.into_iter().enumerate() {
            let start = (first + 7 * week as i64) * DAY;
            for line in lines_of(prepared, parts.iter().copied(), Interval::new(start, start + 7 * DAY))? {
                if let Some(slo) = line.slo() {
                    figures.entry((line.objective, line.service)).or_default().push((week as f64, slo));
                }
            }
        }
        let points: Vec<Points> = whole
            .iter()
            .map(|line| {
                let place = (Arc::clone(&line.objective), Arc::clone(&line.service));
                figures.get(&place).cloned().unwrap_or_default()
            })
            .collect();
        let trends: Vec<_> = points.iter().map(|points| theil_sen(points, CONFIDENCE)).collect();
        let finite = |value: f64| value.is_finite().then_some(value);
        let actual: Vec<Option<f64>> = whole.iter().map(Line::slo).collect();
        let verdicts: Vec<Verdict> = whole
            .iter()
            .map(|line| match line.is_met() {
                Some(true) => Verdict::Above,
                Some(false) => Verdict::Below,
                None if line.uncounted => Verdict::Uncounted,
                None => Verdict::Unmeasured,
            })
            .collect();
        // Blended where it changed, as the verdict is.
        let target = |line: &Line| line.measured(None).target().unwrap_or_else(|| float_of(line.spec.target));
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(whole.iter().map(|line| Some(line.business.as_ref()))),
                texts(whole.iter().map(|line| Some(line.service.as_ref()))),
                texts(whole.iter().map(|line| Some(line.objective.as_ref()))),
                texts(whole.iter().map(|line| line.spec.vela.map(vela))),
                floats(whole.iter().map(|line| Some(target(line)))),
                floats(actual.iter().copied()),
                floats(whole.iter().zip(&actual).map(|(line, actual)| Some((*actual)? - target(line)))),
                counts(points.iter().map(|points| Some(points.len() as i64))),
                floats(trends.iter().map(|trend| trend.as_ref().and_then(|trend| finite(trend.slope)))),
                floats(trends.iter().map(|trend| trend.as_ref().and_then(|trend| finite(trend.low)))),
                floats(trends.iter().map(|trend| trend.as_ref().and_then(|trend| finite(trend.high)))),
                texts(verdicts.iter().map(|verdict| Some(verdict.text()))),
                text_lists(verdicts.iter().map(|verdict| verdict.advice().to_vec())),
                floats(whole.iter().map(|line| Some(line.timeline.measured_seconds()))),
                floats(whole.iter().map(|line| Some(line.assumed_seconds()))),
                floats(whole.iter().map(|line| Some(line.lost_seconds()))),
                instants(whole.iter().map(|line| line.last_data), &self.zone),
            ],
        )?])
    }
}
