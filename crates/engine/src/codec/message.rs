//! What is written of an operator: Protocol Buffers, as DataFusion writes its own.

use datafusion_proto::protobuf::LogicalExprNode;

/// An operator of Nines.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Node {
    #[prost(oneof = "Operator", tags = "1, 2, 3")]
    pub operator: Option<Operator>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Operator {
    /// A table that is worked out: a call and all that stands under it.
    #[prost(message, tag = "1")]
    Call(Call),
    /// A leaf of an evaluation.
    #[prost(message, tag = "2")]
    Count(Count),
    /// What a plan shows before it runs.
    #[prost(message, tag = "3")]
    Shown(Shown),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Call {
    /// The URL of the store; empty where there is none.
    #[prost(string, tag = "1")]
    pub store: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "3")]
    pub given: Vec<LogicalExprNode>,
    #[prost(string, tag = "4")]
    pub zone: String,
    /// In µs.
    #[prost(sint64, tag = "5")]
    pub now: i64,
    #[prost(message, optional, tag = "6")]
    pub projection: Option<Columns>,
    #[prost(message, repeated, tag = "7")]
    pub filters: Vec<LogicalExprNode>,
    #[prost(uint64, optional, tag = "8")]
    pub limit: Option<u64>,
    #[prost(message, repeated, tag = "9")]
    pub pins: Vec<Pin>,
    /// Whether what is evaluated is kept.
    #[prost(bool, tag = "10")]
    pub keeps: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Columns {
    #[prost(uint32, repeated, tag = "1")]
    pub columns: Vec<u32>,
}

/// The version of a table that a statement sees.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Pin {
    #[prost(string, tag = "1")]
    pub table: String,
    /// None: nothing was ever written to it.
    #[prost(uint64, optional, tag = "2")]
    pub version: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Count {
    #[prost(string, tag = "1")]
    pub store: String,
    #[prost(string, tag = "2")]
    pub table: String,
    #[prost(uint64, optional, tag = "3")]
    pub version: Option<u64>,
    /// The store's slice width in µs.
    #[prost(sint64, tag = "4")]
    pub slot: i64,
    #[prost(bool, tag = "5")]
    pub strict: bool,
    /// Whether endpoints and causes are kept apart.
    #[prost(bool, tag = "6")]
    pub apart: bool,
    #[prost(enumeration = "Details", tag = "7")]
    pub details: i32,
    /// The distinct definitions that subjects name.
    #[prost(message, repeated, tag = "8")]
    pub definitions: Vec<Definition>,
    /// Arrow rows ([`subjects`](super::subjects)).
    #[prost(bytes = "vec", tag = "9")]
    pub subjects: Vec<u8>,
    /// Arrow rows: what is wanted of which day.
    #[prost(bytes = "vec", tag = "10")]
    pub wanted: Vec<u8>,
    /// Of each partition.
    #[prost(message, repeated, tag = "11")]
    pub days: Vec<Days>,
}

/// What an objective says, under a hash of it.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Definition {
    #[prost(fixed64, tag = "1")]
    pub hash: u64,
    #[prost(string, tag = "2")]
    pub text: String,
}

/// Days since 1970, the last one exclusive.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Days {
    #[prost(sint32, tag = "1")]
    pub start: i32,
    #[prost(sint32, tag = "2")]
    pub end: i32,
}

/// What parts carry besides their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Details {
    None = 0,
    Slices = 1,
    Culprits = 2,
    Events = 3,
    EventsOfAll = 4,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Shown {}
