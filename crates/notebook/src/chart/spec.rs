//! A chart as a notebook asks for it.

/// The kinds of charts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChartKind {
    /// Values over time or over a number.
    #[default]
    Line,
    /// Values side by side.
    Bar,
    /// States over time, one row each.
    Timeline,
    /// Values by colour, one cell per day.
    Heatmap,
}

impl ChartKind {
    /// All of them.
    pub const ALL: &'static [ChartKind] = &[ChartKind::Line, ChartKind::Bar, ChartKind::Timeline, ChartKind::Heatmap];

    /// As it is written in a notebook.
    pub fn name(self) -> &'static str {
        match self {
            ChartKind::Line => "line",
            ChartKind::Bar => "bar",
            ChartKind::Timeline => "timeline",
            ChartKind::Heatmap => "heatmap",
        }
    }
}

/// A chart as a notebook asks for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartSpec {
    /// Which one.
    pub kind: ChartKind,
    /// The column along the chart.
    pub x: Option<String>,
    /// The columns of values.
    pub y: Vec<String>,
    /// The column that tells series apart.
    pub series: Option<String>,
    /// A rule across the chart, in the values' own measure.
    pub target: Option<f64>,
    /// Whether bars stand on top of each other.
    pub stack: bool,
}
