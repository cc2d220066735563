//! What is remembered of objects, as far as there is room. A path is never used for other bytes, so nothing gets old.

use std::collections::{HashMap, VecDeque};

use datafusion::object_store::path::Path;

/// Values by path, whose weights sum up to at most so much: the first to come is the first to go.
#[derive(Debug)]
pub(super) struct Kept<V> {
    values: HashMap<Path, (V, usize)>,
    order: VecDeque<Path>,
    weight: usize,
    most: usize,
}

impl<V: Clone> Kept<V> {
    pub(super) fn new(most: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), weight: 0, most }
    }

    pub(super) fn get(&self, path: &Path) -> Option<V> {
        self.values.get(path).map(|(value, _)| value.clone())
    }

    pub(super) fn insert(&mut self, path: &Path, value: V, weight: usize) {
        if self.values.insert(path.clone(), (value, weight)).is_none() {
            self.order.push_back(path.clone());
            self.weight += weight;
        }
        while self.weight > self.most
            && let Some(first) = self.order.pop_front()
        {
            self.weight -= self.values.remove(&first).map_or(0, |(_, weight)| weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_goes_when_there_is_no_room() {
        let mut kept = Kept::new(10);
        for name in ["a", "b", "a", "c"] {
            kept.insert(&Path::from(name), name, 4);
        }
        let left = ["a", "b", "c"].map(|name| kept.get(&Path::from(name)));
        assert_eq!(left, [None, Some("b"), Some("c")]);
        kept.insert(&Path::from("huge"), "huge", 11);
        assert_eq!((kept.weight, kept.values.len(), kept.order.len()), (0, 0, 0));
    }
}
