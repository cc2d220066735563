//! What figures come to, and what is owed for them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use nines_slo::Fraction;

use super::clock::{DAY, day_of_month, first_at};
use super::counted::Counted;
use super::drawn::{Cap, Case, Each};
use super::figure::{Assumed, Figure, product, rounded};
use super::time::Time;
use crate::naive::{sum, whole};

/// All figures, by metric and member, and what they come to.
#[derive(Debug, Clone)]
pub struct Owed {
    pub figures: Vec<(usize, &'static str, Figure)>,
    /// Which of them decides.
    pub decides: usize,
    pub percent: Fraction,
    /// In 10⁻⁶ of the currency's unit.
    pub amount: i128,
    pub base: i128,
    pub below_min: bool,
}

/// What a metric counted, by member where each is judged by itself.
pub type OfMembers = Vec<(&'static str, Counted)>;

impl Case {
    /// What decides of what was counted: members that count together, and of each slice the member that decides it, are one.
    pub fn judged(&self, at: usize, time: &Time, surely: bool) -> OfMembers {
        let metric = &self.metrics[at];
        let members = metric.counted(self, surely);
        match metric.each {
            Each::Any | Each::All { .. } => vec![("", metric.joined(time, &members, self.slots.len()))],
            _ if members.is_empty() => vec![("", vec![(0, 0); self.slots.len()])],
            _ => members,
        }
    }

    /// What is owed, at best and at worst, by what was counted of each metric.
    pub fn owed(&self, times: &[Time], counted: &[OfMembers]) -> [Owed; 3] {
        let mut found = [const { Vec::new() }; 3];
        for (at, ((metric, time), members)) in self.metrics.iter().zip(times).zip(counted).enumerate() {
            for (name, counted) in members {
                let figure = |assumed| self.figure(metric, time, counted, assumed);
                let agreed = figure(Assumed::Agreed);
                let is_lost = time.lost.iter().any(Option::is_some);
                let best = if is_lost { figure(Assumed::Best) } else { agreed.clone() };
                let worst = figure(Assumed::Worst);
                // What is estimated may be less than what was counted.
                let best = if best.availability < agreed.availability { agreed.clone() } else { best };
                found.iter_mut().zip([agreed, best, worst]).for_each(|(all, own)| all.push((at, *name, own)));
            }
        }
        found.map(|figures| self.together(times, figures))
    }

    fn together(&self, times: &[Time], figures: Vec<(usize, &'static str, Figure)>) -> Owed {
        let largest = |at: usize| {
            let own = figures.iter().filter(|(metric, ..)| *metric == at);
            own.map(|(.., figure)| figure.share.clone()).max().unwrap()
        };
        let shares = (0..self.metrics.len()).map(largest);
        let share = if self.sum { sum(shares) } else { shares.max().unwrap() };
        let most = if let Cap::Percent(percent) = self.cap { Fraction::new(percent as u64, 100u8) } else { whole(1) };
        let percent = share.min(most);
        let order = |at: &usize| {
            let (metric, _, figure) = &figures[*at];
            (Reverse(figure.share.clone()), figure.kept, *metric, figure.availability.clone())
        };
        let decides = (0..figures.len()).min_by_key(order).unwrap();
        let (base, amount, below_min) = self.paid_out(times, &percent);
        Owed { figures, decides, percent, amount, base, below_min }
    }

    /// What was paid that counts, what is owed of it, and whether that is too little.
    fn paid_out(&self, all: &[Time], percent: &Fraction) -> (i128, i128, bool) {
        let vouchers = |vouchers: i128| if self.exclude_vouchers { vouchers } else { 0 };
        let [(_, first), (_, next)] = self.period();
        // Of which something is judged, by whatever metric.
        let judged: BTreeSet<i64> = all.iter().flat_map(|time| &time.days).copied().collect();
        let money = |amount: i128, days: usize, of: usize| Fraction::new(amount as u128 * days as u128, of.max(1));
        let paid = match self.days {
            None => {
                let paid: i128 = self.agreed().iter().map(|paid| paid.amount - vouchers(paid.vouchers)).sum();
                if self.prorate { money(paid, judged.len(), (next - first) as usize) } else { money(paid, 1, 1) }
            }
            // Day after day.
            Some(_) => sum(self.of_months().into_iter().map(|paid| {
                let days = day_of_month(paid.month, 1)..day_of_month(paid.month + 1, 1);
                let is_there = |day: &i64| {
                    let [begins, ends] = [*day, day + 1].map(|day| first_at(day * DAY, self.zone));
                    paid.from.is_none_or(|from| from < ends) && paid.until.is_none_or(|until| begins < until)
                };
                let there: Vec<i64> = days.clone().filter(is_there).collect();
                let amount = paid.amount - vouchers(paid.vouchers);
                match self.prorate {
                    true => money(amount, there.iter().filter(|day| judged.contains(day)).count(), days.count()),
                    false => money(amount, there.iter().filter(|day| (first..next).contains(day)).count(), there.len()),
                }
            })),
        };
        // 10⁻⁶ of the currency's unit in the least that is paid.
        let (digits, _) = self.currency();
        let to_unit = |amount: &Fraction, places: u32, mode: &str| {
            let unit = 10u64.pow(6 - places);
            let units = rounded(&product(amount, &Fraction::new(1u8, unit)), 1, mode);
            i128::try_from(units).unwrap() * i128::from(unit)
        };
        let (places, mode) = self.round_amount.unwrap_or((digits, "half-even"));
        let base = to_unit(&paid, 6, "half-even");
        let mut amount = to_unit(&product(&paid, percent), places.min(digits), mode);
        let least = 10i128.pow(6 - digits);
        if let Cap::Money(most) = self.cap {
            amount = amount.min(most * least);
        }
        // Of a period of months as it is shown.
        let shown = if self.days.is_some() { paid.clone() } else { Fraction::new(base as u128, 1u8) };
        let of_base = |share: Fraction| to_unit(&product(&shown, &share), digits, mode);
        let of_year = match self.cap_of_year {
            Cap::None => None,
            Cap::Percent(percent) => Some(of_base(Fraction::new(percent as u64, 100u8))),
            Cap::Money(most) => Some(most * least),
            Cap::Fees(fees) => Some(of_base(whole(fees as i64))),
        };
        if let Some(most) = of_year {
            amount = amount.min((most - self.before * least).max(0));
        }
        let below = amount > 0 && self.min_payout.is_some_and(|units| amount < units * least);
        (base, if below { 0 } else { amount }, below)
    }
}
