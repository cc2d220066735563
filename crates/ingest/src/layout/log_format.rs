//! The format of a log.

use std::fmt;

use super::json::JsonLayout;
use super::text::TextLayout;
use super::w3c::W3c;

/// How the lines of an access log are laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFormat {
    /// As people are told of it: `log_format main of nginx.conf`.
    said: String,
    /// As it was written.
    text: String,
    layout: Layout,
}

/// What lines are made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layout {
    /// Literal text and fields, in the order of the line.
    Text(TextLayout),
    /// An object of JSON.
    Json(JsonLayout),
    /// Fields that lines of `#` name.
    W3c(W3c),
}

impl LogFormat {
    pub(super) fn new(said: impl Into<String>, text: &str, layout: Layout) -> LogFormat {
        LogFormat { said: said.into(), text: text.to_string(), layout }
    }

    /// As it was written, by whoever wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which fields of JSON say something besides time and status, as they were written: `target=http.url`.
    pub fn mapped(&self) -> impl Iterator<Item = &str> {
        let mapped = match &self.layout {
            Layout::Json(json) => json.mapped(),
            Layout::Text(_) | Layout::W3c(_) => &[],
        };
        mapped.iter().flatten().map(String::as_str)
    }

    /// The layout of its lines.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}
