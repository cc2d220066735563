//! Aggregate functions. Each is a `GroupsAccumulator` whose partial states merge across partitions and
//! machines; without GROUP BY the same accumulator runs with one group.
//!
//! A function file gives its documentation, its parameters, its result type and its accumulator;
//! [`aggregate_function!`] makes the rest, by [`accumulator`], [`sliding`], [`groups`] and [`state_fields`]. What
//! DataFusion asks of an aggregate holds for all of them: it is evaluated again and again while a window grows
//! ([`single`]), rows leave a window that slides ([`sliding`]), DISTINCT counts equal rows once ([`distinct`]), and
//! the order of rows never tells.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, GroupsAccumulator};

pub mod avg;
mod distinct;
pub mod error_sources;
pub mod error_union;
pub mod histogram_merge;
mod page;
mod per_group;
pub mod ratio_timeline;
mod single;
mod slice_counts;
mod slices;
mod sliding;
pub mod sum;
mod summand;
pub mod timeline;
mod total;
mod totals;

use distinct::Distinct;
use single::Single;
use sliding::Sliding;

/// An accumulator that can be had without groups, as often as needed.
pub(crate) trait Fresh: GroupsAccumulator + Sync + Sized + 'static {
    /// The same accumulator without groups.
    fn fresh(&self) -> Self;
}

/// An accumulator whose groups stay as they are when they are read.
pub(crate) trait Lasting: GroupsAccumulator + Sync + Sized + 'static {
    /// The results of all groups.
    fn results(&mut self) -> Result<ArrayRef>;

    /// The partial states of all groups.
    fn states(&mut self) -> Result<Vec<ArrayRef>>;
}

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
                <$accumulator as crate::aggregate::Aggregate>::check(arguments)?;
                Ok(std::sync::Arc::new(datafusion::arrow::datatypes::Field::new($name, $returns, true)))
            }

            fn state_fields(
                &self,
                args: datafusion::logical_expr::function::StateFieldsArgs,
            ) -> datafusion::common::Result<Vec<datafusion::arrow::datatypes::FieldRef>> {
                Ok(crate::aggregate::state_fields::<$accumulator>(&args, $returns))
            }

            fn accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
                crate::aggregate::accumulator::<$accumulator>(&args)
            }

            fn create_sliding_accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
                crate::aggregate::sliding::<$accumulator>(&args)
            }

            fn groups_accumulator_supported(&self, _: datafusion::logical_expr::function::AccumulatorArgs) -> bool {
                true
            }

            fn create_groups_accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::GroupsAccumulator>> {
                crate::aggregate::groups::<$accumulator>(&args)
            }

            /// Rows with NULL count nothing; those that extend a span nevertheless do not with IGNORE NULLS.
            fn supports_null_handling_clause(&self) -> bool {
                true
            }

            crate::aggregate::any_order! {}
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
