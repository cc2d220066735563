//! One sweep over many timelines: the points in time at which any of them changes state, in order.
//!
//! O(total runs × log n) for n timelines: a heap holds one cursor per timeline.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{State, Timeline};

/// A timeline's state changes: each of its segments, then no data from its end on.
struct Cursor<'a> {
    segments: Box<dyn Iterator<Item = (i64, State)> + 'a>,
    next: State,
}

/// Calls `change(time, which, state)` for every change of state, ascending by time; before its first change
/// a timeline is no data, as it is after its last.
pub(crate) fn sweep<'a>(timelines: &[&'a Timeline], mut change: impl FnMut(i64, usize, State)) {
    let mut heap = BinaryHeap::with_capacity(timelines.len());
    let mut cursors = Vec::with_capacity(timelines.len());
    for (which, timeline) in timelines.iter().enumerate() {
        let timeline: &'a Timeline = timeline;
        let end = (!timeline.span().is_empty()).then_some((timeline.end(), State::NoData));
        let segments = Box::new(timeline.segments().map(|run| (run.start, run.state)).chain(end));
        let mut cursor = Cursor { segments, next: State::NoData };
        if let Some((time, state)) = cursor.segments.next() {
            cursor.next = state;
            heap.push(Reverse((time, which)));
        }
        cursors.push(cursor);
    }
    while let Some(mut top) = heap.peek_mut() {
        let Reverse((time, which)) = *top;
        let cursor = &mut cursors[which];
        change(time, which, cursor.next);
        match cursor.segments.next() {
            // Replacing the top sifts once, where pop and push would sift twice.
            Some((later, state)) => {
                cursor.next = state;
                *top = Reverse((later, which));
            }
            None => {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
    }
}
