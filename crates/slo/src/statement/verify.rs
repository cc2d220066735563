//! Whether a statement still says what was issued, and whether its figures follow from its evidence.

use crate::credit::{Credit, PartCredit, credit};
use crate::digest::sha256;
use crate::statement::{IssuedStatement, StatementError, hash};
use crate::words::{Clock, fraction, grouped, listed, micro_percent, money, percent_of};

/// What verifying a statement came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is wrong, a sentence each; none if all is well.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

impl IssuedStatement {
    /// Verifies from the statement alone that it is as it was issued and that the figures follow from the evidence by
    /// the agreement's text.
    pub fn verify(&self) -> Verdict {
        let mut problems = Vec::new();
        if hash::of(self) != self.sha256 {
            problems.push(format!(
                "The statement is not as it was issued: its content has another SHA-256 than {}.",
                self.sha256
            ));
        }
        for version in self.versions.iter().filter(|version| sha256(&version.text) != version.sha256) {
            problems.push(format!(
                "The agreement's text is not the one that was applied: it has another SHA-256 than {}.",
                version.sha256
            ));
        }
        if (self.revision == 1) != self.before.is_none() {
            problems
                .push(format!("Revision {} must name the revision before it exactly if there is one.", self.revision));
        }
        let of_parts = self.evidence.parts.iter().map(|part| (&part.other_valid_months, part.other_valid));
        let mut months = of_parts.chain([(&self.evidence.other_valid_months, self.evidence.other_valid)]);
        let differs = |(months, all): (&Vec<i64>, i64)| {
            let sum = months.iter().try_fold(0i64, |sum, own| sum.checked_add(*own));
            !months.is_empty() && sum != Some(all)
        };
        if months.any(differs) {
            problems.push("The valid requests of the months do not add up to those of the period.".to_string());
        }
        match self.recomputed() {
            Ok((again, clock)) => problems.extend(unequal(&self.credit, &again, clock)),
            Err(error) => problems.push(format!("The figures cannot be computed from the evidence: {error}.")),
        }
        Verdict { problems }
    }

    /// Verifies that this is the revision that follows another one.
    pub fn follows(&self, before: &IssuedStatement) -> Verdict {
        let mut problems = Vec::new();
        let key = |s: &IssuedStatement| {
            (s.agreement.clone(), s.customer.clone(), s.service.clone(), s.business.clone(), s.period)
        };
        if key(self) != key(before) {
            problems.push("The two are about different agreements, customers, services or periods.".to_string());
        }
        if self.revision != before.revision.saturating_add(1) {
            problems.push(format!("Revision {} does not follow revision {}.", self.revision, before.revision));
        }
        if self.before.as_deref() != Some(before.sha256.as_str()) {
            problems
                .push(format!("Revision {} does not name the SHA-256 of revision {}.", self.revision, before.revision));
        }
        Verdict { problems }
    }

    fn recomputed(&self) -> Result<(Credit, Clock), StatementError> {
        let agreement = self.agreement()?;
        let covered = self.covered(&agreement)?;
        if covered.period.name != self.period {
            let reason = format!("{} is no period of it, which begins with {}", self.period, covered.period.name);
            return Err(StatementError::Format { reason });
        }
        let again = credit(&covered, &self.evidence)?;
        Ok((again, Clock::new(covered.terms.time_zone, covered.period.interval)))
    }
}

/// A sentence for each figure that differs.
fn unequal(stated: &Credit, again: &Credit, clock: Clock) -> Vec<String> {
    let amount = |amount: Option<i128>, credit: &Credit| match (amount, &credit.currency) {
        (Some(amount), Some(currency)) => money(amount, currency),
        (Some(amount), None) => money(amount, ""),
        (None, _) => "none".to_string(),
    };
    let number = |number: i64| grouped(number);
    let optional = |text: Option<String>| text.unwrap_or_else(|| "none".to_string());
    let excluded = |credit: &Credit| {
        let all = credit.excluded.iter().map(|(category, micros)| format!("{category}: {micros} µs"));
        all.collect::<Vec<_>>().join(", ")
    };
    type Figure<'a> = (&'a str, bool, &'a dyn Fn(&Credit) -> String);
    let figures: [Figure<'_>; 18] = [
        ("number of slices", stated.slices == again.slices, &|c| number(c.slices)),
        ("number of valid requests", stated.valid == again.valid, &|c| number(c.valid)),
        ("number of failed requests", stated.failed == again.failed, &|c| number(c.failed)),
        ("number of lost slices", stated.lost_slices == again.lost_slices, &|c| number(c.lost_slices)),
        ("derivation of the estimate", stated.estimates == again.estimates, &|c| format!("{:?}", c.estimates)),
        ("estimated number of failed requests", stated.estimated == again.estimated, &|c| fraction(&c.estimated)),
        ("excluded time", stated.excluded == again.excluded, &excluded),
        ("availability", stated.availability == again.availability, &|c| fraction(&c.availability)),
        ("availability in percent", stated.availability_percent == again.availability_percent, &|c| {
            micro_percent(c.availability_percent)
        }),
        ("answer whether the commitment was kept", stated.kept == again.kept, &|c| c.kept.to_string()),
        ("tier", stated.tier == again.tier, &|c| optional(c.tier.map(|tier| (tier + 1).to_string()))),
        ("credit in percent", stated.percent == again.percent, &|c| percent_of(&c.percent)),
        ("fee base", stated.fee_base == again.fee_base, &|c| amount(c.fee_base, c)),
        ("amount", stated.amount == again.amount, &|c| amount(c.amount, c)),
        ("currency", stated.currency == again.currency, &|c| optional(c.currency.clone())),
        ("answer whether the amount is below the least one", stated.below_min_payout == again.below_min_payout, &|c| {
            c.below_min_payout.to_string()
        }),
        ("list of figures", stated.parts == again.parts, &|c| {
            let shown = |part: &PartCredit| format!("{} {}", part.name(), fraction(&part.availability));
            optional((!c.parts.is_empty()).then(|| listed(&c.parts.iter().map(shown).collect::<Vec<_>>())))
        }),
        ("claim deadline", stated.claim_by == again.claim_by, &|c| optional(c.claim_by.map(|by| clock.at_in_zone(by)))),
    ];
    let differing = figures.into_iter().filter(|(_, same, _)| !same);
    let said = differing.map(|(name, _, shown)| {
        format!("The {name} is stated as {}, but the evidence gives {}.", shown(stated), shown(again))
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::{Counts, Estimate, Evidence, Fee};
    use crate::fraction::Fraction;
    use crate::statement::testing::statement;
    use nines_timeline::Interval;

    fn right() -> IssuedStatement {
        let text = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: a}\nspec:\n  service: s\n  period: {duration: 1M, \
                    timeZone: UTC}\n  slice: 1m\n  measure: MeanErrorRate\n  commitment: 99.9%\n  credits: [{below: 99.9%, \
                    percent: 10}, {below: 99%, percent: 25}]\n  claimWithin: 30d\n";
        let start = 1_790_812_800_000_000;
        let slices = (0..100).map(|i| Counts { start: start + i * 60_000_000, valid: 10, failed: 5 });
        let fee = Some(Fee { currency: "EUR".into(), amount: 100_000_000, vouchers: 0 });
        statement(text, "2026-10", Evidence { slices: slices.collect(), fee, ..Evidence::default() })
    }

    /// Whoever changes a figure and computes the hash again is found by the evidence.
    #[test]
    fn figures_that_do_not_follow_are_found_whatever_the_hash() {
        let right = right();
        assert_eq!(right.verify(), Verdict::default());
        type Change = fn(&mut Credit);
        let changes: [(Change, &str); 18] = [
            (|c| c.slices += 1, "slices"),
            (|c| c.valid += 1, "valid"),
            (|c| c.failed -= 1, "failed"),
            (|c| c.lost_slices += 1, "lost"),
            (
                |c| {
                    let days = Interval::new(0, 1);
                    let failed = Fraction::zero();
                    c.estimates.push(Estimate { started: 0, slices: 1, days, counted_slices: 1, requests: 1, failed });
                },
                "derivation",
            ),
            (|c| c.estimated = Fraction::one(), "estimated"),
            (|c| c.excluded.push(("Attack".into(), 60_000_000)), "excluded time"),
            (|c| c.availability = Fraction::one(), "availability"),
            (|c| c.availability_percent += 1, "in percent"),
            (|c| c.kept = !c.kept, "commitment"),
            (|c| c.tier = None, "tier"),
            (|c| c.percent = Fraction::new(1u8, 4u8), "credit in percent"),
            (|c| c.fee_base = Some(1), "fee base"),
            (|c| c.amount = Some(25_000_000), "amount is stated as 25.00 EUR, but the evidence gives 10.00 EUR"),
            (|c| c.currency = Some("USD".into()), "currency"),
            (|c| c.below_min_payout = true, "least"),
            (
                |c| {
                    c.parts.push(PartCredit {
                        metric: None,
                        member: Some("eu".into()),
                        slices: 1,
                        valid: 1,
                        failed: 0,
                        availability: Fraction::one(),
                        availability_percent: 100_000_000,
                        kept: true,
                        share: Fraction::zero(),
                        decides: false,
                    });
                },
                "list of figures is stated as eu 1",
            ),
            (|c| c.claim_by = None, "deadline"),
        ];
        for (change, word) in changes {
            let mut wrong = right.clone();
            change(&mut wrong.credit);
            wrong.sha256 = hash::of(&wrong);
            let problems = wrong.verify().problems;
            assert!(problems.len() == 1 && problems[0].contains(word), "{word}: {problems:?}");
        }
    }

    #[test]
    fn evidence_and_terms_are_held_to_the_figures() {
        let right = right();
        let reseal = |change: &dyn Fn(&mut IssuedStatement)| {
            let mut wrong = right.clone();
            change(&mut wrong);
            wrong.sha256 = hash::of(&wrong);
            wrong.verify().problems.join(" ")
        };
        let text = |from: &'static str, to: &'static str| {
            move |s: &mut IssuedStatement| {
                s.versions[0].text = s.versions[0].text.replace(from, to);
                s.versions[0].sha256 = sha256(&s.versions[0].text);
            }
        };
        assert!(reseal(&|s| s.evidence.slices[0].failed = 4).contains("number of failed requests"));
        assert!(reseal(&|s| s.evidence.slices[0].start += 1).contains("cannot be computed"));
        assert!(reseal(&|s| s.period = "2026-11".parse().unwrap()).contains("number of failed requests"));
        assert!(reseal(&text("percent: 10", "percent: 20")).contains("amount is stated as 10.00 EUR"));
        assert!(reseal(&text("measure: Mean", "measure: Mena")).contains("did you mean"));
        assert!(reseal(&|s| s.revision = 2).contains("revision before"));
        assert!(reseal(&|s| s.versions[0].text += "#").contains("not the one that was applied"));
    }
}
