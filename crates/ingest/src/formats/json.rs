//! A JSON document: objects, their members the columns, one after the other or in arrays, over any number of lines.

use std::borrow::Cow;

use super::json_lines;
use super::records::Records;
use crate::Result;
use crate::json_objects::JsonObjects;
use crate::lines::Lines;
use crate::rows::Rows;

/// The records of a JSON document.
pub(super) struct Json {
    objects: JsonObjects,
}

impl Json {
    pub(super) fn new(lines: Lines) -> Self {
        Self { objects: JsonObjects::new(lines) }
    }
}

impl<R: Rows> Records<R> for Json {
    fn read_one(&mut self, rows: &mut R) -> Result<bool> {
        if !self.objects.advance()? {
            return Ok(false);
        }
        let added = json_lines::add(self.objects.object(), self.objects.line(), rows, json_lines::not_in_document);
        added.map(|()| true).map_err(|error| self.objects.refuse(error))
    }

    fn text(&self) -> Cow<'_, str> {
        self.objects.text()
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{REMEDY, events, of, read_text, refusal, shown};
    use nines_store::TableKind;

    #[test]
    fn objects_are_rows_wherever_lines_break() {
        let text = "[\n  {\n    \"time\": 0,\n    \"good\": 1,\n    \"total\": 2\n  },\n  {\"time\": 60, \"good\": 3, \"total\": 3}\n]\n";
        let rows = read_text(Format::Json, events(), text).unwrap();
        let expected = ["time=1970-01-01T00:00:00Z good=1 total=2", "time=1970-01-01T00:01:00Z good=3 total=3"];
        assert_eq!(shown(&rows), expected);
    }

    #[test]
    fn what_is_refused_is_told_with_its_line() {
        let refused = |text: &str| refusal(Format::Json, of(TableKind::Incidents), text);
        let soon = refused("[\n {\"id\": \"a\", \"started\": 0},\n {\"id\": \"b\",\n  \"started\": \"soon\"}]");
        assert!(soon.starts_with("input:3: started is \"soon\"; expected a time like 2026-10-01T12:00:00Z"), "{soon}");
        assert_eq!(
            refused("[\n {\"id\": \"a\",\n  \"started\": 01}]"),
            format!(
                "input:3:15: \"{{\\\"id\\\": \\\"a\\\",\\n  \\\"started\\\": 01}}\" is no JSON object (invalid number); expected JSON \
                 objects, one after the other or in arrays. {REMEDY}"
            )
        );
    }
}
