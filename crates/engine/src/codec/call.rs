//! Calls: what was asked, and what the statement sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{ScalarValue, not_impl_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::DefaultLogicalExtensionCodec;
use datafusion_proto::logical_plan::from_proto::parse_exprs;
use datafusion_proto::logical_plan::to_proto::serialize_exprs;
use nines_slo::moment::Moment;
use nines_store::TableKind;

use super::message;
use crate::evaluate::{Proposed, Read, View};
use crate::location::StoreLocation;
use crate::statement::{Now, Pins};
use crate::table_call::TableCall;
use crate::{Role, answers, deferred_functions, defined};

/// What is written of a call.
pub(super) fn message(call: &TableCall, view: &View) -> Result<message::Call> {
    let config = view.config();
    if config.get_extension::<Proposed>().is_some() {
        return not_impl_err!("what is only proposed is evaluated where it was proposed, and cannot be sent elsewhere");
    }
    let pins = view.pins()?;
    let role = config.get_extension::<Role>().map_or_else(Role::default, |role| *role);
    let given: Vec<Expr> = call.given.iter().map(|value| lit(value.clone())).collect();
    let written = |expressions: &[Expr]| {
        serialize_exprs(expressions, &DefaultLogicalExtensionCodec {}).map_err(|error| plan_datafusion_err!("{error}"))
    };
    let columns = |columns: &Vec<usize>| message::Columns { columns: columns.iter().map(|at| *at as u32).collect() };
    let pin = |(kind, version): (TableKind, Option<u64>)| message::Pin { table: kind.name().to_string(), version };
    Ok(message::Call {
        store: view.place.store().map_or_else(String::new, |store| store.url().to_string()),
        name: call.name.clone(),
        given: written(&given)?,
        zone: call.at.zone.name().to_string(),
        now: call.at.now,
        projection: call.projection.as_ref().map(columns),
        filters: written(&call.filters)?,
        limit: call.limit.map(|limit| limit as u64),
        pins: pins.versions().into_iter().map(pin).collect(),
        keeps: role.keeps() && pins.past().is_none(),
    })
}

/// The operators of a call, which see what the statement saw.
pub(super) fn planned(
    call: message::Call,
    context: &TaskContext,
    place: &Arc<StoreLocation>,
    read: &Arc<Read>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut versions = BTreeMap::new();
    for message::Pin { table, version } in call.pins {
        let kind = TableKind::from_name(&table);
        let kind = kind.ok_or_else(|| plan_datafusion_err!("this version of nines knows no table {table}"))?;
        versions.insert(kind, version);
    }
    let config = context.session_config().clone();
    let config = config
        .with_extension(Arc::new(Pins::given(versions)))
        .with_extension(Arc::new(Now(call.now)))
        .with_extension(Arc::new(if call.keeps { Role::Admin } else { Role::Reader }));
    let parsed = |expressions: &[_]| parse_exprs(expressions, context, &DefaultLogicalExtensionCodec {});
    let zone = call.zone.parse().map_err(|_| plan_datafusion_err!("{:?} is no time zone", call.zone))?;
    let called = TableCall {
        name: call.name,
        given: parsed(&call.given)?.into_iter().map(constant).collect::<Result<_>>()?,
        at: Moment { now: call.now, zone },
        projection: call.projection.map(|of| of.columns.into_iter().map(|at| at as usize).collect()),
        filters: parsed(&call.filters)?,
        limit: call.limit.map(|limit| limit as usize),
    };
    let view = || View::given(&config, &context.runtime_env(), place, read);
    if let Some(answer) = answers::planned(called.clone(), view()?)? {
        return Ok(Arc::new(answer));
    }
    if let Some(table) = defined::planned(called.clone(), view()?)? {
        return Ok(Arc::new(table));
    }
    match deferred_functions::planned(&called, view)? {
        Some(deferred) => Ok(Arc::new(deferred)),
        None => plan_err!("this version of nines knows no function or table {}", called.name),
    }
}

fn constant(expression: Expr) -> Result<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Ok(value),
        other => plan_err!("{other} is no constant"),
    }
}
