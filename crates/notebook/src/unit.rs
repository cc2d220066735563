//! Measures of columns: what stands behind a number, and how it is rounded.

/// The measure of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Unit {
    /// By the column's name: what Nines itself calls `mttr` and the like, `…error_time` or `…_seconds` is a duration.
    #[default]
    Guess,
    /// A number and no more.
    None,
    /// A share of 1, shown in percent.
    Percent,
    /// A duration in so many seconds each.
    Duration(f64),
    /// A number with this behind it.
    Suffix(String),
}

impl Unit {
    /// Reads a unit's name; an unknown one is a suffix.
    pub fn read(name: &str) -> Self {
        match name {
            "%" | "percent" => Unit::Percent,
            "none" => Unit::None,
            "ms" => Unit::Duration(0.001),
            "s" | "seconds" => Unit::Duration(1.0),
            "min" | "minutes" => Unit::Duration(60.0),
            "h" | "hours" => Unit::Duration(3600.0),
            other => Unit::Suffix(other.to_string()),
        }
    }

    /// As [`Unit::read`] reads it.
    pub fn name(&self) -> &str {
        match self {
            Unit::Guess => "",
            Unit::None => "none",
            Unit::Percent => "%",
            Unit::Duration(each) if *each < 1.0 => "ms",
            Unit::Duration(each) if *each < 60.0 => "seconds",
            Unit::Duration(each) if *each < 3600.0 => "minutes",
            Unit::Duration(_) => "hours",
            Unit::Suffix(name) => name,
        }
    }

    /// The measure that a column's name tells.
    pub fn of_name(column: &str) -> Self {
        // Words of a heading count as those of a name.
        let column = column.replace(' ', "_");
        match column.as_str() {
            "mtti" | "mttk" | "mttf" | "mttv" | "mttr" | "mtbf" | "incident_mttr" => Unit::Duration(1.0),
            _ if column.ends_with("error_time") || column.ends_with("error_time_before") => Unit::Duration(1.0),
            _ if column.ends_with("_seconds") => Unit::Duration(1.0),
            _ if column.ends_with("_minutes") => Unit::Duration(60.0),
            _ => Unit::None,
        }
    }
}

/// The measures of a result's columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units {
    /// That of the columns of `y`, or of all floats.
    pub all: Unit,
    /// Those of single columns.
    pub columns: Vec<(String, Unit)>,
}

impl Units {
    /// Reads `%` or `slo:%,cost:EUR`.
    pub fn read(text: &str) -> Self {
        let mut units = Units::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.rsplit_once(':') {
                Some((column, unit)) => units.columns.push((column.to_string(), Unit::read(unit))),
                None => units.all = Unit::read(part),
            }
        }
        units
    }

    /// The measure of a column; `main` if `all` is meant for it.
    pub fn of(&self, column: &str, main: bool) -> Unit {
        let own = self.columns.iter().find(|(name, _)| name == column).map(|(_, unit)| unit.clone());
        own.or_else(|| (main && self.all != Unit::Guess).then(|| self.all.clone()))
            .unwrap_or_else(|| Unit::of_name(column))
    }
}
