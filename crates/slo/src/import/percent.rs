//! Shares as percentages.

/// 0.999 is 99.9: the point moves, so that no digit is lost.
pub(super) fn percent_of(target: &str) -> Option<String> {
    let (whole, digits) = target.split_once('.').unwrap_or((target, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(digits) || target.is_empty() {
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
            [("0.999", "99.9"), ("0.95", "95"), ("1", "100"), ("0.9", "90"), ("0.00015", "0.015"), ("0", "0")]
        {
            assert_eq!(percent_of(target).as_deref(), Some(percent), "{target}");
        }
        assert_eq!((percent_of("high"), percent_of("")), (None, None));
    }
}
