//! Indicators and shares in words, for people.

use std::fmt;

use nines_timeline::Share;

use crate::objective::{Indicator, Limit, Op, Party, Statistic};

impl fmt::Display for Indicator {
    /// One line, such as `requests ≤ 275 ms at 90 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Indicator::Availability { party, .. } => {
                let party = match party {
                    Party::Service => "service",
                    Party::Gateway => "gateway",
                };
                write!(f, "2xx / (2xx + charged to {party})")
            }
            Indicator::Latency { quantile, limit, each_endpoint } => {
                let share = percent(*quantile);
                match limit {
                    Limit::Micros(micros) => write!(f, "requests ≤ {} at {share}", length(*micros))?,
                    Limit::PreviousMonth => write!(f, "requests ≤ the previous month's {share} quantile at {share}")?,
                }
                if *each_endpoint { f.write_str(", each endpoint") } else { Ok(()) }
            }
            Indicator::Events { name } => write!(f, "good / total of {name}"),
            Indicator::Gauge { name, statistic, op, level, hold } => {
                let statistic = match statistic {
                    Statistic::Last => "last",
                    Statistic::Min => "min",
                    Statistic::Max => "max",
                    Statistic::Mean => "mean",
                };
                let op = match op {
                    Op::Lt => "<",
                    Op::Lte => "≤",
                    Op::Gt => ">",
                    Op::Gte => "≥",
                };
                write!(f, "{statistic} {name} {op} {}", level.0)?;
                match hold {
                    Some(hold) => write!(f, ", held {}", length(hold.0)),
                    None => Ok(()),
                }
            }
            Indicator::Sql(sql) => {
                write!(f, "({}) / ({}) of {}", sql.good, sql.total, sql.from)?;
                match &sql.filter {
                    Some(filter) => write!(f, " where {filter}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A share in percent, exactly: `99.95 %`.
pub(crate) fn percent(share: Share) -> String {
    let (numerator, denominator) = (u128::from(share.numerator()) * 100, u128::from(share.denominator()));
    let mut text = (numerator / denominator).to_string();
    let mut rest = numerator % denominator;
    // Denominators divide a power of ten, so this ends; those of other shares are cut off.
    for place in 0..18 {
        if rest == 0 {
            break;
        }
        if place == 0 {
            text.push('.');
        }
        text += &(rest * 10 / denominator).to_string();
        rest = rest * 10 % denominator;
    }
    text + " %"
}

/// A length in the largest unit in which it is whole.
pub(crate) fn length(micros: i64) -> String {
    let units = [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms")];
    match units.into_iter().find(|(unit, _)| micros % unit == 0) {
        Some((unit, name)) => format!("{} {name}", micros / unit),
        None => format!("{micros} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::{Causes, Hold, Level, SqlIndicator};

    #[test]
    fn indicators_read_as_a_line() {
        let quantile = "0.9".parse().unwrap();
        let latency = |limit, each_endpoint| Indicator::Latency { quantile, limit, each_endpoint }.to_string();
        assert_eq!(latency(Limit::Micros(275_000), false), "requests ≤ 275 ms at 90 %");
        assert_eq!(
            latency(Limit::PreviousMonth, true),
            "requests ≤ the previous month's 90 % quantile at 90 %, each endpoint"
        );
        let availability = Indicator::Availability { party: Party::Service, causes: Causes::default() };
        assert_eq!(availability.to_string(), "2xx / (2xx + charged to service)");
        let gauge = Indicator::Gauge {
            name: "queue".into(),
            statistic: Statistic::Max,
            op: Op::Lte,
            level: Level(0.8),
            hold: Some(Hold(600_000_000)),
        };
        assert_eq!(gauge.to_string(), "max queue ≤ 0.8, held 10 min");
        assert_eq!(Indicator::Events { name: "delivered".into() }.to_string(), "good / total of delivered");
        let sql = SqlIndicator {
            from: "events".into(),
            filter: Some("name = 'x'".into()),
            good: "good".into(),
            total: "total".into(),
        };
        assert_eq!(Indicator::Sql(sql).to_string(), "(good) / (total) of events where name = 'x'");
    }

    #[test]
    fn percents_are_exact() {
        let shown = |text: &str| percent(text.parse().unwrap());
        assert_eq!(shown("0.9995"), "99.95 %");
        assert_eq!(shown("1"), "100 %");
        assert_eq!(shown("0.000000000000000001"), "0.0000000000000001 %");
    }
}
