//! Statuses as people write them: one, a class, a range.

use std::fmt;

/// HTTP statuses that follow each other: `403`, `4xx`, `50x`, `502-504`. Displayed as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statuses {
    first: i32,
    last: i32,
}

impl Statuses {
    /// The statuses that a text names; `None`: it names none, but perhaps a cause.
    pub fn of(text: &str) -> Option<Statuses> {
        let text = text.trim();
        // Most causes are told from statuses by this alone.
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let number = |text: &str| {
            let text = text.trim();
            let is_status = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_status.then(|| text.parse::<i32>().ok()).flatten()
        };
        if let Some((first, last)) = text.split_once(['-', '–']) {
            let (first, last) = (number(first)?, number(last)?);
            return (first <= last).then_some(Statuses { first, last });
        }
        let lower = text.to_ascii_lowercase();
        for (class, width, digits) in [("xx", 100, 1), ("x", 10, 2)] {
            let digits = lower.strip_suffix(class).filter(|kept| kept.len() == digits);
            if let Some(of_class) = digits.and_then(number) {
                let first = of_class * width;
                return Some(Statuses { first, last: first + width - 1 });
            }
        }
        number(text).map(|status| Statuses { first: status, last: status })
    }

    /// Whether a text that names none was probably meant to.
    pub(crate) fn are_meant(text: &str) -> bool {
        let is_of_status = |c: char| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '-' | '–' | ' ');
        text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_status) && Statuses::of(text).is_none()
    }

    /// Whether a status is one of them.
    pub fn contains(self, status: i32) -> bool {
        (self.first..=self.last).contains(&status)
    }

    /// Whether it is a single one.
    pub(crate) fn is_one(self) -> bool {
        self.first == self.last
    }

    /// How many there are.
    pub(crate) fn count(self) -> i32 {
        self.last - self.first + 1
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statuses { first, last } = *self;
        match self.count() {
            1 => write!(f, "{first}"),
            100 if first % 100 == 0 => write!(f, "{}xx", first / 100),
            10 if first % 10 == 0 && first >= 100 => write!(f, "{}x", first / 10),
            _ => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_one_a_class_or_a_range() {
        let read = |text| Statuses::of(text).map(|statuses| (statuses.first, statuses.last, statuses.to_string()));
        for (text, first, last, shown) in [
            ("403", 403, 403, "403"),
            ("0", 0, 0, "0"),
            ("4xx", 400, 499, "4xx"),
            ("5XX", 500, 599, "5xx"),
            ("50x", 500, 509, "50x"),
            ("502-504", 502, 504, "502-504"),
            (" 502 – 504 ", 502, 504, "502-504"),
            ("400-499", 400, 499, "4xx"),
            ("0-9", 0, 9, "0-9"),
        ] {
            assert_eq!(read(text), Some((first, last, shown.to_string())), "{text}");
        }
        for cause in
            ["", "x", "xx", "4", "rate_limited", "1000", "-1", "504-502", "4xx-5xx", "4.0", "+404", "404 ", "t-504"]
        {
            let is_status = matches!(cause, "4" | "404 ");
            assert_eq!(read(cause).is_some(), is_status, "{cause}");
        }
        let meant = ["1000", "504-502", "4xx-5xx", "5xxx"];
        assert!(meant.into_iter().all(Statuses::are_meant));
        assert!(!["404", "4xx", "rate_limited", "x", "t-504", "xx"].into_iter().any(Statuses::are_meant));
        let class = Statuses::of("4xx").unwrap();
        assert_eq!([399, 400, 499, 500].map(|status| class.contains(status)), [false, true, true, false]);
    }
}
