//! How fees and requests were joined: what is told of it, so that no amount is empty, doubled or left out in silence.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::PoisonError;

use chrono::DateTime;
use nines_slo::{Agreement, Covered, Cycle, Month, Terms};

use super::Owed;
use super::period_terms::PeriodTerms;

/// What is worth knowing of how fees and requests were joined. Displayed as a clause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Joined {
    /// A fee and requests whose names differ in case or blanks alone: neither is issued.
    Alike {
        /// Customer and service of the fee.
        paid: [String; 2],
        /// Of the requests.
        used: [String; 2],
    },
    /// Requests without a fee: nothing is issued until there is one.
    NoFee {
        /// Agreement, customer and service.
        of: [String; 3],
        /// Customer and service of a fee, if the names differ in case or blanks alone.
        like: Option<[String; 2]>,
    },
    /// A fee of some months of a period of days, and none of others: nothing is issued until there is one of each.
    NoFeeOfMonths {
        /// Agreement, customer and service.
        of: [String; 3],
        /// The months without a fee.
        months: Vec<Month>,
    },
    /// A fee without a request: 100 %.
    NoTraffic {
        /// Agreement, customer and service.
        of: [String; 3],
        /// Customer and service of requests, if the names differ in case or blanks alone.
        like: Option<[String; 2]>,
    },
    /// A fee of a month in which the customer was not there, by its own row: it is not counted.
    Outside {
        /// Customer and service.
        of: [String; 2],
        /// The month of its row.
        month: Month,
        /// Which column says so.
        column: &'static str,
        /// What stands in it, in µs.
        at: i64,
    },
    /// A fee that no agreement covers.
    NotAgreed {
        /// Customer and service.
        of: [String; 2],
    },
    /// Requests, or a fee, for a service of agreements that are for some plans alone, and nobody says which plan it is: nothing is owed.
    NoPlan {
        /// Customer and service.
        of: [String; 2],
        /// The agreements.
        agreements: Vec<String>,
    },
    /// One fee under several agreements: each credits from the whole of it.
    Several {
        /// Customer and service.
        of: [String; 2],
        /// The agreements.
        agreements: Vec<String>,
    },
    /// A statement was issued with a fee, and there is none any more: it stays.
    FeeGone {
        /// Agreement, customer and service.
        of: [String; 3],
        /// The months of a period of days that have none now, where others have.
        months: Vec<Month>,
    },
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Joined::Alike { paid: [payer, paid], used: [customer, service] } => write!(
                f,
                "the fee of '{payer}' for '{paid}' and the requests of '{customer}' for '{service}' have names that differ in case \
                 or blanks alone: nothing is issued for either until they are the same, or both have a fee"
            ),
            Joined::NoFee { of: [agreement, customer, service], like } => write!(
                f,
                "'{customer}' has requests for {service} and no fee: under {agreement} nothing is issued until there is one. \
                 Ingest it into fees; a fee of 0 if nothing is paid{}",
                also("is a fee", like.as_ref())
            ),
            Joined::NoFeeOfMonths { of: [agreement, customer, service], months } => write!(
                f,
                "'{customer}' has no fee for {service} for {}, in which days of the period lie: under {agreement} nothing is issued \
                 until there is one. Ingest it into fees; a fee of 0 if nothing is paid, or active_until in the row before if the \
                 customer left",
                listed(months)
            ),
            Joined::NoTraffic { of: [agreement, customer, service], like } => write!(
                f,
                "no traffic: '{customer}' has a fee for {service} and no request that {agreement} counts; the availability is 100 \
                 %{}",
                also("are requests", like.as_ref())
            ),
            Joined::Outside { of: [customer, service], month, column, at } => {
                let at = DateTime::from_timestamp_micros(*at).map_or_else(String::new, |at| at.to_rfc3339());
                write!(
                    f,
                    "the fee of '{customer}' for {service} in {month} is not counted: {column} of its row is {at}, so that the \
                     customer was not there in {month}"
                )
            }
            Joined::NotAgreed { of: [customer, service] } => {
                write!(f, "'{customer}' has a fee for {service}, but no agreement covers a time in which it is active")
            }
            Joined::NoPlan { of: [customer, service], agreements } => write!(
                f,
                "'{customer}' has requests or a fee for {service}, and no row of fees says of which plan: nothing is owed under {}, \
                 which judge{} some plans alone. Fill in the column plan of its fee",
                agreements.join(" and "),
                if agreements.len() == 1 { "s" } else { "" }
            ),
            Joined::Several { of: [customer, service], agreements } => write!(
                f,
                "the fee of '{customer}' for {service} is under {} agreements, {}: each credits from the whole fee, for the same \
                 failures too. If that is wrong, narrow one of them by service, customer or plan",
                agreements.len(),
                agreements.join(" and ")
            ),
            Joined::FeeGone { of: [agreement, customer, service], months } => write!(
                f,
                "the statement of {agreement} for '{customer}', {service} was issued with a fee, and there is none{} now: it stays \
                 as it was issued. Ingest the right fee; a fee of 0 if nothing is paid",
                if months.is_empty() { String::new() } else { format!(" for {}", listed(months)) }
            ),
        }
    }
}

fn listed(months: &[Month]) -> String {
    months.iter().map(Month::to_string).collect::<Vec<_>>().join(" and ")
}

/// What else there is under nearly the same names.
fn also(what: &str, like: Option<&[String; 2]>) -> String {
    like.map_or_else(String::new, |[customer, service]| {
        format!(". There {what} of '{customer}' for '{service}': these names differ in case or blanks alone")
    })
}

/// All that is told of what is owed and of the fees of the period, without repetition, by kind. `with_fee` was issued from a fee.
pub(super) fn joined(terms: &PeriodTerms, owed: &[Owed], with_fee: &HashSet<[String; 3]>) -> Vec<Joined> {
    let mut told: BTreeSet<Joined> = BTreeSet::new();
    let mut outside: HashSet<[String; 2]> = HashSet::new();
    for (of, month, column, at) in terms.outside() {
        outside.insert(of.clone());
        told.insert(Joined::Outside { of, month, column, at });
    }
    let mut not_agreed = terms.not_agreed(owed);
    let planless = terms.planless_of(owed);
    not_agreed.retain(|of| !outside.contains(of) && !planless.contains_key(of));
    told.extend(planless.into_iter().map(|(of, agreements)| Joined::NoPlan { of, agreements }));
    let alike = alike(owed, &not_agreed);
    let unsure = unsure(&alike);
    // Made where somebody lacks what others have: most lack nothing.
    let (paying, using) =
        (LazyCell::new(|| by_plain(owed, Owed::has_fee)), LazyCell::new(|| by_plain(owed, |owed| owed.has_requests())));
    for owed in owed.iter().filter(|owed| !owed.customer.is_empty() && owed.failed.is_none()) {
        if owed.has_fee() && owed.traffic && owed.beside.is_empty() {
            continue;
        }
        let like = |others: &HashMap<[String; 2], [String; 2]>| others.get(&plain(&payer(owed))).cloned();
        let (of, payer) = (owed.name(), payer(owed));
        if unsure.contains(&payer) {
            continue;
        }
        match (owed.has_fee(), owed.traffic) {
            (false, _) if with_fee.contains(&of) => {
                told.insert(Joined::FeeGone { of, months: owed.unpaid.clone() });
            }
            (false, _) if !owed.unpaid.is_empty() => {
                told.insert(Joined::NoFeeOfMonths { of, months: owed.unpaid.clone() });
            }
            // What was issued of it is revised to nothing, without a fee as before.
            (false, false) => {}
            (false, true) => drop(told.insert(Joined::NoFee { of, like: like(&paying) })),
            (true, false) => drop(told.insert(Joined::NoTraffic { of, like: like(&using) })),
            (true, true) => {}
        }
        if !owed.beside.is_empty() {
            let mut agreements: Vec<String> = owed.beside.iter().chain([&owed.agreement]).cloned().collect();
            agreements.sort();
            told.insert(Joined::Several { of: payer, agreements });
        }
    }
    not_agreed.retain(|of| !unsure.contains(of));
    told.extend(not_agreed.into_iter().map(|of| Joined::NotAgreed { of }));
    told.extend(alike);
    // Of plans the fees are apart: an agreement beside one of each shares some with each, and all with none.
    let shared = |told: &Joined| match told {
        Joined::Several { of, agreements } => {
            Some((of.clone(), agreements.iter().cloned().collect::<BTreeSet<String>>()))
        }
        _ => None,
    };
    let several: Vec<_> = told.iter().filter_map(shared).collect();
    let is_wider = |(of, all): ([String; 2], BTreeSet<String>)| {
        several.iter().any(|(other, fewer)| *other == of && *fewer != all && fewer.is_subset(&all))
    };
    told.retain(|told| !shared(told).is_some_and(is_wider));
    told.into_iter().collect()
}

/// Requests without a fee beside fees without requests, also `others` of customer and service, if their names differ in case or
/// blanks alone.
pub(super) fn alike(owed: &[Owed], others: &[[String; 2]]) -> Vec<Joined> {
    let unpaid = by_plain(owed, |owed| owed.has_requests() && !owed.has_fee() && owed.failed.is_none());
    let unused = owed.iter().filter(|owed| !owed.traffic && owed.has_fee()).map(payer).chain(others.iter().cloned());
    unused.filter_map(|paid| Some(Joined::Alike { used: unpaid.get(&plain(&paid))?.clone(), paid })).collect()
}

/// Adds those that are about a customer, in the place of what was told of their fees.
pub(super) fn add_alike(told: &mut Vec<Joined>, mut alike: Vec<Joined>, customer: &str) {
    alike.retain(|alike| matches!(alike, Joined::Alike { paid, used } if paid[0] == customer || used[0] == customer));
    let unsure = unsure(&alike);
    told.retain(|told| {
        !matches!(told, Joined::NoTraffic { of: [_, customer, service], .. }
        if unsure.contains(&[customer.clone(), service.clone()]))
    });
    told.extend(alike);
    told.sort();
    told.dedup();
}

/// Customer and service without what people do not see.
fn plain([customer, service]: &[String; 2]) -> [String; 2] {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    [plain(customer), plain(service)]
}

fn payer(owed: &Owed) -> [String; 2] {
    [owed.customer.clone(), owed.service.clone()]
}

fn by_plain(owed: &[Owed], are: impl Fn(&Owed) -> bool) -> HashMap<[String; 2], [String; 2]> {
    owed.iter().filter(|owed| are(owed)).map(|owed| (plain(&payer(owed)), payer(owed))).collect()
}

/// Customers and services of which it is not sure whose the fee is: their statements wait.
pub(super) fn unsure(joined: &[Joined]) -> HashSet<[String; 2]> {
    let names = joined.iter().flat_map(|told| match told {
        Joined::Alike { paid, used } => vec![paid.clone(), used.clone()],
        Joined::NoFee { .. }
        | Joined::NoFeeOfMonths { .. }
        | Joined::NoTraffic { .. }
        | Joined::Outside { .. }
        | Joined::NotAgreed { .. }
        | Joined::NoPlan { .. }
        | Joined::Several { .. }
        | Joined::FeeGone { .. } => Vec::new(),
    });
    names.collect()
}

impl Owed {
    /// Whether there was a request of the customer: what an objective counts is everybody's.
    fn has_requests(&self) -> bool {
        self.traffic && self.terms.judges_requests()
    }

    /// Whether a fee says from what is credited.
    pub(super) fn has_fee(&self) -> bool {
        self.credit.fee_base.is_some()
    }
}

impl PeriodTerms {
    /// Agreements that judge the time that is asked for, in periods of other names.
    fn judged_elsewhere(&self) -> Vec<&Agreement> {
        let all = self.definitions.agreements.iter();
        all.filter(|agreement| !agreement.other_names(self.period).is_empty()).collect()
    }

    /// Fees whose rows say that their customers were not there in their months: customer and service, the month, which column
    /// says so, and what stands in it.
    fn outside(&self) -> Vec<([String; 2], Month, &'static str, i64)> {
        let mut found = Vec::new();
        for (_, agreement) in self.agreements() {
            let Some(usual) = self.usual(agreement) else { continue };
            let (months, terms) = (usual.period.fee_months(), usual.terms);
            let own = self.fees.rows().filter(|row| {
                months.contains(&row.month)
                    && terms.matches_service(&row.service)
                    && terms.matches_plan(&row.plan)
                    && self.chosen.customer.as_ref().is_none_or(|chosen| *chosen == row.customer)
            });
            for row in own {
                let Some(month) = terms.month(row.month) else { continue };
                let (column, at) = match row.active {
                    active if active.start >= month.end => ("active_from", active.start),
                    active if active.end <= month.start => ("active_until", active.end),
                    _ => continue,
                };
                found.push(([row.customer.clone(), row.service.clone()], row.month, column, at));
            }
        }
        found
    }

    /// Customers and services of whose plan nobody speaks, and the agreements that may mean them; none that others judge.
    fn planless_of(&self, owed: &[Owed]) -> BTreeMap<[String; 2], Vec<String>> {
        let mut found: BTreeMap<[String; 2], Vec<String>> = BTreeMap::new();
        // Of those without a request only their fees tell.
        for (_, agreement) in self.agreements() {
            let Some(usual) = self.usual(agreement) else { continue };
            for (customer, service) in self.fees.payers(&usual, str::is_empty) {
                if self.chosen.customer.as_ref().is_none_or(|chosen| chosen == customer) {
                    self.without_plan(&usual, &[&agreement.name, customer, service].map(str::to_string));
                }
            }
        }
        for [agreement, customer, service] in &*self.planless.lock().unwrap_or_else(PoisonError::into_inner) {
            found.entry([customer.clone(), service.clone()]).or_default().push(agreement.clone());
        }
        if !found.is_empty() {
            owed.iter().for_each(|owed| drop(found.remove(&payer(owed))));
        }
        found
    }

    /// Customers and services with a fee of the months that are asked for, which no agreement covers.
    fn not_agreed(&self, owed: &[Owed]) -> Vec<[String; 2]> {
        if self.chosen.agreement.is_some() {
            return Vec::new();
        }
        let first = self.period.month();
        // A period of days reaches into others.
        let of_days = |usual: &Covered<'_>| matches!(usual.period.cycle, Cycle::Days { .. });
        let usual = self.agreements().filter_map(|(_, agreement)| self.usual(agreement)).filter(of_days);
        let end = usual.map(|usual| usual.period.fee_months().end).max().unwrap_or(first.plus(1));
        let failed: Vec<[String; 3]> = self.failed().keys().cloned().collect();
        let covered: HashSet<[&str; 2]> = owed
            .iter()
            .map(|owed| [&*owed.customer, &*owed.service])
            .chain(failed.iter().map(|[_, customer, service]| [customer.as_str(), service.as_str()]))
            .collect();
        // Of whom an agreement whose rows were removed would judge nobody knows.
        if !self.removed.is_empty() {
            return Vec::new();
        }
        // What is judged later, or under another name, is not left out.
        let early = self.early().filter_map(|agreement| Some(self.usual(agreement)?.terms));
        let elsewhere = self.judged_elsewhere();
        let elsewhere =
            elsewhere.iter().flat_map(|agreement| &agreement.versions).map(|version| version.terms.as_ref());
        let early: Vec<&Terms> = early.chain(elsewhere).collect();
        let is_wanted = |customer: &str| self.chosen.customer.as_ref().is_none_or(|chosen| chosen == customer);
        let payers = self.fees.payers_of(first..end, |_| true).into_iter().filter(|(customer, service)| {
            is_wanted(customer)
                && !covered.contains(&[*customer, *service])
                && !early.iter().any(|terms| terms.matches_service(service))
        });
        payers.map(|(customer, service)| [customer.to_string(), service.to_string()]).collect()
    }
}
