//! Samples of metrics into tables, by a mapping: from files, or from a server that is asked for them.
//!
//! Each table has a commit of its own; what makes its rows count once stands in the same commit, as marks. Files *add*, as raw
//! files do: of each series is remembered when its last sample was taken and what it was, so that the next file goes on from
//! there, and what is known already counts nothing. What is pulled from a server *replaces*, slice by slice: whole slices alone are
//! stored, and the mark says up to when.

mod files;
mod marks;
mod pull;
mod rows;
mod what;

pub use what::{MetricFiles, MetricTable, MetricsLoaded, Pull, Pulled, RowsOf};
