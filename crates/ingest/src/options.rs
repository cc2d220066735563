//! How an input is to be understood.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::common::ScalarValue;
use nines_store::TableKind;

use crate::order::{Order, RepeatedHour, SharedOrder};
use crate::{
    AgreedLimits, CauseNames, EndpointNames, ErrorKind, Format, Found, FromField, IngestError, LatencyUnit, Limits,
    LogFormat, Piece, Rejected, Result, Seen, from_field,
};

/// How an input is to be understood: which table it fills and what it leaves unsaid.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The table that the rows are for.
    pub kind: TableKind,
    /// The store's slice width; `time` is rounded down to it.
    pub slice_seconds: i64,
    /// The business of rows that name none: the column is absent, or empty in that row.
    pub business: Option<String>,
    /// The service of rows that name none, likewise.
    pub service: Option<String>,
    /// The source of rows that name none, likewise.
    pub source: Option<String>,
    /// The time zone of times that are written without one.
    pub time_zone: Tz,
    /// Which of two a local time is that a clock change repeats; `None`: the order of the rows tells.
    pub repeated_hour: Option<RepeatedHour>,
    /// The instants that samples may have; `None`: any.
    pub limits: Option<Limits>,
    /// What the rows of a series are.
    pub rows: RowsAre,
    /// What is put behind the source of each row: the name of the piece that it is from.
    pub piece: Option<String>,
    /// Told the times of all rows.
    pub seen: Arc<Seen>,
    /// The times so far of rows that come batch by batch.
    pub(crate) order: SharedOrder,
    /// The unit of a whole number at the end of a log's line. `None`: such a number is no latency.
    pub latency_unit: Option<LatencyUnit>,
    /// How the lines of a log are laid out; `None`: in common or combined log format.
    pub log_format: Option<Arc<LogFormat>>,
    /// Fields of the input that fill columns of another name, and labels.
    pub from: Vec<FromField>,
    /// What the texts of the field are called that fills `cause`.
    pub causes: CauseNames,
    /// How endpoints are called.
    pub endpoints: EndpointNames,
    /// Limits of latencies within which requests are counted exactly.
    pub agreed: Arc<AgreedLimits>,
    /// Told what was found in fields that fill columns, and which names were too many.
    pub found: Arc<Found>,
    /// Where refused lines and rows go while the rest goes in; `None`: one refuses all.
    pub rejected: Option<Arc<Rejected>>,
}

/// What the rows of a series are: that is the same for all rows of an input, unless the caller says that it does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowsAre {
    /// Either, row by row.
    #[default]
    Any,
    /// Single requests, events or samples: none carries a count.
    Raw,
    /// Aggregates: each carries its counts.
    Counted,
}

impl Options {
    /// Rows for this table, nothing filled in, zoneless times in UTC.
    pub fn new(kind: TableKind, slice_seconds: i64) -> Self {
        Self {
            kind,
            slice_seconds,
            business: None,
            service: None,
            source: None,
            time_zone: Tz::UTC,
            repeated_hour: None,
            limits: None,
            rows: RowsAre::Any,
            piece: None,
            latency_unit: None,
            log_format: None,
            from: Vec::new(),
            causes: CauseNames::default(),
            endpoints: EndpointNames::default(),
            agreed: Arc::default(),
            found: Arc::default(),
            rejected: None,
            seen: Arc::default(),
            order: SharedOrder::default(),
        }
    }

    /// The same for the next input, whose rows follow none that were read before.
    #[must_use]
    pub fn for_next_input(&self) -> Self {
        Self { order: SharedOrder::default(), ..self.clone() }
    }

    /// The same for a piece of a file: its rows are single ones, and their sources bear its name. Samples of a gauge are
    /// of their source, because evaluation takes each source of a gauge for another measuring place.
    #[must_use]
    pub fn for_piece(&self, piece: &Piece) -> Self {
        let log = (piece.format() == Format::Log).then(|| "log".to_string());
        Self {
            rows: RowsAre::Raw,
            source: self.source.clone().filter(|source| !source.is_empty()).or(log),
            piece: (self.kind != TableKind::Gauges).then(|| format!("/{}", piece.name())),
            ..self.for_next_input()
        }
    }

    /// The same for rows that follow others.
    pub(crate) fn after(self, rows: Option<Order>) -> Self {
        match rows {
            Some(order) => Self { order: SharedOrder::of(order), ..self },
            None => self,
        }
    }

    /// What fills an empty field of this column.
    pub(crate) fn fill(&self, column: &str) -> &str {
        let option = match column {
            "business" => &self.business,
            "service" => &self.service,
            "source" => &self.source,
            _ => &None,
        };
        option.as_deref().unwrap_or_default()
    }

    /// What stands in this column of a record where the input has nothing; `None` where it must have something.
    pub(crate) fn default_of(&self, column: &str) -> Option<ScalarValue> {
        match self.fill(column) {
            "" => self.kind.default_of(column),
            fill => Some(ScalarValue::Utf8View(Some(fill.to_string()))),
        }
    }

    /// Refuses what cannot be meant: a table that is not loaded, a slice of no width, or filling a column that the
    /// table does not have.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(instead) = self.kind.kept_by_nines() {
            let problem = format!("the table {} is not loaded from files", self.kind.name());
            return Err(IngestError::new(ErrorKind::Options, problem).advice(instead));
        }
        self.slice_micros()?;
        from_field::check(&self.from, self.kind)?;
        if !self.kind.is_series() && !self.endpoints.options().is_empty() {
            let problem =
                format!("{}: rows of {} have no endpoints", self.endpoints.options().join(" "), self.kind.name());
            return Err(IngestError::new(ErrorKind::Options, problem).advice("Leave it out"));
        }
        let given = [("business", &self.business), ("service", &self.service), ("source", &self.source)];
        let schema = self.kind.schema(self.slice_seconds);
        match given.into_iter().find(|(name, fill)| fill.is_some() && schema.field_with_name(name).is_err()) {
            Some((name, _)) => {
                let problem = format!("the table {} has no column {name:?} to fill", self.kind.name());
                Err(IngestError::new(ErrorKind::Options, problem).column(name).advice(format!("Leave --{name} out")))
            }
            None => Ok(()),
        }
    }

    /// The slice width in microseconds.
    pub(crate) fn slice_micros(&self) -> Result<i64> {
        self.slice_seconds.checked_mul(1_000_000).filter(|&micros| micros > 0).ok_or_else(|| {
            IngestError::new(ErrorKind::Options, format!("the slice width is {} seconds", self.slice_seconds))
                .expected("a positive number of seconds")
        })
    }
}
