//! The rules by which a credit is worked out.
//!
//! Rules are numbered, and every statement says by which it was worked out (absent: 1). They stay in the code, so that what
//! was issued is verified by its own. What differs between them is asked here, step by step; everything else is common to all.
//! Rules that change a figure get a new number, and a line in [`Rules::says`].

use crate::period::Period;

/// Rules, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rules {
    /// Rules 1: slices are laid from the epoch, and exclusions that overlap are refused.
    First,
    /// Rules 2: slices are laid from local midnight, and exclusions that overlap are united.
    Second,
}

impl Rules {
    /// Those by which is worked out what was never issued.
    pub const CURRENT: Rules = Rules::Second;
    const ALL: [Rules; 2] = [Rules::First, Rules::Second];

    /// Their number.
    pub fn number(self) -> u32 {
        match self {
            Rules::First => 1,
            Rules::Second => 2,
        }
    }

    /// Those of this number.
    pub fn from_number(number: u32) -> Option<Rules> {
        Self::ALL.into_iter().find(|rules| rules.number() == number)
    }

    /// What they changed, for people: the part of a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Rules::First => "slices are laid from midnight UTC, and exclusions must not overlap",
            Rules::Second => "slices are laid from local midnight, and overlapping exclusions are united",
        }
    }

    /// An instant (µs) at which a slice of a period begins.
    pub(crate) fn origin(self, period: &Period) -> i64 {
        match self {
            Rules::First => 0,
            Rules::Second => period.interval.start,
        }
    }

    /// Whether exclusions that count may overlap.
    pub(crate) fn unite_exclusions(self) -> bool {
        match self {
            Rules::First => false,
            Rules::Second => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_number_of_its_own() {
        let numbers: Vec<u32> = Rules::ALL.iter().map(|rules| rules.number()).collect();
        assert_eq!(numbers, [1, 2]);
        assert!(Rules::ALL.iter().all(|rules| Rules::from_number(rules.number()) == Some(*rules)));
        assert_eq!((Rules::from_number(0), Rules::from_number(3)), (None, None));
        assert_eq!(Rules::ALL.last(), Some(&Rules::CURRENT));
    }
}
