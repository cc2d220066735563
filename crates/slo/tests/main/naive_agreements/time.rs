//! What time is: judged, looked at beside it, excluded, lost.

use super::clock::{DAY, month_of, shown, weekday};
use super::drawn::{Case, Exclusion, HOURS, Metric, Notice, TICKS};

/// What each slot is, for one metric.
pub struct Time {
    /// Slots of a slice.
    pub width: usize,
    /// Of each whole slice that lies in service hours its first slot, whether it is judged, and whether runs are followed through it.
    pub slices: Vec<(usize, bool, bool)>,
    /// The local days of slices in which the customer was there, whatever service hours are.
    pub days: Vec<i64>,
    /// By which clause.
    pub excluded: Vec<Option<usize>>,
    /// By which loss of telemetry, excluded or not.
    pub lost: Vec<Option<usize>>,
    /// Losses in order.
    pub losses: Vec<(i64, i64)>,
    /// In service hours, and the customer was there.
    pub usable: Vec<bool>,
}

impl Case {
    /// Ticks from when until when the period is judged; `None` if nothing is.
    pub fn covered(&self) -> Option<(i64, i64)> {
        let [(start, _), (end, _)] = self.period();
        let agreed = self.agreed();
        let came = agreed.first()?.from.unwrap_or(start);
        let went = agreed.last()?.until.unwrap_or(end);
        let start = start.max(came).max(self.effective.0.unwrap_or(start));
        let end = end.min(went).min(self.effective.1.unwrap_or(end));
        (start < end).then_some((start * TICKS, end * TICKS))
    }

    fn in_service(&self, slot: usize) -> bool {
        let Some(hours) = self.hours else { return true };
        let clock = self.slots.clock(slot);
        let today = clock.div_euclid(DAY);
        HOURS[hours].1.iter().any(|(first, last, from, until)| {
            [today - 1, today].into_iter().any(|day| {
                let is_meant = [weekday(day), weekday(day) + 7].iter().any(|day| first <= day && day <= last);
                is_meant && day * DAY + from <= clock && clock < day * DAY + until
            })
        })
    }

    /// Of each slot whether it lies in service hours, and whether the customer was there from first to last.
    pub fn presence(&self) -> [Vec<bool>; 2] {
        let (slots, agreed) = (&self.slots, self.agreed());
        let there = |minute: i64| {
            let is_within = |from: Option<i64>, until: Option<i64>| {
                from.is_none_or(|from| from <= minute) && until.is_none_or(|until| minute < until)
            };
            agreed.iter().any(|paid| is_within(paid.from, paid.until))
        };
        let minutes = |slot: usize| slots.minute(slot)..slots.minute(slot) + slots.width;
        let service = (0..slots.len()).map(|slot| self.in_service(slot)).collect();
        [service, (0..slots.len()).map(|slot| minutes(slot).all(there)).collect()]
    }

    /// The ticks of a category that count, in order.
    fn counting(&self, metric: &Metric, at: usize, all: &[Exclusion]) -> Vec<i64> {
        let clause = &metric.exclusions[at];
        let in_time = |own: &&Exclusion| match clause.notice {
            None => true,
            Some(Notice::Before) => own.announced.is_some_and(|announced| announced < own.from),
            Some(Notice::Ahead(minutes)) => {
                own.announced.is_some_and(|announced| announced + minutes * TICKS <= own.from)
            }
        };
        let own = all.iter().filter(|own| own.category == clause.category).filter(in_time);
        let mut ticks: Vec<i64> = own.flat_map(|own| own.from..own.until).collect();
        ticks.sort_unstable();
        ticks.dedup();
        let Some((minutes, months)) = clause.at_most else { return ticks };
        let (mut of, mut used, mut quarter) = (i64::MIN, 0, (i64::MIN, 0));
        ticks.retain(|tick| {
            let minute = tick.div_euclid(TICKS);
            if quarter.0 != minute.div_euclid(15) {
                quarter =
                    (minute.div_euclid(15), month_of(shown(minute, self.zone).div_euclid(DAY)).div_euclid(months));
            }
            if of != quarter.1 {
                (of, used) = (quarter.1, 0);
            }
            used += 1;
            used <= minutes * TICKS
        });
        ticks
    }

    pub fn time(&self, metric: &Metric, covered: (i64, i64), [service, present]: &[Vec<bool>; 2]) -> Time {
        let slots = &self.slots;
        let ticks = slots.width * TICKS;
        let width = (metric.slice / slots.width) as usize;
        let begins = slots.at(self.period()[0].0) % width;
        let whole = |begins: &usize| begins + width <= slots.len();
        let firsts = || (begins..slots.len()).step_by(width).filter(whole);

        let is_there = |first: usize| {
            let (from, until) = (slots.minute(first) * TICKS, slots.minute(first) * TICKS + width as i64 * ticks);
            covered.0 <= from && until <= covered.1 && present[first..first + width].iter().all(|own| *own)
        };
        let there: Vec<bool> = firsts().map(is_there).collect();
        // As many slices beside what is judged as make up the shortest run.
        let far = if metric.split { (metric.min_run + metric.slice - 1) / metric.slice } else { 0 } as usize;
        let near = |at: usize| there[at.saturating_sub(far)..(at + far + 1).min(there.len())].contains(&true);
        let slices = firsts().enumerate().map(|(at, first)| (first, there[at], near(at)));
        let in_hours = |first: usize| service[first..first + width].iter().all(|own| *own);
        let slices: Vec<_> = slices.filter(|(first, ..)| in_hours(*first)).collect();
        let mut days: Vec<i64> = firsts()
            .zip(&there)
            .filter(|(_, there)| **there)
            .flat_map(|(first, _)| (first..first + width).map(|slot| slots.day(slot)))
            .collect();
        days.dedup();

        let mut by_tick: Vec<Option<usize>> = vec![None; slots.len() * ticks as usize];
        let all = self.excluded();
        for at in 0..metric.exclusions.len() {
            for tick in self.counting(metric, at, &all) {
                let place = usize::try_from(tick - slots.first * TICKS).ok().and_then(|at| by_tick.get_mut(at));
                if let Some(own) = place {
                    *own = own.or(Some(at));
                }
            }
        }
        let mut excluded = vec![None; slots.len()];
        let unit = if metric.by_slice { width } else { 1 };
        for first in (begins % unit..slots.len()).step_by(unit).filter(|first| first + unit <= slots.len()) {
            let own = &by_tick[first * ticks as usize..(first + unit) * ticks as usize];
            if own.iter().all(Option::is_some) {
                excluded[first..first + unit].fill(own[0]);
            }
        }
        let (mut lost, mut losses) = (vec![None; slots.len()], self.lost.clone());
        losses.sort_unstable();
        for (at, (from, until)) in losses.iter().enumerate().filter(|_| metric.lost.is_some()) {
            for tick in *from..*until {
                let slot = usize::try_from((tick - slots.first * TICKS).div_euclid(ticks)).ok();
                if let Some(own) = slot.and_then(|slot| lost.get_mut(slot)) {
                    *own = own.or(Some(at));
                }
            }
        }
        let usable = service.iter().zip(present).map(|(service, present)| *service && *present).collect();
        Time { width, slices, days, excluded, lost, losses, usable }
    }
}
