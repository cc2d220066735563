//! The canonical JSON form of a statement: one line, fields in this order, every value exact and written in one way.
//!
//! `format` counts up with every change of what is written here, and what was written once must be read forever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::credit::{Credit, Credited, Estimate, Evidence, Excluded, Fee, MonthFee, Part, PartCredit};
use crate::period::PeriodName;
use crate::rules::Rules;
use crate::statement::paid_json::{CreditedForm, FeeForm, MonthFeeForm};
use crate::statement::wire::{Decimal, Instant, Ratio, Slices, Span};
use crate::statement::{AgreementText, Difference, IssuedStatement, StatementError};

/// The format in which statements of rules 1 are written, without a field for the rules.
const WITHOUT_RULES: u64 = 1;
/// The format of rules 2, without the store's slices.
const BY_SLICES: u64 = 2;
/// The format of rules 3 with one figure, without valid requests by month.
const PLAIN: u64 = 3;
/// The format of periods of months.
const BY_MONTHS: u64 = 4;
const FORMAT: u64 = 5;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<u32>,
    agreement: String,
    customer: String,
    service: String,
    business: String,
    period: String,
    revision: u32,
    issued_at: Instant,
    complete: bool,
    watermark: Option<Instant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Span>,
    credit: CreditForm,
    active: Span,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<String>,
    evidence: EvidenceForm,
    versions: Vec<VersionForm>,
    tables: BTreeMap<String, i64>,
    program: String,
    changes: Vec<Difference>,
    before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionForm {
    effective_from: Instant,
    /// By rules 3 and later: the rules of the version of Nines that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<u32>,
    sha256: String,
    /// Once: later versions with the same hash have the same text.
    text: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreditForm {
    slices: i64,
    valid: i64,
    failed: i64,
    lost_slices: i64,
    estimated: Ratio,
    estimates: Vec<EstimateForm>,
    excluded_micros: Vec<(String, i64)>,
    availability: Ratio,
    availability_percent: Decimal,
    kept: bool,
    tier: Option<usize>,
    credited: Ratio,
    fee_base: Option<Decimal>,
    amount: Option<Decimal>,
    currency: Option<String>,
    below_min_payout: bool,
    claim_by: Option<Instant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    figures: Vec<FigureForm>,
}

/// Of several figures one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureForm {
    metric: Option<String>,
    member: Option<String>,
    slices: i64,
    valid: i64,
    failed: i64,
    availability: Ratio,
    availability_percent: Decimal,
    kept: bool,
    credited: Ratio,
    decides: bool,
}

/// What was counted for one figure of several.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartForm {
    metric: usize,
    member: String,
    other_valid: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_valid_months: Vec<i64>,
    slices: Slices,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EstimateForm {
    started: Instant,
    slices: i64,
    days: Span,
    counted_slices: i64,
    requests: i64,
    failed: Ratio,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceForm {
    fee: Option<FeeForm>,
    /// Only of a period of days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    month_fees: Vec<MonthFeeForm>,
    /// Only where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    credited: Vec<CreditedForm>,
    exclusions: Vec<ExcludedForm>,
    lost: Vec<Span>,
    active: Vec<Span>,
    other_valid: i64,
    /// Only where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_valid_months: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored_slice_micros: Option<i64>,
    slices: Slices,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExcludedForm {
    id: String,
    category: String,
    span: Span,
    announced: Option<Instant>,
}

impl IssuedStatement {
    /// The canonical JSON form, without a signature: that is kept beside it, so that versions that know of none read it.
    pub fn to_json(&self) -> String {
        let mut form = form(self);
        form.sha256 = Some(self.sha256.clone());
        written(&form)
    }

    /// The same with the signature as the last field, if it is signed.
    pub fn to_signed_json(&self) -> String {
        let mut form = form(self);
        form.sha256 = Some(self.sha256.clone());
        form.signature.clone_from(&self.signature);
        written(&form)
    }

    /// Reads what [`to_json`](Self::to_json) or [`to_signed_json`](Self::to_signed_json) wrote, spaces and line breaks aside: anything else is an error. Whether it
    /// is still what was issued is for [`verify`](Self::verify) to say.
    pub fn from_json(text: &str) -> Result<IssuedStatement, StatementError> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| StatementError::format(format!("no JSON: {error}")))?;
        match value.get("format").map(|format| (format, format.as_u64())) {
            Some((_, Some(WITHOUT_RULES..=FORMAT))) => {}
            Some((_, Some(newer))) if newer > FORMAT => {
                let reason = format!("its format is {newer}, and this version knows {FORMAT}; use a newer one");
                return Err(StatementError::format(reason));
            }
            Some((other, _)) => return Err(StatementError::format(format!("unknown format {other}"))),
            None => return Err(StatementError::format("it has no field 'format'")),
        }
        let read: Form = serde_json::from_str(text).map_err(|error| StatementError::format(error.to_string()))?;
        let statement = statement(read)?;
        let mut canonical = form(&statement);
        canonical.sha256 = Some(statement.sha256.clone());
        canonical.signature.clone_from(&statement.signature);
        // Whatever reads to the same values must be written in the same way, so that nothing can be changed unseen.
        if serde_json::to_value(&canonical).ok().as_ref() != Some(&value) {
            return Err(StatementError::format("a value is not written as a statement writes it"));
        }
        Ok(statement)
    }
}

/// The JSON form without the hash: what is hashed.
pub(crate) fn unsealed(statement: &IssuedStatement) -> String {
    written(&form(statement))
}

/// Text, numbers and lists always have a JSON form, and keys are text: there is no error to hand on.
fn written(form: &Form) -> String {
    serde_json::to_string(form).unwrap_or_else(|impossible| impossible.to_string())
}

fn form(statement: &IssuedStatement) -> Form {
    let rules = (statement.rules != Rules::First).then(|| statement.rules.number());
    Form {
        format: match (statement.rules, statement.missing.as_slice()) {
            (Rules::First, []) => WITHOUT_RULES,
            (Rules::Second, []) => BY_SLICES,
            (Rules::First | Rules::Second, [..]) | (Rules::Third, _) => {
                let evidence = &statement.evidence;
                let is_plain =
                    evidence.other_valid_months.is_empty() && evidence.parts.is_empty() && evidence.credited.is_empty();
                match is_plain && statement.credit.parts.is_empty() {
                    _ if tells_of_days(statement) => FORMAT,
                    true => PLAIN,
                    false => BY_MONTHS,
                }
            }
        },
        rules,
        agreement: statement.agreement.clone(),
        customer: statement.customer.clone(),
        service: statement.service.clone(),
        business: statement.business.clone(),
        period: statement.period.to_string(),
        revision: statement.revision,
        issued_at: Instant(statement.issued_at),
        complete: statement.complete,
        watermark: statement.watermark.map(Instant),
        missing: statement.missing.iter().map(|missing| (*missing).into()).collect(),
        credit: credit_form(&statement.credit),
        active: statement.active.into(),
        beside: statement.beside.clone(),
        evidence: evidence_form(&statement.evidence, statement.rules),
        versions: version_forms(&statement.versions, statement.rules),
        tables: statement.tables.clone(),
        program: statement.program.clone(),
        changes: statement.changes.clone(),
        before: statement.before.clone(),
        sha256: None,
        signature: None,
    }
}

/// Whether a period of days stands in it.
fn tells_of_days(statement: &IssuedStatement) -> bool {
    let evidence = &statement.evidence;
    let mut periods = evidence.credited.iter().map(|credited| credited.period).chain([statement.period]);
    !evidence.month_fees.is_empty() || periods.any(|period| matches!(period, PeriodName::Day(_)))
}

fn version_forms(versions: &[AgreementText], rules: Rules) -> Vec<VersionForm> {
    let told = |i: usize, own: &AgreementText| {
        let same = versions[..i].iter().find(|before| before.sha256 == own.sha256);
        same.is_some_and(|before| before.text == own.text)
    };
    let forms = versions.iter().enumerate().map(|(i, own)| VersionForm {
        effective_from: Instant(own.effective_from),
        rules: rules.within_slices().then(|| own.rules.number()),
        sha256: own.sha256.clone(),
        text: (!told(i, own)).then(|| own.text.clone()),
    });
    forms.collect()
}

fn credit_form(credit: &Credit) -> CreditForm {
    let estimates = credit.estimates.iter().map(|estimate| EstimateForm {
        started: Instant(estimate.started),
        slices: estimate.slices,
        days: estimate.days.into(),
        counted_slices: estimate.counted_slices,
        requests: estimate.requests,
        failed: Ratio(estimate.failed.clone()),
    });
    CreditForm {
        slices: credit.slices,
        valid: credit.valid,
        failed: credit.failed,
        lost_slices: credit.lost_slices,
        estimated: Ratio(credit.estimated.clone()),
        estimates: estimates.collect(),
        excluded_micros: credit.excluded.clone(),
        availability: Ratio(credit.availability.clone()),
        availability_percent: Decimal(credit.availability_percent.into()),
        kept: credit.kept,
        tier: credit.tier,
        credited: Ratio(credit.percent.clone()),
        fee_base: credit.fee_base.map(Decimal),
        amount: credit.amount.map(Decimal),
        currency: credit.currency.clone(),
        below_min_payout: credit.below_min_payout,
        claim_by: credit.claim_by.map(Instant),
        figures: credit.parts.iter().map(figure_form).collect(),
    }
}

fn figure_form(part: &PartCredit) -> FigureForm {
    FigureForm {
        metric: part.metric.clone(),
        member: part.member.clone(),
        slices: part.slices,
        valid: part.valid,
        failed: part.failed,
        availability: Ratio(part.availability.clone()),
        availability_percent: Decimal(part.availability_percent.into()),
        kept: part.kept,
        credited: Ratio(part.share.clone()),
        decides: part.decides,
    }
}

fn evidence_form(evidence: &Evidence, rules: Rules) -> EvidenceForm {
    let excluded = |excluded: &Excluded| ExcludedForm {
        id: excluded.id.clone(),
        category: excluded.category.clone(),
        span: excluded.interval.into(),
        announced: excluded.announced.map(Instant),
    };
    let part = |part: &Part| PartForm {
        metric: part.metric,
        member: part.member.clone(),
        other_valid: part.other_valid,
        other_valid_months: part.other_valid_months.clone(),
        slices: part.slices.as_slice().into(),
    };
    EvidenceForm {
        fee: evidence.fee.as_ref().map(FeeForm::from),
        month_fees: evidence.month_fees.iter().map(MonthFeeForm::from).collect(),
        credited: evidence.credited.iter().map(CreditedForm::from).collect(),
        exclusions: evidence.exclusions.iter().map(excluded).collect(),
        lost: evidence.lost.iter().map(|lost| (*lost).into()).collect(),
        active: evidence.active.iter().map(|active| (*active).into()).collect(),
        other_valid: evidence.other_valid,
        other_valid_months: evidence.other_valid_months.clone(),
        stored_slice_micros: evidence.stored_slice.filter(|_| rules.within_slices()),
        slices: evidence.slices.as_slice().into(),
        parts: evidence.parts.iter().map(part).collect(),
    }
}

fn statement(form: Form) -> Result<IssuedStatement, StatementError> {
    let mut versions: Vec<AgreementText> = Vec::new();
    let rules = rules_of(form.rules.unwrap_or(Rules::First.number()))?;
    for VersionForm { effective_from, rules, sha256, text } in form.versions {
        let rules = rules_of(rules.unwrap_or(Rules::Second.number()))?;
        let known = || versions.iter().find(|before| before.sha256 == sha256).map(|before| before.text.clone());
        let text = text.or_else(known).ok_or_else(|| StatementError::format("a version has no text"))?;
        versions.push(AgreementText { effective_from: effective_from.0, sha256, text, rules });
    }
    Ok(IssuedStatement {
        agreement: form.agreement,
        customer: form.customer,
        service: form.service,
        business: form.business,
        period: form.period.parse().map_err(StatementError::format)?,
        revision: form.revision,
        issued_at: form.issued_at.0,
        versions,
        active: form.active.into(),
        rules,
        beside: form.beside,
        evidence: evidence(form.evidence)?,
        credit: credit(form.credit)?,
        tables: form.tables,
        program: form.program,
        complete: form.complete,
        watermark: form.watermark.map(|at| at.0),
        missing: form.missing.into_iter().map(Into::into).collect(),
        changes: form.changes,
        before: form.before,
        sha256: form.sha256.ok_or_else(|| StatementError::format("it has no field 'sha256'"))?,
        signature: form.signature,
    })
}

fn rules_of(number: u32) -> Result<Rules, StatementError> {
    Rules::from_number(number).ok_or_else(|| {
        let newest = Rules::CURRENT.number();
        StatementError::format(format!("its rules are {number}, and this version knows {newest}; use a newer one"))
    })
}

fn evidence(form: EvidenceForm) -> Result<Evidence, StatementError> {
    let beyond = || StatementError::format("a slice of the evidence is beyond all time");
    let excluded = |form: ExcludedForm| Excluded {
        id: form.id,
        category: form.category,
        interval: form.span.into(),
        announced: form.announced.map(|at| at.0),
    };
    let part = |form: PartForm| {
        let PartForm { metric, member, other_valid, other_valid_months, slices } = form;
        Ok(Part { metric, member, other_valid, other_valid_months, slices: slices.counts().ok_or_else(beyond)? })
    };
    Ok(Evidence {
        month_fees: form.month_fees.into_iter().map(MonthFee::try_from).collect::<Result<_, StatementError>>()?,
        credited: form.credited.into_iter().map(Credited::try_from).collect::<Result<_, StatementError>>()?,
        parts: form.parts.into_iter().map(part).collect::<Result<_, StatementError>>()?,
        slices: form.slices.counts().ok_or_else(beyond)?,
        other_valid: form.other_valid,
        other_valid_months: form.other_valid_months,
        stored_slice: form.stored_slice_micros,
        exclusions: form.exclusions.into_iter().map(excluded).collect(),
        lost: form.lost.into_iter().map(Into::into).collect(),
        active: form.active.into_iter().map(Into::into).collect(),
        fee: form.fee.map(Fee::from),
    })
}

fn credit(form: CreditForm) -> Result<Credit, StatementError> {
    let estimate = |form: EstimateForm| Estimate {
        started: form.started.0,
        slices: form.slices,
        days: form.days.into(),
        counted_slices: form.counted_slices,
        requests: form.requests,
        failed: form.failed.0,
    };
    let no_percent = |_| StatementError::format("the availability is no percent");
    let figure = |form: FigureForm| {
        Ok(PartCredit {
            metric: form.metric,
            member: form.member,
            slices: form.slices,
            valid: form.valid,
            failed: form.failed,
            availability: form.availability.0,
            availability_percent: i64::try_from(form.availability_percent.0).map_err(no_percent)?,
            kept: form.kept,
            share: form.credited.0,
            decides: form.decides,
        })
    };
    let percent = i64::try_from(form.availability_percent.0);
    Ok(Credit {
        slices: form.slices,
        valid: form.valid,
        failed: form.failed,
        lost_slices: form.lost_slices,
        estimates: form.estimates.into_iter().map(estimate).collect(),
        estimated: form.estimated.0,
        excluded: form.excluded_micros,
        availability: form.availability.0,
        availability_percent: percent.map_err(no_percent)?,
        kept: form.kept,
        tier: form.tier,
        percent: form.credited.0,
        fee_base: form.fee_base.map(|base| base.0),
        amount: form.amount.map(|amount| amount.0),
        below_min_payout: form.below_min_payout,
        currency: form.currency,
        claim_by: form.claim_by.map(|at| at.0),
        parts: form.figures.into_iter().map(figure).collect::<Result<_, StatementError>>()?,
    })
}
