//! Targets as percentages: those are imported that an objective may have.

use nines_timeline::{Share, ShareError};

/// A target that is written as a percentage, as `99.9`; otherwise why it is none.
pub(super) fn percent(text: &str) -> Result<String, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    promised(&format!("{number}%"), text, "99.9").map(|()| number.to_string())
}

/// A target that is written as a share of one, as `0.999`; otherwise why it is none.
pub(super) fn percent_of(text: &str) -> Result<String, String> {
    let share = text.trim();
    if share.ends_with('%') {
        return percent(share);
    }
    promised(share, text, "0.999")?;
    moved(share).ok_or_else(|| format!("its target is '{text}', expected a number such as 0.999"))
}

/// Whether a share promises something, and not more than everything.
fn promised(share: &str, text: &str, example: &str) -> Result<(), String> {
    match share.parse::<Share>() {
        Ok(share) if share.numerator() > 0 => Ok(()),
        Ok(_) => Err(format!("its target is {text}, which promises nothing; expected a number such as {example}")),
        Err(ShareError::OutOfRange(_)) => {
            Err(format!("its target is {text}, which is not between 0 and 100 %; expected a number such as {example}"))
        }
        Err(_) => Err(format!("its target is '{text}', expected a number such as {example}")),
    }
}

/// 0.999 is 99.9: the point moves, so that no digit is lost.
fn moved(share: &str) -> Option<String> {
    let (whole, digits) = share.split_once('.').unwrap_or((share, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(digits) || share.is_empty() {
        return None;
    }
    let digits = format!("{digits:0<2}");
    let (up, rest) = digits.split_at(2);
    let whole = format!("{whole}{up}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if rest.is_empty() { whole.to_string() } else { format!("{whole}.{rest}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_becomes_a_percentage_without_loss() {
        for (target, percent) in
            [("0.999", "99.9"), ("0.95", "95"), ("1", "100"), ("0.9", "90"), ("0.00015", "0.015"), ("99.9%", "99.9")]
        {
            assert_eq!(percent_of(target).as_deref(), Ok(percent), "{target}");
        }
    }

    #[test]
    fn a_target_that_no_objective_has_is_refused() {
        assert_eq!((percent("99.95"), percent("99 %")), (Ok("99.95".to_string()), Ok("99".to_string())));
        assert_eq!(
            percent("150").unwrap_err(),
            "its target is 150, which is not between 0 and 100 %; expected a number such as 99.9"
        );
        assert_eq!(
            percent_of("1.5").unwrap_err(),
            "its target is 1.5, which is not between 0 and 100 %; expected a number such as 0.999"
        );
        for nothing in ["0", "0.0", "0e3"] {
            assert!(percent(nothing).unwrap_err().contains("promises nothing"), "{nothing}");
            assert!(percent_of(nothing).unwrap_err().contains("promises nothing"), "{nothing}");
        }
        for wrong in ["high", "", "-1", "0.9.9", "1e-1", "NaN"] {
            assert!(percent_of(wrong).is_err(), "{wrong}");
        }
    }
}
