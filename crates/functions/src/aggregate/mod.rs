//! Aggregate functions. Each is a `GroupsAccumulator` whose partial states merge across partitions and
//! machines; without GROUP BY the same accumulator runs with one group.
//!
//! A function file gives its documentation, its parameters, its result type and its accumulator;
//! [`aggregate_function!`] makes the rest.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::GroupsAccumulator;
use datafusion::logical_expr::function::AccumulatorArgs;

pub mod error_sources;
pub mod error_union;
pub mod histogram_merge;
mod page;
mod per_group;
pub mod ratio_timeline;
mod single;
mod slice_counts;
mod slices;
pub mod timeline;

/// An accumulator, and what planning must know of it.
pub(crate) trait Aggregate: GroupsAccumulator + Sync + Sized + 'static {
    /// Refuses, while planning, arguments that cannot work.
    fn check(_arguments: &[FieldRef]) -> Result<()> {
        Ok(())
    }

    /// The columns of a partial state.
    fn state_fields(name: &str, result: DataType) -> Vec<FieldRef>;

    /// An accumulator without groups.
    fn create(args: &AccumulatorArgs) -> Result<Self>;
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
                Ok(<$accumulator as crate::aggregate::Aggregate>::state_fields(args.name, $returns))
            }

            fn accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
                let groups = <$accumulator as crate::aggregate::Aggregate>::create(&args)?;
                Ok(Box::new(crate::aggregate::single::Single::new(groups)))
            }

            fn groups_accumulator_supported(&self, _: datafusion::logical_expr::function::AccumulatorArgs) -> bool {
                true
            }

            fn create_groups_accumulator(
                &self,
                args: datafusion::logical_expr::function::AccumulatorArgs,
            ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::GroupsAccumulator>> {
                Ok(Box::new(<$accumulator as crate::aggregate::Aggregate>::create(&args)?))
            }
        }
    };
}
pub(crate) use aggregate_function;
