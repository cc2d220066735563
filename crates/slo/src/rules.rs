//! The rules by which a credit is worked out.
//!
//! Rules are numbered, and every statement says by which it was worked out (absent: 1). They stay in the code, so that what
//! was issued is verified by its own. What differs between them is asked here, step by step; everything else is common to all.
//! Rules that change a figure get a new number, and a line in `Rules::says`.

use crate::period::Period;

/// Rules, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rules {
    /// Rules 1: slices are laid from the epoch, and exclusions that overlap are refused.
    First,
    /// Rules 2: slices are laid from local midnight, and exclusions that overlap are united.
    Second,
    /// Rules 3: what is excluded and where telemetry was lost counts by the store's slices, inside wider ones too.
    Third,
}

impl Rules {
    /// Those by which is worked out what was never issued.
    pub const CURRENT: Rules = Rules::Third;
    const ALL: [Rules; 3] = [Rules::First, Rules::Second, Rules::Third];

    /// Their number.
    pub fn number(self) -> u32 {
        match self {
            Rules::First => 1,
            Rules::Second => 2,
            Rules::Third => 3,
        }
    }

    /// Those of this number.
    pub fn from_number(number: u32) -> Option<Rules> {
        Self::ALL.into_iter().find(|rules| rules.number() == number)
    }

    /// What changed since earlier ones, for people: the part of a sentence.
    pub fn changed_since(self, earlier: Rules) -> String {
        let later = Self::ALL.into_iter().filter(|rules| earlier < *rules && *rules <= self);
        later.map(Rules::says).collect::<Vec<_>>().join("; ")
    }

    fn says(self) -> &'static str {
        match self {
            Rules::First => "slices are laid from midnight UTC, and exclusions must not overlap",
            Rules::Second => "slices are laid from local midnight, and overlapping exclusions are united",
            Rules::Third => {
                "excluded time and lost telemetry count by the store's slices, inside the agreement's too, unless it was \
                 recorded before"
            }
        }
    }

    /// An instant (µs) at which a slice of a period begins.
    pub(crate) fn origin(self, period: &Period) -> i64 {
        match self {
            Rules::First => 0,
            Rules::Second | Rules::Third => period.interval.start,
        }
    }

    /// Whether exclusions that count may overlap.
    pub(crate) fn unite_exclusions(self) -> bool {
        match self {
            Rules::First => false,
            Rules::Second | Rules::Third => true,
        }
    }

    /// Whether excluded and lost time may be a part of a slice.
    pub(crate) fn within_slices(self) -> bool {
        match self {
            Rules::First | Rules::Second => false,
            Rules::Third => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_number_of_its_own() {
        let numbers: Vec<u32> = Rules::ALL.iter().map(|rules| rules.number()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert!(Rules::ALL.iter().all(|rules| Rules::from_number(rules.number()) == Some(*rules)));
        assert_eq!((Rules::from_number(0), Rules::from_number(4)), (None, None));
        assert_eq!(Rules::ALL.last(), Some(&Rules::CURRENT));
    }
}
