//! People's words for rules.

const DAYS: [(&str, &str); 7] = [
    ("monday", "MO"),
    ("tuesday", "TU"),
    ("wednesday", "WE"),
    ("thursday", "TH"),
    ("friday", "FR"),
    ("saturday", "SA"),
    ("sunday", "SU"),
];
const UNITS: [(&str, &str); 4] = [("day", "DAILY"), ("week", "WEEKLY"), ("month", "MONTHLY"), ("year", "YEARLY")];
const ORDINALS: [(&str, &str, i8); 6] = [
    ("first", "1st", 1),
    ("second", "2nd", 2),
    ("third", "3rd", 3),
    ("fourth", "4th", 4),
    ("fifth", "5th", 5),
    ("last", "last", -1),
];

/// The rule that words mean: `week`, `2 weeks`, `Monday and Thursday`, `first Sunday`, `last day`; `None` if they mean none.
pub(crate) fn rule(text: &str) -> Option<String> {
    let lower = text.to_lowercase().replace([',', '&'], " ");
    let mut words: Vec<&str> = lower.split_whitespace().filter(|word| !["and", "every"].contains(word)).collect();
    if words.ends_with(&["of", "the", "month"]) {
        words.truncate(words.len() - 3);
    }
    match words.as_slice() {
        ["weekday" | "weekdays"] => Some("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_string()),
        [word] if unit(word).is_some() => Some(format!("FREQ={}", unit(word)?)),
        [number, word] if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("FREQ={};INTERVAL={number}", unit(word)?))
        }
        [nth, "day"] => Some(format!("FREQ=MONTHLY;BYMONTHDAY={}", ordinal(nth)?)),
        [nth, word] if ordinal(nth).is_some() => Some(format!("FREQ=MONTHLY;BYDAY={}{}", ordinal(nth)?, day(word)?)),
        [] => None,
        words => {
            let days = words.iter().map(|word| day(word)).collect::<Option<Vec<_>>>()?;
            Some(format!("FREQ=WEEKLY;BYDAY={}", days.join(",")))
        }
    }
}

fn unit(word: &str) -> Option<&'static str> {
    UNITS.iter().find(|(name, _)| word.strip_suffix('s').unwrap_or(word) == *name).map(|(_, frequency)| *frequency)
}

/// `Sunday`, `sundays`, `Sun`.
fn day(word: &str) -> Option<&'static str> {
    let is_it = |name: &str| word.strip_suffix('s').unwrap_or(word) == name || word == &name[..3];
    DAYS.iter().find(|(name, _)| is_it(name)).map(|(_, short)| *short)
}

fn ordinal(word: &str) -> Option<i8> {
    ORDINALS.iter().find(|(name, short, _)| word == *name || word == *short).map(|(.., number)| *number)
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn words_are_rules() {
        let meant = [
            ("day", "FREQ=DAILY"),
            ("every week", "FREQ=WEEKLY"),
            ("2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
            ("3 Months", "FREQ=MONTHLY;INTERVAL=3"),
            ("Sunday", "FREQ=WEEKLY;BYDAY=SU"),
            ("Mon, Thu", "FREQ=WEEKLY;BYDAY=MO,TH"),
            ("tuesdays and fridays", "FREQ=WEEKLY;BYDAY=TU,FR"),
            ("weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("first Sunday", "FREQ=MONTHLY;BYDAY=1SU"),
            ("2nd tue of the month", "FREQ=MONTHLY;BYDAY=2TU"),
            ("last Friday", "FREQ=MONTHLY;BYDAY=-1FR"),
            ("last day", "FREQ=MONTHLY;BYMONTHDAY=-1"),
            ("year", "FREQ=YEARLY"),
        ];
        for (words, expected) in meant {
            assert_eq!(rule(words).as_deref(), Some(expected), "{words}");
        }
        for none in ["", "sometimes", "sixth Sunday", "2 Sundays", "FREQ=DAILY", "first", "first week", "week Sunday"] {
            assert_eq!(rule(none), None, "{none}");
        }
    }
}
