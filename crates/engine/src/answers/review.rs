//! `review(from, to)`: what was promised against what was, the trend, and what to think about next.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::{Interval, theil_sen};

use super::arguments::Arguments;
use super::columns::{count, counts, float, float_of, floats, text, text_list, text_lists, texts};
use super::groups::vela;
use super::{Call, Question};
use crate::evaluate::{Answer, DAY, Detail, Line, Part, Prepared, lines, lines_of};

/// How sure the bounds of a trend are.
const CONFIDENCE: f64 = 0.95;
const WEEK: i64 = 7 * DAY;

#[derive(Debug)]
pub(super) struct Review;

impl Question for Review {
    fn documentation(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        (
            "review",
            "review(from, to)",
            "Every objective in [from, to) against its target: the actual figure, their difference, the trend of the figure over \
             the whole weeks from `from` on (Theil–Sen slope per week, with its 95 % confidence interval; NULL with too few \
             weeks), a verdict and what to think about next.",
            "SELECT objective, target, actual, trend, verdict, advice FROM review('2026-08-01', '2026-11-01')",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        arguments.check(2..=2)?;
        let range = arguments.range()?;
        let mut ranges = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = start.saturating_add(WEEK).min(range.end);
            ranges.push(Interval::new(start, end));
            start = end;
        }
        Ok(Call {
            ranges,
            detail: Detail::None,
            columns: &["business", "service", "objective"],
            time: None,
            answer: Arc::new(Rows { range }),
        })
    }
}

#[derive(Debug)]
struct Rows {
    range: Interval,
}

/// Where an objective stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    Above,
    Below,
    Unmeasured,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Above => "above expectation",
            Verdict::Below => "below expectation",
            Verdict::Unmeasured => "not measured",
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
        }
    }
}

impl Answer for Rows {
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
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: Vec<Part>) -> Result<Vec<RecordBatch>> {
        let whole = lines_of(prepared, parts.iter().collect(), self.range)?;
        let mut weeks: Vec<Vec<Line>> = Vec::new();
        for (at, _) in prepared.ranges.iter().enumerate().filter(|(_, week)| week.duration() == WEEK) {
            weeks.push(lines(prepared, &parts, at)?);
        }
        let points: Vec<Vec<(f64, f64)>> = whole
            .iter()
            .map(|line| {
                let same = |other: &&Line| other.objective == line.objective && other.service == line.service;
                let of_week = weeks.iter().map(|lines| lines.iter().find(same).and_then(Line::slo));
                of_week.enumerate().filter_map(|(week, slo)| Some((week as f64, slo?))).collect()
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
                None => Verdict::Unmeasured,
            })
            .collect();
        let target = |line: &Line| float_of(line.spec.target);
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
            ],
        )?])
    }
}
