//! Units of how long a request took.

/// The unit in which a log writes how long a request took, where it writes whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyUnit {
    /// As Apache's `%T`.
    Seconds,
    /// As Tomcat's `%D`.
    Milliseconds,
    /// As Apache's `%D`.
    Microseconds,
    /// As Traefik's `Duration`.
    Nanoseconds,
}

impl LatencyUnit {
    /// Every unit, the longest first.
    pub const ALL: [LatencyUnit; 4] =
        [LatencyUnit::Seconds, LatencyUnit::Milliseconds, LatencyUnit::Microseconds, LatencyUnit::Nanoseconds];

    /// The unit as people write it: `s`, `ms`, `us` or `ns`.
    pub fn name(self) -> &'static str {
        match self {
            LatencyUnit::Seconds => "s",
            LatencyUnit::Milliseconds => "ms",
            LatencyUnit::Microseconds => "us",
            LatencyUnit::Nanoseconds => "ns",
        }
    }

    /// So many of them in seconds.
    pub(crate) fn seconds(self, number: u64) -> f64 {
        self.of(number as f64)
    }

    /// So many of them, perhaps not whole, in seconds.
    pub(crate) fn of(self, number: f64) -> f64 {
        let in_a_second = match self {
            LatencyUnit::Seconds => 1.0,
            LatencyUnit::Milliseconds => 1e3,
            LatencyUnit::Microseconds => 1e6,
            LatencyUnit::Nanoseconds => 1e9,
        };
        number / in_a_second
    }
}
