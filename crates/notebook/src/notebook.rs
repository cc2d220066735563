//! Notebooks: text and SQL cells, and the parameters that a reader may set.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::mistake;
use crate::moment::Moment;
use crate::parameter::{Parameter, Values};
use crate::text;

/// A notebook.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notebook {
    /// What it is called.
    pub title: Option<String>,
    /// What it is about, in one sentence.
    pub description: Option<String>,
    /// A query for the newest instant that it knows of: where that is in the past, times such as `last week` are told
    /// against it.
    pub now: Option<String>,
    /// What a reader may set.
    pub parameters: Vec<Parameter>,
    /// Its text and cells.
    pub blocks: Vec<Block>,
}

/// A part of a notebook.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Markdown.
    Text(String),
    /// SQL whose result is shown.
    Cell(Box<Cell>),
}

impl Notebook {
    /// The values of its parameters: from what is given by name, what their queries returned, and the defaults.
    pub fn resolve(
        &self,
        given: &BTreeMap<String, String>,
        returned: &BTreeMap<String, Vec<String>>,
        moment: Moment,
    ) -> Result<Values, Vec<String>> {
        let (mut values, mut mistakes) = (Values::new(moment), self.unknown(given));
        for parameter in &self.parameters {
            let returned = returned.get(&parameter.name).map(Vec::as_slice).unwrap_or_default();
            match parameter.resolve(given, returned, moment) {
                Ok(found) => values.extend(found),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(values) } else { Err(mistakes) }
    }

    /// What is given for parameters that the notebook does not have.
    pub fn unknown(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let known: Vec<&str> = self.parameters.iter().flat_map(Parameter::names).collect();
        let unknown = given.keys().filter(|name| !known.contains(&name.as_str()));
        unknown.map(|name| format!("the notebook has no parameter {name}; {}", mistake::hint(name, &known))).collect()
    }

    /// What the page is called: the title, else the first heading of the text.
    pub fn heading(&self) -> Option<String> {
        self.title.clone().or_else(|| {
            self.blocks.iter().find_map(|block| match block {
                Block::Text(text) => text::first_heading(text),
                Block::Cell(_) => None,
            })
        })
    }
}
