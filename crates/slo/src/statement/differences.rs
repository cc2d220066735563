//! What changed from one statement to another, in sentences for who pays or is paid.

use std::collections::BTreeMap;

use crate::agreement::Exclude;
use crate::agreement::Terms;
use crate::credit::{Credit, Credited, Estimate, Evidence, Excluded, MonthFee, PartCredit, fee_days};
use crate::statement::IssuedStatement;
use crate::statement::difference::{Difference, Subject};
use crate::statement::slice_changes::slice_changes;
use crate::statement::terms::{Clause, clauses};
use crate::statement::view::{Figured, View};
use crate::words::{Clock, fraction, grouped, listed, long, micro_percent, money, percent_of};

/// What of a statement that was issued is no longer so. Empty if nothing that matters changed: when it was issued, by
/// which program, and which versions the tables had, does not, and neither do the rules where they change nothing.
pub fn differences(old: &IssuedStatement, new: &IssuedStatement) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    found.change(Subject::Parties, "agreement", &old.agreement, &new.agreement);
    found.change(Subject::Parties, "customer", &old.customer, &new.customer);
    found.change(Subject::Parties, "service", &old.service, &new.service);
    found.change(Subject::Parties, "business", &old.business, &new.business);
    found.change(Subject::Parties, "period", &old.period.to_string(), &new.period.to_string());
    let agreements = (old.agreement(), new.agreement());
    let covered = agreements.1.as_ref().ok().and_then(|agreement| new.covered(agreement).ok());
    let judges_requests = covered.is_none_or(|covered| covered.terms.judges_requests());
    found.figures(&old.credit, &new.credit, if judges_requests { "requests" } else { "events" });
    let figured = match &agreements {
        (Ok(before), Ok(after)) => Figured::of(old, before).ok().zip(Figured::of(new, after).ok()),
        _ => None,
    };
    if let Some((before, after)) = &figured
        && let Some((old, new)) = before.deciding().ok().zip(after.deciding().ok())
    {
        found.judgement(&old, &new);
        found.counts(before, after);
        found.evidence(&old, &new);
    }
    if old.complete != new.complete {
        let text = match new.complete {
            true => "Data of the period were incomplete before; now they are complete.",
            false => "Data of the period are no longer complete.",
        };
        found.tell(Subject::Completeness, text.to_string());
    }
    if found.0.is_empty() && !same(old, new) {
        let text = "The evidence is not the same, though no figure and no exclusion differs.";
        found.tell(Subject::Evidence, text.to_string());
    }
    if old.rules != new.rules && !found.0.is_empty() {
        let (rules, before) = (new.rules.number(), old.rules.number());
        let text = format!(
            "It is worked out by rules {rules}, before by rules {before}: now {}.",
            new.rules.changed_since(old.rules)
        );
        found.0.insert(0, Difference { about: Subject::Rules, text });
    }
    found.0
}

/// Whether two statements say the same of the same evidence. In which order exclusions and losses were read says nothing.
fn same(old: &IssuedStatement, new: &IssuedStatement) -> bool {
    let (Evidence { slices, other_valid, parts, active, fee, month_fees, credited, .. }, other) =
        (&old.evidence, &new.evidence);
    let exclusions = |statement: &IssuedStatement| {
        let mut exclusions = statement.evidence.exclusions.clone();
        exclusions.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
        exclusions
    };
    let lost = |statement: &IssuedStatement| {
        let mut lost = statement.evidence.lost.clone();
        lost.sort_unstable();
        lost
    };
    (slices, other_valid, parts) == (&other.slices, &other.other_valid, &other.parts)
        && (active, fee, month_fees, credited) == (&other.active, &other.fee, &other.month_fees, &other.credited)
        && exclusions(old) == exclusions(new)
        && lost(old) == lost(new)
        && old.credit == new.credit
}

struct Found(Vec<Difference>);

impl Found {
    fn tell(&mut self, about: Subject, text: String) {
        self.0.push(Difference { about, text });
    }

    fn change(&mut self, about: Subject, what: &str, old: &str, new: &str) {
        if old != new {
            let text = match (old.is_empty(), new.is_empty()) {
                (true, _) => format!("The {what} is {new}; before there was none."),
                (_, true) => format!("There is no {what} any more; before it was {old}."),
                _ => format!("The {what} is {new}; before it was {old}."),
            };
            self.tell(about, text);
        }
    }

    /// `of` is what is counted.
    fn figures(&mut self, old: &Credit, new: &Credit, of: &str) {
        let shown = |amount: Option<i128>, credit: &Credit| match (amount, &credit.currency) {
            (Some(amount), Some(currency)) => money(amount, currency),
            _ => String::new(),
        };
        self.change(Subject::Amount, "amount", &shown(old.amount, old), &shown(new.amount, new));
        self.change(Subject::Fee, "fee base", &shown(old.fee_base, old), &shown(new.fee_base, new));
        self.change(Subject::Credit, "credit", &percent_of(&old.percent), &percent_of(&new.percent));
        let kept = |credit: &Credit| if credit.kept { "kept" } else { "not kept" };
        if old.kept != new.kept {
            self.tell(Subject::Availability, format!("The commitment was {}; before it was {}.", kept(new), kept(old)));
        }
        let figure = |credit: &Credit| micro_percent(credit.availability_percent);
        match (figure(old), figure(new)) {
            (before, after) if before != after => self.change(Subject::Availability, "availability", &before, &after),
            (same, _) if old.availability != new.availability => {
                let text = format!("The availability differs by less than its {same} shows.");
                self.tell(Subject::Availability, text);
            }
            _ => {}
        }
        self.parts(&old.parts, &new.parts);
        self.change(Subject::Requests, &format!("number of valid {of}"), &grouped(old.valid), &grouped(new.valid));
        self.change(Subject::Requests, &format!("number of failed {of}"), &grouped(old.failed), &grouped(new.failed));
    }

    /// Figures of which the statement has several.
    fn parts(&mut self, old: &[PartCredit], new: &[PartCredit]) {
        let figure = |part: &PartCredit| {
            let decides = if part.decides { ", which decides" } else { "" };
            let (percent, share) = (micro_percent(part.availability_percent), percent_of(&part.share));
            format!("{percent}, credits {share}{decides}")
        };
        for part in new {
            let name = format!("figure of {}", part.name());
            let before = old.iter().find(|other| other.name() == part.name());
            self.change(Subject::Availability, &name, &before.map_or_else(String::new, figure), &figure(part));
        }
        for gone in old.iter().filter(|gone| new.iter().all(|part| part.name() != gone.name())) {
            self.change(Subject::Availability, &format!("figure of {}", gone.name()), &figure(gone), "");
        }
    }

    /// Terms, and what of the period they judge.
    fn judgement(&mut self, old: &View<'_>, new: &View<'_>) {
        clause_changes(old.terms(), new.terms()).into_iter().for_each(|text| self.tell(Subject::Terms, text));
        let (before, after) =
            (old.clock.span_in_zone(old.covered.interval), new.clock.span_in_zone(new.covered.interval));
        self.change(Subject::Period, "judged part of the period", &before, &after);
        let by =
            |view: &View<'_>| view.statement.credit.claim_by.map_or_else(String::new, |by| view.clock.at_in_zone(by));
        self.change(Subject::Claim, "claim deadline", &by(old), &by(new));
    }

    /// The counts of each figure.
    fn counts(&mut self, old: &Figured<'_>, new: &Figured<'_>) {
        let before: Vec<_> = old.all().filter_map(Result::ok).collect();
        for (view, part) in new.all().filter_map(Result::ok) {
            let same = |other: &Option<&PartCredit>| other.map(PartCredit::name) == part.map(PartCredit::name);
            if let Some((earlier, _)) = before.iter().find(|(_, other)| same(other)) {
                let of = part.map_or_else(String::new, |part| format!("{}: ", part.name()));
                let told = slice_changes(earlier, &view).into_iter().map(|text| format!("{of}{text}"));
                self.0.extend(told.map(|text| Difference { about: Subject::Requests, text }));
            }
        }
    }

    fn evidence(&mut self, old: &View<'_>, new: &View<'_>) {
        self.exclusions(old, new);
        let (before, after) = (&old.statement.evidence, &new.statement.evidence);
        for lost in before.lost.iter().filter(|lost| !after.lost.contains(lost)) {
            let text = format!("Telemetry is no longer taken as lost {}.", old.clock.span_in_zone(*lost));
            self.tell(Subject::LostTelemetry, text);
        }
        for lost in after.lost.iter().filter(|lost| !before.lost.contains(lost)) {
            self.tell(Subject::LostTelemetry, format!("Telemetry was lost {}.", new.clock.span_in_zone(*lost)));
        }
        for (number, estimate) in new.credit.estimates.iter().enumerate() {
            let begins_with_it = |other: &&Estimate| other.started == estimate.started;
            // Of several outages that begin at one instant each has its place.
            let place = new.credit.estimates[..number].iter().filter(begins_with_it).count();
            let earlier = old.credit.estimates.iter().filter(begins_with_it).nth(place);
            if let Some(earlier) = earlier.filter(|earlier| *earlier != estimate) {
                let text = format!(
                    "For the outage of {} {}; before {}.",
                    new.clock.at_in_zone(estimate.started),
                    derived(estimate),
                    derived(earlier)
                );
                self.tell(Subject::LostTelemetry, text);
            }
        }
        if (&before.fee, &before.month_fees) != (&after.fee, &after.month_fees) {
            let shown = |view: &View<'_>| {
                view.statement.evidence.fee.as_ref().map_or_else(String::new, |fee| {
                    let of = |amount| money(amount, &fee.currency);
                    let paid = |amount, vouchers| format!("{}, of which vouchers paid {}", of(amount), of(vouchers));
                    match view.statement.evidence.month_fees.as_slice() {
                        [] => paid(fee.amount, fee.vouchers),
                        months => listed(&months.iter().map(|own| month_fee(own, view, paid)).collect::<Vec<_>>()),
                    }
                })
            };
            self.change(Subject::Fee, "fee", &shown(old), &shown(new));
        }
        if before.credited != after.credited {
            let of = |evidence: &Evidence| earlier(&evidence.credited);
            self.change(Subject::Fee, "credit of earlier periods of the year", &of(before), &of(after));
        }
        if before.active != after.active {
            let shown = |view: &View<'_>| {
                let spans = view.statement.evidence.active.iter().map(|active| view.clock.span(*active));
                let spans = spans.collect::<Vec<_>>().join(", ");
                if spans.is_empty() { "always".to_string() } else { format!("{spans} ({})", view.clock.zone) }
            };
            self.change(Subject::Period, "time in which the customer was active", &shown(old), &shown(new));
        }
    }

    fn exclusions(&mut self, old: &View<'_>, new: &View<'_>) {
        let (before, after) = (&old.statement.evidence.exclusions, &new.statement.evidence.exclusions);
        for gone in before.iter().filter(|e| after.iter().all(|other| other.id != e.id)) {
            let text = format!("Exclusion {} is withdrawn; it was {}.", gone.id, described(gone, old));
            self.tell(Subject::Exclusions, text);
        }
        for own in after {
            let text = match before.iter().find(|other| other.id == own.id) {
                None => format!("Exclusion {} is added: {}.", own.id, described(own, new)),
                Some(other) => match (described(own, new), described(other, old)) {
                    (now, then) if now != then => format!("Exclusion {} is {now}; before it was {then}.", own.id),
                    _ => continue,
                },
            };
            self.tell(Subject::Exclusions, text);
        }
    }
}

/// `2026-01: 310.00 EUR, of which vouchers paid 0.00 EUR (22 of 31 days)`.
fn month_fee(own: &MonthFee, view: &View<'_>, paid: impl Fn(i128, i128) -> String) -> String {
    let (counted, all) = fee_days(&view.covered, &view.statement.evidence.active, own);
    format!("{}: {} ({counted} of {all} days)", own.month, paid(own.amount, own.vouchers))
}

/// What was credited for earlier periods.
pub(crate) fn earlier(credited: &[Credited]) -> String {
    let all: Vec<String> =
        credited.iter().map(|own| format!("{} for {}", money(own.amount, &own.currency), own.period)).collect();
    if all.is_empty() { "nothing".to_string() } else { all.join(", ") }
}

/// A sentence for each clause that differs.
pub(crate) fn clause_changes(old: &Terms, new: &Terms) -> Vec<String> {
    let by_name = |terms: &Terms| -> BTreeMap<String, String> {
        clauses(terms).into_iter().map(|Clause { name, text }| (name.into_owned(), text)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(name.as_str())));
    let changed = names.filter_map(|name| {
        let shown = |clauses: &BTreeMap<String, String>| {
            clauses.get(name).map_or_else(|| "nothing".to_string(), |text| format!("“{text}”"))
        };
        let (before, after) = (shown(&before), shown(&after));
        (before != after).then(|| format!("The agreement's clause {name} says {after}; before {before}."))
    });
    changed.collect()
}

fn derived(estimate: &Estimate) -> String {
    format!(
        "{} failed requests are estimated ({} requests in {} slices, times {} slices)",
        fraction(&estimate.failed),
        grouped(estimate.requests),
        grouped(estimate.counted_slices),
        grouped(estimate.slices)
    )
}

/// `Attack, 2026-10-14 12:00 to 2026-10-14 13:00 (Asia/Shanghai), announced 2026-10-13 09:00 (240 slices)`.
pub(crate) fn described(exclusion: &Excluded, view: &View<'_>) -> String {
    let announced = announced(exclusion, view.clock);
    let effect = effect(exclusion, view);
    let span = view.clock.span_in_zone(exclusion.interval);
    format!("{}, {span}, {announced} ({effect})", exclusion.category)
}

pub(crate) fn announced(exclusion: &Excluded, clock: Clock) -> String {
    exclusion.announced.map_or_else(|| "not announced".to_string(), |at| format!("announced {}", clock.at(at)))
}

/// What becomes of it: how many slices it takes, or why none.
pub(crate) fn effect(exclusion: &Excluded, view: &View<'_>) -> String {
    let terms = view.terms();
    let clause = terms.exclusions.iter().find(|clause| clause.category == exclusion.category);
    match clause {
        None => "does not count: the agreement has no such category".to_string(),
        Some(Exclude { announced: Some(notice), .. })
            if !terms.honours(&exclusion.category, exclusion.announced, exclusion.interval.start) =>
        {
            format!("does not count: not announced {}", notice.words())
        }
        Some(clause) => {
            if let (Some(parts), Some(most)) = (view.workings.cut_short(exclusion), clause.at_most) {
                let used = format!("of {} at most {} counts", exclusion.category, most.words());
                return match parts {
                    [] => format!("does not count: {used}, which is used up"),
                    parts => {
                        let parts: Vec<String> = parts.iter().map(|part| view.clock.span(*part)).collect();
                        format!("counts only for {} ({}): {used}", listed(&parts), view.clock.zone)
                    }
                };
            }
            let own = view.excluded(view.workings.excluded_by(exclusion));
            match view.workings.shared_by(exclusion) {
                0 => own,
                shared if shared % terms.slice == 0 => {
                    format!("{own}; {} more count for another exclusion", grouped(shared / terms.slice))
                }
                shared => format!("{own}; {} more count for another exclusion", long(shared)),
            }
        }
    }
}
