//! What is well defined and cannot be counted in this store: `nines apply` refuses it, and where an earlier version recorded it, it
//! alone is without figures.

use datafusion::catalog::Session;
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionContext;
use nines_slo::{Definitions, Indicator, Spec, Unmeasured, Version};
use nines_timeline::MICROS;

use super::expressions::Expression;
use super::inputs::raw;

/// Why an objective cannot be counted in a store whose slices are of so many µs: slices that the store's do not make up, SQL that
/// does not fit its table.
pub(crate) fn complaint(spec: &Spec, slot: i64, state: &SessionState) -> Option<String> {
    if let Some(wrong) = too_fine(spec.slice, slot) {
        return Some(wrong);
    }
    if spec.slices.offset() % slot != 0 {
        return Some(format!(
            "slices that begin at the calendar's time of day in {} do not begin where the store's slices of {} s do",
            spec.time_zone,
            slot / MICROS
        ));
    }
    let Indicator::Sql(sql) = &spec.indicator else { return None };
    let checked = raw(&sql.from).and_then(|kind| Expression::new(state, kind, sql));
    checked.err().map(|error| format!("{}: {}", spec.indicator_type, crate::wording::message(&error)))
}

/// Why slices of this width cannot be judged where stored slices have that one (µs).
pub(crate) fn too_fine(slice: i64, slot: i64) -> Option<String> {
    (slice % slot != 0).then(|| {
        format!(
            "slices of {} s cannot be judged in this store, whose slices are of {} s; a store of finer slices is made by \
             the first ingest into it, with --slice",
            slice / MICROS,
            slot / MICROS
        )
    })
}

/// Takes out of what is defined what cannot be counted, and says why.
pub(super) fn unmeasurable(definitions: &mut Definitions, session: &dyn Session, slot: i64) {
    let state = session.as_any().downcast_ref::<SessionState>().cloned();
    let state = state.unwrap_or_else(|| SessionContext::new().state());
    let mut found = Vec::new();
    for objective in &mut definitions.objectives {
        let (name, slo) = (objective.name.clone(), objective.slo.clone());
        objective.versions.retain(|Version { in_force, spec, .. }| {
            let Some(why) = spec.misfit.clone().or_else(|| complaint(spec, slot, &state)) else { return true };
            found.push(Unmeasured {
                objective: name.clone(),
                slo: slo.clone(),
                service: Some(spec.service.clone()),
                owner: spec.owner.clone(),
                target: Some(spec.target),
                in_force: *in_force,
                why: format!("{why}; correct it with: nines apply"),
            });
            false
        });
    }
    if found.is_empty() {
        return;
    }
    definitions.objectives.retain(|objective| !objective.versions.is_empty());
    let known = &definitions.objectives;
    for composite in &mut definitions.composites {
        composite.objectives.retain(|name| known.iter().any(|objective| objective.name == *name));
    }
    definitions.composites.retain(|composite| !composite.objectives.is_empty());
    definitions.unmeasured.extend(found);
    definitions.unmeasured.sort_by(|a, b| (&a.objective, a.in_force).cmp(&(&b.objective, b.in_force)));
}
