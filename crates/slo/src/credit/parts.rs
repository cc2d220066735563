//! Several figures of one credit: of several metrics, and of members that are judged by themselves.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::agreement::{Covered, Terms, Together};
use crate::credit::evidence::{CreditError, Evidence, Part};
use crate::fraction::Fraction;

/// A figure of a credit that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartCredit {
    /// The metric's name, where there are several.
    pub metric: Option<String>,
    /// Whose it is, where members are judged by themselves; `None` also where none of them had a request.
    pub member: Option<String>,
    /// Slices in its denominator.
    pub slices: i64,
    /// Valid requests that were counted.
    pub valid: i64,
    /// Failed requests that were counted.
    pub failed: i64,
    /// Of 1.
    pub availability: Fraction,
    /// In 10⁻⁶ percent, rounded as [`Credit::availability_percent`](crate::Credit::availability_percent) is.
    pub availability_percent: i64,
    /// Whether the metric's commitment was kept.
    pub kept: bool,
    /// The share of the fee base that it would credit alone, without the cap.
    pub share: Fraction,
    /// Whether its figures stand for the credit.
    pub decides: bool,
}

impl PartCredit {
    /// How it is called beside others: `latency of eu-west`, `latency`, `eu-west`.
    pub fn name(&self) -> String {
        match (&self.metric, &self.member) {
            (Some(metric), Some(member)) => format!("{metric} of {member}"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => "all".to_string(),
        }
    }
}

/// A part together with what judges it.
pub(crate) struct Parted<'a> {
    pub metric: usize,
    /// Which of the evidence's parts; `None`: nothing was counted for the metric.
    pub counted: Option<usize>,
    pub member: Option<&'a str>,
    pub covered: Covered<'a>,
    pub evidence: Cow<'a, Evidence>,
}

/// The parts of evidence by metric and member: one, the evidence itself, where there is one figure.
pub(crate) fn parted<'a>(covered: &Covered<'a>, evidence: &'a Evidence) -> Result<Vec<Parted<'a>>, CreditError> {
    if !covered.terms.has_parts() {
        let wrong = CreditError::Parts { reason: "the agreement has one figure, and the evidence several" };
        let whole =
            Parted { metric: 0, counted: Some(0), member: None, covered: *covered, evidence: Cow::Borrowed(evidence) };
        return if evidence.parts.is_empty() { Ok(vec![whole]) } else { Err(wrong) };
    }
    check(covered.terms, evidence)?;
    let mut found = Vec::new();
    for (metric, own) in covered.metrics().into_iter().enumerate() {
        let bare = || Evidence { parts: Vec::new(), ..evidence.clone() };
        let before = found.len();
        for (at, part) in evidence.parts.iter().enumerate().filter(|(_, part)| part.metric == metric) {
            found.push(Parted {
                metric,
                counted: Some(at),
                member: (!part.member.is_empty()).then_some(part.member.as_str()),
                covered: own,
                evidence: Cow::Owned(Evidence {
                    slices: part.slices.clone(),
                    other_valid: part.other_valid,
                    other_valid_months: part.other_valid_months.clone(),
                    ..bare()
                }),
            });
        }
        if found.len() == before {
            found.push(Parted { metric, counted: None, member: None, covered: own, evidence: Cow::Owned(bare()) });
        }
    }
    Ok(found)
}

fn check(terms: &Terms, evidence: &Evidence) -> Result<(), CreditError> {
    let own: Vec<&Terms> = terms.metrics().collect();
    let order = |part: &Part| (part.metric, part.member.clone());
    let reason = match evidence.parts.as_slice() {
        _ if !evidence.slices.is_empty() || evidence.other_valid != 0 => "counts belong to no figure of it",
        parts if parts.iter().any(|part| part.metric >= own.len()) => "a figure of it is of no metric",
        parts if parts.windows(2).any(|pair| order(&pair[0]) >= order(&pair[1])) => "its figures are out of order",
        parts if parts.iter().any(|part| !part.member.is_empty() && !own[part.metric].judges_each()) => {
            "members have figures that are not judged by themselves"
        }
        _ => return Ok(()),
    };
    Err(CreditError::Parts { reason })
}

/// What decides between figures: the share that one credits alone, whether its commitment was kept, its availability.
pub(crate) struct Weighed<'a> {
    pub metric: usize,
    pub share: &'a Fraction,
    pub kept: bool,
    pub availability: &'a Fraction,
}

/// Which figure stands for all: that of the largest share, else of a commitment that was missed, else of the first metric;
/// of several members of a metric that of the lowest availability, then the first.
pub(crate) fn deciding(figures: &[Weighed<'_>]) -> usize {
    let order = |a: &Weighed<'_>, b: &Weighed<'_>| {
        b.share
            .cmp(a.share)
            .then(a.kept.cmp(&b.kept))
            .then(a.metric.cmp(&b.metric))
            .then(a.availability.cmp(b.availability))
    };
    let mut best = 0;
    for (at, figure) in figures.iter().enumerate().skip(1) {
        if order(figure, &figures[best]) == Ordering::Less {
            best = at;
        }
    }
    best
}

/// What the shares of figures come to, before the cap: of each metric the largest, and of these the largest or the sum.
pub(crate) fn together<'f>(terms: &Terms, figures: impl Iterator<Item = (usize, &'f Fraction)>) -> Fraction {
    let mut by_metric: BTreeMap<usize, &Fraction> = BTreeMap::new();
    for (metric, share) in figures {
        let largest = by_metric.entry(metric).or_insert(share);
        *largest = share.max(largest);
    }
    let shares = by_metric.into_values();
    match terms.together {
        Together::Largest => shares.max().cloned().unwrap_or_else(Fraction::zero),
        Together::Sum => shares.fold(Fraction::zero(), |sum, share| sum.plus(share)),
    }
}
