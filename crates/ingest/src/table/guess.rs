//! The type of a column, found from all of its cells.

use super::cells::Written;
use super::members::{elements, members, unquoted};
use super::numbers::Numbers;
use super::shape::Shape;
use super::times::Times;

/// Members of one object that become columns of a struct; an object with more is kept as text.
const MOST_MEMBERS: usize = 1000;

/// What the cells of a column have been so far.
#[derive(Debug, Default)]
pub(super) struct Guess {
    has_booleans: bool,
    numbers: Numbers,
    times: Times,
    has_text: bool,
    fields: Option<Vec<(String, Guess)>>,
    items: Option<Box<Guess>>,
}

impl Guess {
    /// Takes in a cell. An empty one of CSV and a null of JSON say nothing. False if it is JSON within that is none.
    pub fn add(&mut self, cell: &str, written: Written) -> bool {
        match written {
            Written::Plain => {
                self.add_plain(cell);
                true
            }
            Written::Json => self.add_json(cell),
        }
    }

    fn add_plain(&mut self, cell: &str) {
        if self.has_text || cell.is_empty() {
            return;
        }
        let cell = cell.trim_ascii();
        if self.numbers.add(cell) || self.times.add(cell) || self.numbers.add_special(cell) {
            return;
        }
        match cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") {
            true => self.has_booleans = true,
            false => self.has_text = true,
        }
    }

    fn add_json(&mut self, cell: &str) -> bool {
        match cell.as_bytes().first() {
            Some(b'n') => {}
            Some(b't' | b'f') => self.has_booleans = true,
            Some(b'"') => {
                self.has_text = true;
                return unquoted(cell).is_ok();
            }
            Some(b'[') => {
                let items = self.items.get_or_insert_default();
                let mut are_good = true;
                return elements(cell, |item| are_good &= items.add_json(item)) && are_good;
            }
            Some(b'{') => {
                let fields = self.fields.get_or_insert_default();
                let mut are_good = true;
                let read = members(cell, |name, value| {
                    let is_full = fields.len() > MOST_MEMBERS;
                    are_good &= match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, guess)) => guess.add_json(value),
                        None if is_full => true,
                        None => {
                            let mut guess = Guess::default();
                            let is_good = guess.add_json(value);
                            fields.push((name.into_owned(), guess));
                            is_good
                        }
                    };
                    are_good
                });
                return read && are_good;
            }
            _ => {
                self.has_text |= !self.numbers.add(cell);
            }
        }
        true
    }

    /// The type that holds every cell as it is written; text where they are of several kinds.
    pub fn shape(&self) -> Shape {
        let has_numbers = self.numbers.is_any || self.numbers.is_special();
        let has_fields = self.fields.is_some();
        let kinds =
            [self.has_booleans, has_numbers, self.times.is_any(), self.has_text, has_fields, self.items.is_some()];
        match (kinds.iter().filter(|has| **has).count(), &self.fields, &self.items) {
            (0, ..) => Shape::Nothing,
            (1, Some(fields), _) if fields.len() > MOST_MEMBERS => Shape::Text,
            (1, Some(fields), _) => {
                Shape::Struct(fields.iter().map(|(name, guess)| (name.clone(), guess.shape())).collect())
            }
            (1, _, Some(items)) => Shape::List(Box::new(items.shape())),
            (1, ..) if self.has_booleans => Shape::Boolean,
            (1, ..) if has_numbers => self.numbers.shape(),
            (1, ..) if self.times.is_any() => self.times.shape(),
            _ => Shape::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Shape::{Boolean, Double, Integer, List, Nothing, Struct, Text};

    fn shape(written: Written, cells: &[&str]) -> Shape {
        let mut guess = Guess::default();
        cells.iter().for_each(|cell| assert!(guess.add(cell, written), "{cell}"));
        guess.shape()
    }

    #[test]
    fn cells_of_csv() {
        for (cells, expected) in [
            (&["", ""][..], Nothing),
            (&["7", "", " 12 "], Integer),
            (&["007", "7"], Text),
            (&["0", "0.9"], Double),
            (&["true", "FALSE"], Boolean),
            (&["true", "1"], Text),
            (&["5", "five"], Text),
            (&["NaN", "1"], Double),
            (&["NaN", "inf"], Text),
            (&["2026-10-14", "1"], Text),
            (&["null"], Text),
        ] {
            assert_eq!(shape(Written::Plain, cells), expected, "{cells:?}");
        }
    }

    #[test]
    fn values_of_json() {
        let fields =
            |fields: &[(&str, Shape)]| Struct(fields.iter().map(|(n, s)| (n.to_string(), s.clone())).collect());
        for (cells, expected) in [
            (&["null"][..], Nothing),
            (&["1", "null", "2"], Integer),
            (&["0", "0.9"], Double),
            (&["\"1\"", "\"2\""], Text),
            (&["42", "\"007\""], Text),
            (&["{\"a\":1}", "{\"b\":null,\"a\":0.5}"], fields(&[("a", Double), ("b", Nothing)])),
            (&["{\"a\":{\"b\":[true]}}"], fields(&[("a", fields(&[("b", List(Box::new(Boolean)))]))])),
            (&["[]", "[1, 2]"], List(Box::new(Integer))),
            (&["[1]", "{\"a\":1}"], Text),
            (&["{\"a\":1}", "\"a\""], Text),
        ] {
            assert_eq!(shape(Written::Json, cells), expected, "{cells:?}");
        }
        assert!(!Guess::default().add("\"\\ud800\"", Written::Json));
        assert!(!Guess::default().add("{\"a\":[\"\\ud800\"]}", Written::Json));
    }

    #[test]
    fn an_object_of_countless_members_is_text() {
        let object = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"{i}\":1")).collect::<Vec<_>>().join(","));
        assert!(matches!(shape(Written::Json, &[&object(1000)]), Struct(_)));
        assert_eq!(shape(Written::Json, &[&object(5000)]), Text);
    }
}
