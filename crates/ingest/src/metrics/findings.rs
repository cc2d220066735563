//! What was found on the way and a person should know.

/// What was found while samples were counted.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// How often a counter began again at 0.
    pub resets: u64,
    /// Series of whose first sample nothing is known, at the beginning of what was read.
    pub first: u64,
    /// Those that appeared while others of their rule had been there for a while.
    pub appeared: u64,
    /// What the first samples of these say that is not counted.
    pub appeared_with: f64,
    /// Instants for which a series has several values, of which the greatest counts.
    pub again: u64,
    /// Samples that say something else of an instant than the one that is stored.
    pub again_stored: u64,
    /// Samples that are not later than the last one that is stored of their series.
    pub known: u64,
    /// Samples of gauges that are no finite number.
    pub infinite: u64,
    /// Slices in which more events are good, or bad, than there are.
    pub excess: u64,
    /// Slices in which a bucket of a histogram counts more than a wider one.
    pub uneven: u64,
    /// Slices of native histograms that are coarser than what is stored.
    pub coarse: u64,
    /// Slices of native histograms whose observations are not seconds.
    pub not_seconds: u64,
    /// How often a counter fell although it did not begin again, as it says.
    pub fallen: u64,
    /// Series that again and again fell to more than half of what they were, or rose in one step to where they had fallen from: several
    /// counters under one name do, one that begins again does not.
    pub mixed: u64,
    /// Increments that begin before the one before them ends.
    pub overlapping: u64,
}

impl Findings {
    /// A first sample that counts nothing.
    pub(super) fn first(&mut self, counts: bool, appeared: bool, value: f64) {
        if counts && appeared {
            self.appeared += 1;
            self.appeared_with += value;
        } else if counts {
            self.first += 1;
        }
    }

    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: &Findings) {
        self.resets += other.resets;
        self.first += other.first;
        self.appeared += other.appeared;
        self.appeared_with += other.appeared_with;
        self.again += other.again;
        self.again_stored += other.again_stored;
        self.known += other.known;
        self.infinite += other.infinite;
        self.excess += other.excess;
        self.uneven += other.uneven;
        self.coarse += other.coarse;
        self.not_seconds += other.not_seconds;
        self.fallen += other.fallen;
        self.mixed += other.mixed;
        self.overlapping += other.overlapping;
    }
}
