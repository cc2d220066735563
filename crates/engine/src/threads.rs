//! Work on a list that is shared out to threads.

use std::sync::{Mutex, PoisonError};

/// What becomes of the items of a list that are worked on at once, so many at a time, in the list's order. Where there is no thread to be
/// had, this one does it alone.
pub(crate) fn by_threads<T: Send, R: Send>(
    all: Vec<T>,
    threads: usize,
    at_once: usize,
    work: impl Fn(T) -> Option<R> + Sync,
) -> Vec<R> {
    let mut found: Vec<Option<R>> = std::iter::repeat_with(|| None).take(all.len()).collect();
    let parts = Mutex::new((all.into_iter(), found.chunks_mut(at_once)));
    let next = || {
        let (items, slots) = &mut *parts.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = slots.next()?;
        Some((items.take(slots.len()).collect::<Vec<T>>(), slots))
    };
    let run = || {
        while let Some((items, slots)) = next() {
            slots.iter_mut().zip(items).for_each(|(slot, item)| *slot = work(item));
        }
    };
    std::thread::scope(|scope| {
        let others = (1..threads).map(|_| std::thread::Builder::new().spawn_scoped(scope, run));
        others.take_while(Result::is_ok).for_each(drop);
        run();
    });
    #[expect(
        clippy::filter_map_identity,
        reason = "unlike flatten it collects in place: no second copy of all that was worked out"
    )]
    found.into_iter().filter_map(|found| found).collect()
}

#[cfg(test)]
mod tests {
    use super::by_threads;

    #[test]
    fn what_becomes_of_items_is_in_their_order() {
        let work = |item: u32| (!item.is_multiple_of(7)).then_some(item * item);
        let expected: Vec<u32> = (0..1000).filter_map(work).collect();
        for threads in [0, 1, 2, 7] {
            for at_once in [1, 16, 999, 1000, 5000] {
                let found = by_threads((0..1000).collect(), threads, at_once, work);
                assert_eq!(found, expected, "{threads} threads, {at_once} at once");
            }
        }
        assert!(by_threads(Vec::new(), 2, 16, work).is_empty());
    }
}
