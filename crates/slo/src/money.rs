//! Money: whole multiples of 10⁻⁶ of a currency's unit, rounded once to what can be paid.

use iso_currency::{Currency, IntoEnumIterator};

use crate::fraction::{Fraction, Rounding};
use crate::nearest;

/// Decimal places of an amount: an `i128` of 1,000,000 is one unit of the currency.
pub const MONEY_SCALE: u32 = 6;

/// The guilder of the Netherlands Antilles, which ISO 4217 withdrew in 2025: agreements that were recorded before name it.
const WITHDRAWN: (&str, u32) = ("ANG", 2);

/// Decimal places of a currency's minor unit (ISO 4217). `None`: no such currency, or one that nothing is paid in, such as gold.
pub fn minor_digits(currency: &str) -> Option<u32> {
    match currency == WITHDRAWN.0 {
        true => Some(WITHDRAWN.1),
        false => Currency::from_code(currency)?.exponent().map(u32::from),
    }
}

/// Which currency was probably meant.
pub(crate) fn hint(currency: &str) -> String {
    let paid = Currency::iter().filter(|known| known.exponent().is_some());
    let codes: Vec<&str> = paid.map(|known| known.code()).chain([WITHDRAWN.0]).collect();
    let upper = codes.iter().find(|code| code.eq_ignore_ascii_case(currency)).map(|code| format!("write {code}"));
    let near = upper.or_else(|| nearest::near_hint(currency, &codes));
    near.unwrap_or_else(|| "expected a code of ISO 4217 such as CNY, EUR or USD".to_string())
}

/// A share of an amount, rounded to so many decimal places of the currency's unit.
pub(crate) fn share_of(amount: i128, share: &Fraction, digits: u32, mode: Rounding) -> i128 {
    let unit = 10u64.pow(MONEY_SCALE.saturating_sub(digits));
    let exact = Fraction::new(share.numerator() * amount.unsigned_abs(), share.denominator() * unit);
    let units = exact.rounded_by(mode, 1);
    // A share of an amount is no larger than it.
    i128::try_from(units).unwrap_or(i128::MAX).saturating_mul(i128::from(unit)) * amount.signum()
}

/// Reads `1.50 USD`: what can be paid in that currency, not negative.
pub(crate) fn read(text: &str) -> Result<(i128, String), String> {
    let wrong = || format!("'{text}' is no amount: expected a number and a currency such as 1.00 USD");
    let (number, currency) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
    let digits = minor_digits(currency).ok_or_else(|| format!("unknown currency '{currency}': {}", hint(currency)))?;
    let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    if fraction.len() > digits as usize {
        return Err(format!("'{text}' cannot be paid: {currency} has {digits} decimal places"));
    }
    let padded = format!("{whole}{fraction:0<width$}", width = MONEY_SCALE as usize);
    padded.parse().map(|amount| (amount, currency.to_string())).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use nines_timeline::Share;

    use super::*;

    #[test]
    fn minor_units_follow_the_standard() {
        let digits = ["JPY", "CNY", "EUR", "KWD", "CLF", "usd", "XYZ", ""].map(minor_digits);
        assert_eq!(digits, [Some(0), Some(2), Some(2), Some(3), Some(4), None, None, None]);
        assert_eq!(hint("usd"), "write USD");
        assert_eq!(hint("CNH"), "did you mean 'CNY'?");
        assert_eq!(hint("RMBX"), "expected a code of ISO 4217 such as CNY, EUR or USD");
    }

    #[test]
    fn amounts_round_once_and_half_to_even() {
        let share_of = |amount, share: &str, digits| {
            super::share_of(amount, &Fraction::from(share.parse::<Share>().unwrap()), digits, Rounding::HalfEven)
        };
        assert_eq!(share_of(1_250_000, "10%", 2), 120_000);
        assert_eq!(share_of(1_350_000, "10%", 2), 140_000);
        assert_eq!(share_of(1_250_001, "10%", 2), 130_000);
        assert_eq!(share_of(25_000_000, "10%", 0), 2_000_000);
        assert_eq!(share_of(999_999_999_999_999_999_999_999, "0.999999999999999999", 3).to_string().len(), 24);
        assert_eq!(share_of(12_340_000, "1", 2), 12_340_000);
    }

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!(read("1.50 USD"), Ok((1_500_000, "USD".into())));
        assert_eq!(read("100 JPY"), Ok((100_000_000, "JPY".into())));
        assert_eq!(read("1.5 JPY").unwrap_err(), "'1.5 JPY' cannot be paid: JPY has 0 decimal places");
        assert_eq!(read("1 USDT").unwrap_err(), "unknown currency 'USDT': did you mean 'USD'?");
        for bad in ["1", "USD", "-1 USD", "1e3 USD", ". USD", "1.2.3 USD", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
