//! An aggregate function, made of an accumulator of groups.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, GroupsAccumulator};

use super::accumulator::{Fresh, Lasting};
use super::distinct::{self, Distinct};
use super::single::Single;
use super::sliding::Sliding;

/// An accumulator, and what planning must know of it.
pub(crate) trait Aggregate: Fresh + Lasting {
    /// Whether the same row twice says no more than once, so that DISTINCT changes nothing.
    const IDEMPOTENT: bool;

    /// Refuses, while planning, arguments that cannot work.
    fn check(_arguments: &[FieldRef]) -> Result<()> {
        Ok(())
    }

    /// The columns of a partial state.
    fn state_fields(name: &str, result: DataType) -> Vec<FieldRef>;

    /// An accumulator without groups.
    fn create(args: &AccumulatorArgs) -> Result<Self>;
}

/// For queries without GROUP BY, and windows that only grow.
pub(crate) fn accumulator<G: Aggregate>(args: &AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
    let groups = G::create(args)?;
    if args.is_distinct && !G::IDEMPOTENT {
        return Ok(Box::new(Single::new(Distinct::new(groups, args.expr_fields)?)));
    }
    Ok(Box::new(Single::new(groups)))
}

/// For windows that rows leave.
pub(crate) fn sliding<G: Aggregate>(args: &AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
    let groups = G::create(args)?;
    if args.is_distinct && !G::IDEMPOTENT {
        return Ok(Box::new(Sliding::new(Distinct::new(groups, args.expr_fields)?)));
    }
    Ok(Box::new(Sliding::new(groups)))
}

/// For queries with GROUP BY.
pub(crate) fn groups<G: Aggregate>(args: &AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
    let groups = G::create(args)?;
    if args.is_distinct && !G::IDEMPOTENT {
        return Ok(Box::new(Distinct::new(groups, args.expr_fields)?));
    }
    Ok(Box::new(groups))
}

/// The columns of the partial states of the three.
pub(crate) fn state_fields<G: Aggregate>(args: &StateFieldsArgs, result: DataType) -> Vec<FieldRef> {
    if args.is_distinct && !G::IDEMPOTENT {
        return vec![distinct::state_field(args.name, args.input_fields)];
    }
    G::state_fields(args.name, result)
}

/// Defines an aggregate function:
/// `#[user_doc(…)] Type, "name", required, [(parameter, kind), …], result type, accumulator`.
macro_rules! aggregate_function {
    (
        $(#[$doc:meta])*
        $type:ident, $name:literal, $required:literal, [$($parameter:expr),* $(,)?], $returns:expr, $accumulator:ty
    ) => {
        crate::function::function_type! { $(#[$doc])* $type, $name, $required, [$($parameter),*] }

        impl datafusion::logical_expr::AggregateUDFImpl for $type {
            crate::function::common_methods! { $name, $returns }

            fn return_field(
                &self,
                arguments: &[datafusion::arrow::datatypes::FieldRef],
            ) -> datafusion::common::Result<datafusion::arrow::datatypes::FieldRef> {
                <$accumulator as crate::aggregate::function::Aggregate>::check(arguments)?;
                Ok(std::sync::Arc::new(datafusion::arrow::datatypes::Field::new($name, $returns, true)))
            }

            fn state_fields(
                &self,
                args: datafusion::logical_expr::function::StateFieldsArgs,
            ) -> datafusion::common::Result<Vec<datafusion::arrow::datatypes::FieldRef>> {
                Ok(crate::aggregate::function::state_fields::<$accumulator>(&args, $returns))
            }

            fn accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
                crate::aggregate::function::accumulator::<$accumulator>(&args)
            }

            fn create_sliding_accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
                crate::aggregate::function::sliding::<$accumulator>(&args)
            }

            fn groups_accumulator_supported(&self, _: datafusion::logical_expr::function::AccumulatorArgs) -> bool {
                true
            }

            fn create_groups_accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::GroupsAccumulator>> {
                crate::aggregate::function::groups::<$accumulator>(&args)
            }

            /// Rows with NULL count nothing; those that extend a span nevertheless do not with IGNORE NULLS.
            fn supports_null_handling_clause(&self) -> bool {
                true
            }

            crate::aggregate::function::any_order! {}
        }
    };
}
pub(crate) use aggregate_function;

/// The methods of an aggregate to which the order of its rows is nothing: an ORDER BY inside it costs no sort, and
/// a window may run backwards.
macro_rules! any_order {
    () => {
        fn order_sensitivity(&self) -> datafusion::logical_expr::utils::AggregateOrderSensitivity {
            datafusion::logical_expr::utils::AggregateOrderSensitivity::Insensitive
        }

        fn reverse_expr(&self) -> datafusion::logical_expr::ReversedUDAF {
            datafusion::logical_expr::ReversedUDAF::Identical
        }
    };
}
pub(crate) use any_order;
