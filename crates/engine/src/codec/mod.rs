//! Plans that travel: how the operators of Nines are written and read by `datafusion-proto`, so that another process that sees the same
//! store runs them.
//!
//! A call such as `report(from, to)` is written as what was asked, with the versions that the statement sees; whoever reads it plans it
//! again without I/O. A leaf of an evaluation is written wholly: its subjects, its days, and, by DataFusion, its scan with the files.
//! Scans of stored tables are DataFusion's own; [`Codec::of`] makes the objects of the store known under the URL that they name.
//!
//! What must hold: what is read says the same as what was written, or is refused. What is only proposed, and what writes, runs where it was
//! planned.

mod call;
mod leaf;
mod message;
mod subjects;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use datafusion::common::{internal_datafusion_err, not_impl_err, plan_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use prost::Message;

use crate::deferred::DeferredExec;
use crate::engine::Engine;
use crate::evaluate::{AnswerExec, CountExec, Read, ResolveExec, Template};
use crate::location::StoreLocation;
use message::{Node, Operator, Shown};

/// The operator under a call of `credits` that ran.
const CREDITS: &str = "CreditsExec";

/// Writes and reads the operators of Nines, for plans over the store of an engine.
#[derive(Clone)]
pub struct Codec {
    place: Arc<StoreLocation>,
    read: Arc<Read>,
}

impl Codec {
    /// Over the store of an engine, whose memory and disk know its objects from now on.
    pub fn of(engine: &Engine) -> crate::Result<Self> {
        if let Some(store) = engine.store() {
            store.register(engine.runtime())?;
        }
        Ok(Codec { place: Arc::clone(engine.place()), read: Arc::new(Read::of(engine.evaluations())) })
    }

    /// The URL of the store; empty where there is none.
    fn store(&self) -> &str {
        self.place.store().map_or("", |store| store.url().as_str())
    }

    /// Refuses a plan over another store.
    fn check(&self, store: &str) -> Result<()> {
        let own = self.store();
        match store == own {
            true => Ok(()),
            false => plan_err!(
                "a plan over the store {store:?} came to an engine over {own:?}; send it to one over the same store"
            ),
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").field("store", &self.store()).finish_non_exhaustive()
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let node =
            Node::decode(bytes).map_err(|error| internal_datafusion_err!("an operator cannot be read: {error}"))?;
        match node.operator {
            Some(Operator::Call(call)) => {
                self.check(&call.store)?;
                call::planned(call, context, &self.place, &self.read)
            }
            Some(Operator::Count(count)) => {
                self.check(&count.store)?;
                Ok(Arc::new(leaf::read(&count, inputs, context, &self.read)?))
            }
            Some(Operator::Shown(Shown {})) => Ok(Arc::new(Template::new())),
            None => plan_err!("an operator that this version of nines does not know; use the same version everywhere"),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let operator = if let Some(answer) = node.downcast_ref::<AnswerExec>() {
            Operator::Call(call::message(answer.call(), answer.view())?)
        } else if let Some(deferred) = node.downcast_ref::<DeferredExec>() {
            Operator::Call(call::message(deferred.call(), deferred.view())?)
        } else if let Some(leaf) = node.downcast_ref::<CountExec>() {
            Operator::Count(leaf::message(leaf, self.store())?)
        } else if node.is::<ResolveExec>() || node.is::<Template>() || node.name() == CREDITS {
            // Made again with the call above it.
            Operator::Shown(Shown {})
        } else {
            return not_impl_err!("{} runs where it was planned, and cannot be sent elsewhere", node.name());
        };
        Node { operator: Some(operator) }
            .encode(bytes)
            .map_err(|error| internal_datafusion_err!("an operator cannot be written: {error}"))
    }

    /// A function travels by its name, and what its types do not say beside it: the zone whose calendar a day is of.
    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.extend_from_slice(nines_functions::zone_of_to_date(function).unwrap_or_default().as_bytes());
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        match (name, std::str::from_utf8(bytes)) {
            ("to_date", Ok(zone)) if !zone.is_empty() => Ok(nines_functions::to_date(&zone.into())),
            _ => plan_err!("this version of nines knows no function {name}; use the same version everywhere"),
        }
    }
}
