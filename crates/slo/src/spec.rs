//! An objective and its indicator put together: the [`Spec`] that is evaluated.

use nines_timeline::Grid;

use crate::goal::Goal;
use crate::measure::Counts;
use crate::measure::Measure;
use crate::mistake::{Complaint, Notes};
use crate::objective::{Indicator, Spec};
use crate::service::Service;
use crate::sli::{Metric, Sli};
use crate::slo::Slo;
use crate::source::Source;

impl Slo {
    /// Tells what is wrong between its objectives and the indicators that stand in it.
    pub fn check(&self, notes: &mut Notes<'_>) {
        for goal in &self.goals {
            // Its slices are checked where it is known from when on it is in force.
            let slices = (Grid::new(0, goal.slice), None);
            if let Some(Source::Inline(sli)) = self.source(goal)
                && let Err(Without::Wrong(complaint)) = spec(self, goal, sli, None, slices)
            {
                notes.complain(complaint);
            }
        }
    }
}

/// Why there is nothing to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Without {
    /// An indicator of another system, such as `of type Prometheus`.
    Foreign(String),
    Wrong(Complaint),
}

/// What an objective says of an indicator, judged in these slices.
pub(crate) fn spec(
    slo: &Slo,
    goal: &Goal,
    sli: &Sli,
    service: Option<&Service>,
    (slices, misfit): (Grid, Option<String>),
) -> Result<Spec, Without> {
    let measure = match &sli.metric {
        Metric::Nines(measure) => measure,
        Metric::Foreign(kind) => return Err(Without::Foreign(kind.clone())),
    };
    let indicator = indicator(goal, measure).map_err(Without::Wrong)?;
    let slice_target = match (&indicator, goal.slice_target) {
        (Indicator::Latency { quantile, .. }, Some((target, place))) if target != *quantile => {
            let reason = "'timeSliceTarget' differs from the quantile, which decides a slice of latencies";
            return Err(Without::Wrong(Complaint::new(place, reason, Some("leave it out"))));
        }
        (Indicator::Latency { quantile, .. }, _) => *quantile,
        (_, Some((target, _))) => target,
        (_, None) => goal.target,
    };
    let several = slo.goals.len() > 1;
    let display_name = match (&slo.display_name, &goal.display_name) {
        (Some(slo), Some(own)) if several => Some(format!("{slo}: {own}")),
        (Some(name), _) | (None, Some(name)) => Some(name.clone()),
        (None, None) => None,
    };
    Ok(Spec {
        service: slo.service.clone(),
        business: service.and_then(|service| service.business.clone()),
        owner: slo.owner.clone().or_else(|| service?.owner.clone()),
        vela: slo.vela.or(sli.vela),
        display_name,
        description: slo.description.clone(),
        rows: measure.rows.clone(),
        indicator_type: measure.kind.to_string(),
        indicator,
        budgeting: slo.budgeting,
        target: goal.target,
        slice_target,
        slice: goal.slice,
        slices,
        misfit,
        no_data: measure.no_data,
        window: slo.window.clone(),
        time_zone: slo.time_zone,
    })
}

fn indicator(goal: &Goal, measure: &Measure) -> Result<Indicator, Complaint> {
    match &measure.counts {
        Counts::Whole(indicator) => Ok(indicator.clone()),
        Counts::Gauge { name, statistic, hold } => match (goal.op, goal.value) {
            (Some(op), Some(level)) => {
                Ok(Indicator::Gauge { name: name.clone(), statistic: *statistic, op, level, hold: *hold })
            }
            (op, _) => {
                let field = if op.is_none() { "op" } else { "value" };
                let reason = format!("missing field '{field}' in the objective, which a nines/gauge is compared by");
                Err(Complaint::new(goal.place, reason, Some("such as op: lte and value: 0.8")))
            }
        },
    }
}
