//! In which currencies something is paid.

use iso_currency::Currency;

/// The guilder of the Netherlands Antilles, which ISO 4217 withdrew in 2025: what was paid before stays so.
const WITHDRAWN: &str = "ANG";

/// Whether something can be paid in it: a code of ISO 4217 with a minor unit. Gold has none.
pub fn is_currency(code: &str) -> bool {
    code == WITHDRAWN || Currency::from_code(code).is_some_and(|known| known.exponent().is_some())
}

/// What was probably meant.
pub(super) fn currency_hint(code: &str) -> String {
    let upper = code.trim().to_ascii_uppercase();
    if is_currency(&upper) {
        return format!("write {upper}");
    }
    match upper.as_str() {
        "RMB" | "CNH" => "write CNY".to_string(),
        _ => "expected a code such as CNY, EUR or USD".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_those_in_which_something_is_paid() {
        let paid = ["EUR", "JPY", "KWD", "ANG", "XAU", "RMB", "eur", "", "EURO"].map(is_currency);
        assert_eq!(paid, [true, true, true, true, false, false, false, false, false]);
    }

    #[test]
    fn what_was_meant_is_said_where_it_is_clear() {
        assert_eq!(currency_hint("eur "), "write EUR");
        assert_eq!(currency_hint("RMB"), "write CNY");
        // Another currency is one letter away from most: no guess.
        assert_eq!(currency_hint("CNX"), "expected a code such as CNY, EUR or USD");
        assert_eq!(currency_hint("\u{20ac}"), "expected a code such as CNY, EUR or USD");
    }
}
