//! What a form of credits is, and what it reads.

use nines_timeline::Share;

use crate::agreement::credits::downtime::Downtime;
use crate::fraction::Fraction;

/// What a credit is a function of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures<'a> {
    /// Of 1, rounded where the agreement rounds it.
    pub availability: &'a Fraction,
    /// The availability that is promised.
    pub commitment: Share,
    /// None but for [`Measure::Downtime`](crate::Measure::Downtime).
    pub downtime: &'a Downtime,
    /// Calendar days of the period.
    pub days: u32,
}

/// A form of `credits`.
pub(crate) trait Form {
    /// The share of the fee base, without the cap. No better figures come to more.
    fn share(&self, figures: Figures<'_>) -> Fraction;

    /// Availabilities below which, or (`true`) at and below which, the share is another.
    fn bounds(&self) -> Vec<(Share, bool)>;

    /// The clause: what is credited of the fee base, in words.
    fn clause(&self) -> String;

    /// How a statement's share came about, a sentence for each step.
    fn workings(&self, figures: Figures<'_>) -> Vec<String>;
}

/// What reading a form needs to know of the rest of an agreement.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub commitment: Option<Share>,
    /// The measure, if it knows no outages.
    pub without_outages: Option<&'static str>,
    /// The days of the shortest and of the longest period.
    pub lengths: [u32; 2],
}
