//! What was paid and credited before, in the canonical JSON form.

use serde::{Deserialize, Serialize};

use crate::credit::{Credited, Fee, MonthFee};
use crate::statement::StatementError;
use crate::statement::wire::{Decimal, Span};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditedForm {
    period: String,
    amount: Decimal,
    currency: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeeForm {
    currency: String,
    amount: Decimal,
    vouchers: Decimal,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MonthFeeForm {
    month: String,
    amount: Decimal,
    vouchers: Decimal,
    active: Span,
}

impl From<&Credited> for CreditedForm {
    fn from(credited: &Credited) -> Self {
        let Credited { period, amount, currency } = credited;
        CreditedForm { period: period.to_string(), amount: Decimal(*amount), currency: currency.clone() }
    }
}

impl TryFrom<CreditedForm> for Credited {
    type Error = StatementError;

    fn try_from(form: CreditedForm) -> Result<Self, StatementError> {
        let period = form.period.parse().map_err(StatementError::format)?;
        Ok(Credited { period, amount: form.amount.0, currency: form.currency })
    }
}

impl From<&Fee> for FeeForm {
    fn from(fee: &Fee) -> Self {
        FeeForm { currency: fee.currency.clone(), amount: Decimal(fee.amount), vouchers: Decimal(fee.vouchers) }
    }
}

impl From<FeeForm> for Fee {
    fn from(form: FeeForm) -> Self {
        Fee { currency: form.currency, amount: form.amount.0, vouchers: form.vouchers.0 }
    }
}

impl From<&MonthFee> for MonthFeeForm {
    fn from(fee: &MonthFee) -> Self {
        MonthFeeForm {
            month: fee.month.to_string(),
            amount: Decimal(fee.amount),
            vouchers: Decimal(fee.vouchers),
            active: fee.active.into(),
        }
    }
}

impl TryFrom<MonthFeeForm> for MonthFee {
    type Error = StatementError;

    fn try_from(form: MonthFeeForm) -> Result<Self, StatementError> {
        let month = form.month.parse().map_err(StatementError::format)?;
        Ok(MonthFee { month, amount: form.amount.0, vouchers: form.vouchers.0, active: form.active.into() })
    }
}
