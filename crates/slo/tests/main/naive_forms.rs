//! The forms of credits that are drawn, and how they are written.

use proptest::prelude::*;

/// A fraction of whole numbers.
pub type Ratio = (i128, i128);

#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Bound in thousandths of a percent, whether it applies at the bound, and what it is worth, for each tier.
    Tiers([(i128, bool, Worth); 2]),
    Steps {
        outage: bool,
        per: i64,
        after: i64,
        begun: bool,
        worth: Worth,
        per_day: Option<i128>,
    },
    Linear {
        thousandths: i128,
        below_commitment: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Worth {
    Percent(i128),
    Days(i128),
}

impl Worth {
    pub fn text(self) -> String {
        match self {
            Worth::Percent(percent) => format!("percent: {percent}"),
            Worth::Days(days) => format!("days: {days}"),
        }
    }

    pub fn share(self, of_days: i128) -> Ratio {
        match self {
            Worth::Percent(percent) => (percent, 100),
            Worth::Days(days) => (days, of_days),
        }
    }
}

impl Form {
    /// As the agreement's `credits`.
    pub fn text(&self) -> String {
        match *self {
            Form::Tiers(tiers) => {
                let tiers = tiers.map(|(bound, at, worth)| {
                    let key = if at { "atOrBelow" } else { "below" };
                    format!("{{{key}: {}%, {}}}", thousandths(bound), worth.text())
                });
                format!("[{}]", tiers.join(", "))
            }
            Form::Steps { outage, per, after, begun, worth, per_day } => {
                let of = if outage { "outage" } else { "downtime" };
                let round = if begun { "up" } else { "down" };
                let after = if after > 0 { format!(", after: {after}m") } else { String::new() };
                let most = per_day.map_or_else(String::new, |most| format!(", atMost: {most} per day"));
                format!("{{per: {per}m, of: {of}{after}, round: {round}, {}{most}}}", worth.text())
            }
            Form::Linear { thousandths: times, below_commitment } => {
                let of = if below_commitment { "shortfall" } else { "unavailability" };
                format!("{{times: {}, of: {of}}}", thousandths(times))
            }
        }
    }
}

pub fn thousandths(number: i128) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

/// The nearest whole number or the one below, by the name of the mode.
pub fn rounded((n, d): Ratio, mode: &str) -> i128 {
    let (whole, rest) = (n / d, n % d);
    let up = match mode {
        "half-up" => 2 * rest >= d,
        "half-even" => 2 * rest > d || 2 * rest == d && whole % 2 == 1,
        _ => false,
    };
    whole + i128::from(up)
}

fn worth() -> impl Strategy<Value = Worth> {
    prop_oneof![(1..40i128).prop_map(Worth::Percent), (1..9i128).prop_map(Worth::Days)]
}

/// Beside a commitment of so many thousandths of a percent.
pub fn form(commitment: i128) -> impl Strategy<Value = Form> {
    let tiers = (any::<bool>(), any::<bool>(), 1..10i128, 11..99i128, any::<bool>(), 95 * commitment / 100..commitment);
    prop_oneof![
        tiers.prop_map(move |(first, second, low, high, days, bound)| {
            let low = if days { Worth::Days(low.min(3)) } else { Worth::Percent(low) };
            Form::Tiers([(commitment - i128::from(first), first, low), (bound - 1, second, Worth::Percent(high))])
        }),
        (any::<bool>(), 1..120i64, 0..90i64, any::<bool>(), worth(), prop::option::of(1..4i128)).prop_map(
            |(outage, per, after, begun, worth, per_day)| Form::Steps { outage, per, after, begun, worth, per_day }
        ),
        (1..9000i128, any::<bool>())
            .prop_map(|(thousandths, below_commitment)| Form::Linear { thousandths, below_commitment }),
    ]
}

pub fn mode() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["half-up", "half-even", "down"])
}
