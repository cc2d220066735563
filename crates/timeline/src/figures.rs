//! Figures of one timeline that need no failures: times, availability, budget.

use crate::share::{gcd, quotient};
use crate::{MICROS, Share, State, Timeline};

impl Timeline {
    /// Microseconds spent in a state.
    pub fn duration_in(&self, state: State) -> i64 {
        let spent = |wanted: Option<State>| {
            let runs = self.runs().iter().filter(|run| wanted.is_none_or(|wanted| run.state == wanted));
            runs.map(|run| run.duration()).sum::<i64>()
        };
        match state {
            State::Ok => self.span().duration() - spent(None),
            other => spent(Some(other)),
        }
    }

    /// Seconds in error.
    pub fn error_seconds(&self) -> f64 {
        quotient(self.duration_in(State::Error).into(), MICROS.into())
    }

    /// Seconds measured: ok or in error.
    pub fn measured_seconds(&self) -> f64 {
        quotient(self.measured().into(), MICROS.into())
    }

    /// 1 − error time / measured time, as an exact fraction in lowest terms. `None` when nothing was measured.
    pub fn availability_exact(&self) -> Option<(u64, u64)> {
        let (ok, measured) = (self.duration_in(State::Ok) as u128, self.measured() as u128);
        let divisor = gcd(ok, measured);
        (measured > 0).then(|| ((ok / divisor) as u64, (measured / divisor) as u64))
    }

    /// 1 − error time / measured time. `None` when nothing was measured.
    pub fn availability(&self) -> Option<f64> {
        let measured = self.measured();
        (measured > 0).then(|| quotient(self.duration_in(State::Ok).into(), measured.into()))
    }

    /// (error time / measured time) / (1 − target). `None` when the target is 1 or nothing was measured.
    pub fn burn_rate(&self, target: Share) -> Option<f64> {
        self.burn(target).map(|(spent, budget)| quotient(spent, budget))
    }

    /// 1 − burn rate: the share of the error budget that is left, negative when overspent.
    pub fn budget_remaining(&self, target: Share) -> Option<f64> {
        self.burn(target).map(|(spent, budget)| quotient(budget - spent, budget))
    }

    /// The burn rate as (error × d, measured × (d − n)) for a target n/d.
    fn burn(&self, target: Share) -> Option<(i128, i128)> {
        let (n, d) = (i128::from(target.numerator()), i128::from(target.denominator()));
        // In slices, not microseconds: with 18 decimal places the product must stay inside 128 bits.
        let slices = |micros: i64| i128::from(micros / self.slice());
        let (spent, budget) = (slices(self.duration_in(State::Error)) * d, slices(self.measured()) * (d - n));
        (budget > 0).then_some((spent, budget))
    }

    fn measured(&self) -> i64 {
        self.duration_in(State::Ok) + self.duration_in(State::Error)
    }
}
