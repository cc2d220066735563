//! What a page for a customer shows, whatever it is written in.

use std::collections::BTreeMap;

use chrono::DateTime;

use crate::agreement::{Agreement, Issuer, Side, Terms};
use crate::credit::{Fate, JudgedSlice, PartCredit};
use crate::rules::Rules;
use crate::statement::months;
use crate::statement::outages::{Outages, outages};
use crate::statement::signature;
use crate::statement::steps::{self, Step};
use crate::statement::strip::{self, Day, State};
use crate::statement::terms::{Clause, clauses};
use crate::statement::view::{Figured, View};
use crate::statement::{IssuedStatement, StatementError, differences};
use crate::words::{Clock, counted, days_of, grouped, micro_percent, money, percent, percent_of, places, rate};

/// What stands on the page of a draft.
const DRAFT: &str = "This is a draft for review. Nothing was issued, and nothing can be claimed from it.";

/// How many of the worst slices are shown.
const WORST: usize = 10;

/// What the statements of a page are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// They were issued.
    #[default]
    Issued,
    /// They wait for approval: the page says so at its top and with each statement.
    Draft,
}

/// All statements of a customer for a period.
pub(crate) struct Page {
    /// `Service levels of October 2026 for acme`, or the same of a draft.
    pub title: String,
    /// Why it is no statement yet.
    pub draft: Option<&'static str>,
    pub sections: Vec<Section>,
    /// What is credited in all, by currency.
    pub totals: Vec<String>,
}

/// One statement.
pub(crate) struct Section {
    pub service: String,
    /// Business, where there is one.
    pub business: String,
    pub agreement: String,
    pub availability: String,
    pub commitment: String,
    /// Where there are several figures, all of them: name, availability, commitment, credit.
    pub figures: Vec<[String; 4]>,
    /// Which of them decides: days, slices and outages are its own.
    pub decides: Option<String>,
    pub kept: bool,
    pub credit: String,
    pub amount: String,
    pub claim_by: String,
    pub zone: String,
    pub incomplete: Option<String>,
    pub clauses: Vec<Clause>,
    pub description: Option<String>,
    /// Who drew it up, on which side, and its number.
    pub issuer: String,
    /// That other agreements credit from the same fee.
    pub beside: Option<String>,
    pub days: Vec<DayCell>,
    /// The months of a period of several, and all of it.
    pub months: Vec<[String; 5]>,
    /// Where downtime decides; then no single slices are shown.
    pub outages: Option<Outages>,
    pub worst: Vec<[String; 4]>,
    /// How many slices lower the availability.
    pub counted: i64,
    pub exclusions: Vec<[String; 6]>,
    pub steps: Vec<Step>,
    pub revision: String,
    pub changes: Vec<String>,
    pub sha256: String,
    /// By which key it was signed, and how.
    pub signature: Option<(String, String)>,
    pub made_by: String,
}

/// A day as it is shown.
pub(crate) struct DayCell {
    /// `2026-10`
    pub month: String,
    pub day: String,
    pub state: State,
    pub telemetry_lost: bool,
    /// How much was lost, where something was.
    pub lost: Option<String>,
}

impl Page {
    pub fn of(statements: &[IssuedStatement], standing: Standing) -> Result<Page, StatementError> {
        let page = |reason: &str| StatementError::Page { reason: reason.to_string() };
        let first = statements.first().ok_or_else(|| page("there is no statement to show"))?;
        let mut sections = Vec::new();
        let period = first.calendar_period()?;
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for statement in statements {
            let agreement = statement.agreement()?;
            let own = statement.covered(&agreement)?.period;
            if (&statement.customer, own.name, own.cycle) != (&first.customer, period.name, period.cycle) {
                return Err(page("the statements are not all about one customer and one period; make a page of each"));
            }
            sections.push(section(statement, &agreement, standing)?);
            if let (Some(amount), Some(currency)) = (statement.credit.amount, &statement.credit.currency) {
                *sums.entry(currency).or_default() += amount;
            }
        }
        let totals = sums.into_iter().map(|(currency, amount)| money(amount, currency)).collect();
        let period = period.words().unwrap_or_else(|| first.period.to_string());
        let title = format!("Service levels of {period} for {}", first.customer);
        let (title, draft) = match standing {
            Standing::Issued => (title, None),
            Standing::Draft => (format!("DRAFT: {title}"), Some(DRAFT)),
        };
        Ok(Page { title, draft, sections, totals })
    }
}

fn section(statement: &IssuedStatement, agreement: &Agreement, standing: Standing) -> Result<Section, StatementError> {
    let figured = Figured::of(statement, agreement)?;
    let view = figured.deciding()?;
    let (terms, credit, clock) = (view.terms(), &statement.credit, view.clock);
    let first = statement.covered(agreement)?.terms;
    let worst = view.worst(WORST).into_iter().map(|own| {
        let [valid, failed, rate] = numbers(own);
        [clock.at_slice(own.start, terms.slice), valid, failed, rate]
    });
    let exclusions = statement.evidence.exclusions.iter().map(|own| {
        let announced = own.announced.map_or_else(|| "no".to_string(), |at| clock.at(at));
        let (from, to) = (clock.at(own.interval.start), clock.at(own.interval.end));
        [own.category.clone(), own.id.clone(), from, to, announced, differences::effect(own, &view)]
    });
    let currency = credit.currency.as_deref().unwrap_or_default();
    Ok(Section {
        service: statement.service.clone(),
        business: statement.business.clone(),
        agreement: terms.display_name.clone().unwrap_or_else(|| statement.agreement.clone()),
        availability: micro_percent(credit.availability_percent),
        commitment: percent(terms.commitment),
        figures: figures(&figured)?,
        decides: statement.credit.parts.iter().find(|part| part.decides).map(PartCredit::name),
        kept: credit.kept,
        credit: percent_of(&credit.percent),
        amount: credit.amount.map_or_else(|| "no fee".to_string(), |amount| money(amount, currency)),
        claim_by: credit.claim_by.map_or_else(String::new, |by| clock.at_in_zone(by)),
        zone: clock.zone.to_string(),
        incomplete: (!statement.complete).then(|| incomplete(statement, clock)),
        clauses: clauses(first),
        description: terms.description.clone(),
        issuer: issuer(statement, terms),
        beside: (!statement.beside.is_empty()).then(|| {
            format!(
                "The same fee is the base of credits under {}, too; each is worked out by itself.",
                statement.beside.join(" and ")
            )
        }),
        days: strip::days(&view).iter().map(|day| cell(&view, day)).collect(),
        months: months::rows(&view),
        outages: outages(&view),
        worst: worst.collect(),
        counted: view.judged().count(Fate::Counted),
        exclusions: exclusions.collect(),
        steps: steps::of(&figured)?,
        revision: revision(statement, standing),
        changes: statement.changes.iter().map(|change| change.text.clone()).collect(),
        sha256: statement.sha256.clone(),
        signature: statement.signature.as_deref().map(|signed| match signature::named(signed) {
            Some((key, signature)) => (key.to_string(), signature.to_string()),
            None => ("?".to_string(), signed.to_string()),
        }),
        made_by: match statement.rules {
            // As it was written then.
            Rules::First => statement.program.clone(),
            rules => format!("{} by rules {}", statement.program, rules.number()),
        },
    })
}

/// Where there are several figures, all of them.
fn figures(figured: &Figured<'_>) -> Result<Vec<[String; 4]>, StatementError> {
    let mut rows = Vec::new();
    for figure in figured.all() {
        let (view, Some(part)) = figure? else { continue };
        let kept = if part.kept { "kept" } else { "not kept" };
        let decides = if part.decides { ", decides" } else { "" };
        rows.push([
            part.name(),
            micro_percent(part.availability_percent),
            format!("{}, {kept}", percent(view.terms().commitment)),
            format!("{}{decides}", percent_of(&part.share)),
        ]);
    }
    Ok(rows)
}

/// Valid and failed requests of a slice, and its error rate.
fn numbers(own: &JudgedSlice) -> [String; 3] {
    match &own.estimate {
        None => [grouped(own.valid), grouped(own.failed), rate(own.failed, own.valid)],
        Some(estimate) => {
            let with = |counted: i64| format!("{} + {} estimated", grouped(counted), places(estimate, 1));
            [with(own.valid), with(own.failed), format!("{} %", places(&own.rate().times(100, 1), 2))]
        }
    }
}

fn cell(view: &View<'_>, day: &Day) -> DayCell {
    let lost = matches!(day.state, State::Over | State::Error).then(|| strip::lost(view, day));
    DayCell {
        month: day.date.format("%Y-%m").to_string(),
        day: day.date.format("%-d").to_string(),
        state: day.state,
        telemetry_lost: day.telemetry_lost,
        lost,
    }
}

/// What the data lacked.
fn incomplete(statement: &IssuedStatement, clock: Clock) -> String {
    match statement.missing.as_slice() {
        [] => {
            let reached =
                statement.watermark.map_or_else(|| "nowhere".to_string(), |at| format!("to {}", clock.at_in_zone(at)));
            format!("The data of the period were incomplete: they reached {reached}.")
        }
        missing => {
            let days = days_of(missing, clock.zone);
            format!("The data of the period were incomplete: of {}, no row was stored for {days}.", statement.service)
        }
    }
}

fn revision(statement: &IssuedStatement, standing: Standing) -> String {
    let at = DateTime::from_timestamp_micros(statement.issued_at);
    let at = at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
    let this = match standing {
        Standing::Issued => format!("Revision {}, issued {at}", statement.revision),
        Standing::Draft => format!("DRAFT of revision {}, drawn up {at}, not issued", statement.revision),
    };
    match &statement.before {
        None => format!("{this}."),
        Some(before) => {
            let short: String = before.chars().take(12).collect();
            let changes = counted(statement.changes.len() as i64, "change");
            let replaces = match standing {
                Standing::Issued => "replaces",
                Standing::Draft => "would replace",
            };
            format!("{this}, {replaces} the one with SHA-256 {short}…: {changes}.")
        }
    }
}

/// `Number X. Drawn up by N, who owes the credit; questions to C.`
fn issuer(statement: &IssuedStatement, terms: &Terms) -> String {
    let issuer = terms.issuer.as_ref();
    let number = statement.number(terms).map(|number| format!("Number {number}."));
    let side = match terms.side {
        Side::Owed => "who owes the credit".to_string(),
        Side::Claimed => format!("who claims the credit from the operator of {}", statement.service),
    };
    let drawn = match (issuer, terms.side) {
        (Some(Issuer { name, contact: Some(contact), .. }), _) => {
            format!("Drawn up by {name}, {side}; questions to {contact}.")
        }
        (Some(Issuer { name, contact: None, .. }), _) => format!("Drawn up by {name}, {side}."),
        (None, Side::Claimed) => format!("Drawn up for the customer, {side}."),
        (None, Side::Owed) => format!("The operator of {} owes the credit.", statement.service),
    };
    number.into_iter().chain([drawn]).collect::<Vec<_>>().join(" ")
}

/// Which of how many slices are shown.
pub(crate) fn of_all(section: &Section) -> String {
    let shown = section.worst.len() as i64;
    let all = counted(section.counted, "slice");
    if shown == section.counted {
        format!("All of {all} whose failures lower the availability, the worst first.")
    } else {
        format!("The worst {} of {all} whose failures lower the availability.", grouped(shown))
    }
}
