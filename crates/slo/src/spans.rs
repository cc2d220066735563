//! Sets of time: disjoint intervals, ascending.

use nines_timeline::Interval;

/// Whether an instant is in one of them.
#[inline]
pub(crate) fn contains(spans: &[Interval], instant: i64) -> bool {
    // Asked of every slice; mostly there is nothing special, and one span is judged.
    match spans {
        [] => false,
        [one] => one.start <= instant && instant < one.end,
        _ => {
            let after = spans.partition_point(|span| span.start <= instant);
            spans[..after].last().is_some_and(|span| instant < span.end)
        }
    }
}

/// What of them is inside an interval.
pub(crate) fn clip(spans: &[Interval], within: Interval) -> Vec<Interval> {
    let from = spans.partition_point(|span| span.end <= within.start);
    let inside = spans[from..].iter().take_while(|span| span.start < within.end);
    let clipped = inside.map(|span| Interval::new(span.start.max(within.start), span.end.min(within.end)));
    clipped.filter(|span| !span.is_empty()).collect()
}

/// What of them is in `others`, too.
pub(crate) fn intersect(spans: &[Interval], others: &[Interval]) -> Vec<Interval> {
    others.iter().flat_map(|other| clip(spans, *other)).collect()
}

/// What of them is not in `others`.
pub(crate) fn subtract(spans: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    for span in spans {
        let mut start = span.start;
        for other in clip(others, *span) {
            left.push(Interval::new(start, other.start));
            start = other.end;
        }
        left.push(Interval::new(start, span.end));
    }
    left.retain(|span| !span.is_empty());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_time() {
        let i = Interval::new;
        let spans = [i(0, 4), i(6, 9), i(20, 30)];
        assert_eq!(clip(&spans, i(2, 20)), [i(2, 4), i(6, 9)]);
        assert_eq!(clip(&spans, i(4, 6)), []);
        assert_eq!(intersect(&spans, &[i(1, 7), i(8, 21)]), [i(1, 4), i(6, 7), i(8, 9), i(20, 21)]);
        assert_eq!(subtract(&[i(1, 25)], &spans), [i(4, 6), i(9, 20)]);
        assert_eq!(subtract(&spans, &[i(7, 8), i(20, 30)]), [i(0, 4), i(6, 7), i(8, 9)]);
        assert_eq!(subtract(&[i(5, 5)], &[]), []);
        assert!(contains(&spans, 0) && !contains(&spans, 4) && contains(&spans, 29) && !contains(&spans, -1));
    }
}
