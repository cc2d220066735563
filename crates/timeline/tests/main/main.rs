//! The algebra against slice-by-slice computation: the shared vectors, and properties of random timelines.

mod naive;
mod properties;
mod vectors;
