//! Texts of rows, each held once.

use std::collections::HashMap;
use std::sync::Arc;

/// Texts by number. The number of the empty one is 0.
#[derive(Debug)]
pub(super) struct Texts {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Default for Texts {
    fn default() -> Self {
        let mut texts = Self { texts: Vec::new(), numbers: HashMap::new(), bytes: 0 };
        texts.number("");
        texts
    }
}

impl Texts {
    /// The number of a text that is held.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The number of a text, held from now on.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    pub fn of(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
