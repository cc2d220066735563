//! Aggregate functions. Each is a `GroupsAccumulator` whose partial states merge across partitions and
//! machines; without GROUP BY the same accumulator runs with one group.

pub mod error_sources;
pub mod error_union;
pub mod histogram_merge;
mod per_group;
pub mod ratio_timeline;
mod single;
mod slice_counts;
mod slices;
pub mod timeline;
