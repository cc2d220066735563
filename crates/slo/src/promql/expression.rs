//! Expressions of PromQL as a tree.

use super::Selector;

/// An expression and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression {
    pub at: usize,
    pub node: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// As it is written.
    Number(String),
    Text,
    /// `x{…}`, or with a range as it is written: `x{…}[5m]`.
    Series {
        selector: Selector,
        range: Option<String>,
    },
    /// `rate(…)`, or an aggregation: `sum by (job) (…)`.
    Call {
        function: String,
        arguments: Vec<Expression>,
        grouping: Option<Grouping>,
    },
    Binary {
        sign: String,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Negative(Box<Expression>),
}

/// Which labels an aggregation keeps, or leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grouping {
    pub by: bool,
    pub labels: Vec<String>,
}
