//! Members of a service of which one decides each slice.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::agreement::{Covered, ExcludedTime, Join, Silent};
use crate::credit::compact::Compactor;
use crate::credit::evidence::{Counts, CreditError};
use crate::credit::measured::SliceSums;

/// What was counted of a member in a slice.
struct OfMember<'c> {
    pieces: &'c [Counts],
    sums: SliceSums,
}

impl Compactor {
    /// Of each slice the counts of the member that decides it, by [`Terms::each`](crate::Terms::each), from what was counted of each
    /// member, by its name, ascending. Members that are not agreed count for nothing.
    pub fn joined(&self, covered: &Covered<'_>, members: &[(&str, &[Counts])]) -> Result<Vec<Counts>, CreditError> {
        let join = covered.terms.each.as_ref().map_or(&Join::Worst, |each| &each.join);
        let mut slices: BTreeMap<i64, Vec<OfMember<'_>>> = BTreeMap::new();
        let is_agreed = |name: &str| match join {
            Join::All { of, .. } => of.iter().any(|own| own == name),
            Join::Any | Join::Worst => true,
        };
        for (_, counts) in members.iter().filter(|(name, _)| is_agreed(name)) {
            for (start, pieces) in self.pieces.by_slice(counts) {
                slices.entry(start).or_default().push(OfMember { pieces, sums: self.sums(pieces) });
            }
        }
        let mut joined = Vec::new();
        for (start, of_slice) in slices {
            let (measured, few): (Vec<_>, Vec<_>) =
                of_slice.iter().partition(|own| own.sums.outside > 0 && own.sums.outside >= covered.terms.min_requests);
            let rates = |a: &&OfMember<'_>, b: &&OfMember<'_>| by_rate(covered, a, b);
            let decides = match join {
                Join::Any | Join::Worst => measured.iter().copied().reduce(|best, own| match rates(&best, &own) {
                    Ordering::Less => own,
                    Ordering::Equal | Ordering::Greater => best,
                }),
                Join::All { of, silent: Silent::Ok } if measured.len() < of.len() => {
                    joined.extend(without_error(start, &of_slice)?);
                    continue;
                }
                Join::All { .. } => measured.iter().copied().reduce(|best, own| match rates(&best, &own) {
                    Ordering::Greater => own,
                    Ordering::Equal | Ordering::Less => best,
                }),
            };
            // Where none has enough requests the slice has not either.
            let decides = decides.or_else(|| few.into_iter().max_by_key(|own| own.sums.outside));
            joined.extend(decides.iter().flat_map(|own| own.pieces));
        }
        Ok(joined)
    }
}

/// Compares the error rates of slices that have one.
fn by_rate(covered: &Covered<'_>, a: &OfMember<'_>, b: &OfMember<'_>) -> Ordering {
    let valid = |own: &OfMember<'_>| match covered.terms.excluded_time {
        ExcludedTime::ErrorFree => own.sums.outside.saturating_add(own.sums.spared),
        ExcludedTime::Removed => own.sums.outside,
    };
    let product = |own: &OfMember<'_>, other: &OfMember<'_>| i128::from(own.sums.failed) * i128::from(valid(other));
    product(a, b).cmp(&product(b, a))
}

/// All requests of a slice, none of them failed.
fn without_error(start: i64, members: &[OfMember<'_>]) -> Result<Vec<Counts>, CreditError> {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for counts in members.iter().flat_map(|own| own.pieces) {
        let sum = sums.entry(counts.start).or_default();
        *sum = sum.checked_add(counts.valid).ok_or(CreditError::too_many(start))?;
    }
    Ok(sums.into_iter().map(|(start, valid)| Counts { start, valid, failed: 0 }).collect())
}
