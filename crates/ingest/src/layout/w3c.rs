//! Logs in the extended format of the W3C: IIS, CloudFront, and whoever names its fields in lines of `#`.
//!
//! <https://www.w3.org/TR/WD-logfile.html>, <https://learn.microsoft.com/windows/win32/http/w3c-logging>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>.

use super::field::{Field, Role};
use crate::{IngestError, LatencyUnit, Result};

/// What the lines of `#` said so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct W3c {
    /// The fields of a line, in order; none before the first `#Fields:`.
    fields: Vec<Field>,
    is_iis: bool,
}

/// Whether a line is one of those that say what others hold.
pub(super) fn is_directive(line: &[u8]) -> bool {
    [&b"#Fields:"[..], b"#Version:", b"#Software:", b"#Date:"].iter().any(|name| line.starts_with(name))
}

impl W3c {
    /// Takes a line of `#`.
    pub fn told(&mut self, line: &[u8]) -> Result<()> {
        let line = String::from_utf8_lossy(line);
        if let Some(software) = line.strip_prefix("#Software:") {
            self.is_iis = software.contains("Internet Information Services");
        } else if let Some(fields) = line.strip_prefix("#Fields:") {
            let names: Vec<&str> = fields.split_ascii_whitespace().collect();
            // IIS counts milliseconds, others seconds.
            let of_iis = ["sc-win32-status", "sc-substatus", "s-sitename", "s-computername"];
            let is_iis = self.is_iis || names.iter().any(|name| of_iis.contains(name));
            let unit = if is_iis { LatencyUnit::Milliseconds } else { LatencyUnit::Seconds };
            let field = |name: &str| Field { name: name.to_string(), role: role(name, unit), is_list: false };
            self.fields = names.into_iter().map(field).collect();
            let lacks = |role: &Role| !self.fields.iter().any(|field| field.role == *role);
            let needed = [(Role::Date, "date"), (Role::TimeOfDay, "time"), (Role::Status, "sc-status")];
            if let Some((_, name)) = needed.iter().find(|(role, _)| lacks(role)) {
                // Nothing says what the lines behind it hold.
                self.fields.clear();
                let problem = format!("the fields of the log lack {name}");
                return Err(IngestError::bad_line(problem)
                    .expected("#Fields: with date, time and sc-status among them")
                    .advice("Have the server log it: without it nobody knows what became of a request, or when"));
            }
        }
        Ok(())
    }

    /// The fields of a line, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields of a line with their values.
    pub fn values<'f, 'a>(&'f self, line: &'a [u8]) -> Result<(&'f [Field], Vec<&'a [u8]>)> {
        if self.fields.is_empty() {
            let problem = "no line before it says what its fields are";
            return Err(IngestError::bad_line(problem).expected("a line #Fields: …"));
        }
        let separator = if line.contains(&b'\t') { b'\t' } else { b' ' };
        let values: Vec<&[u8]> = line.split(|&byte| byte == separator).collect();
        if values.len() != self.fields.len() {
            let problem = format!("the line has {} fields", values.len());
            let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(IngestError::bad_line(problem).expected(format!("{}: {}", names.len(), names.join(" "))));
        }
        Ok((&self.fields, values))
    }
}

fn role(name: &str, unit: LatencyUnit) -> Role {
    match name {
        "date" => Role::Date,
        "time" => Role::TimeOfDay,
        "cs-uri-stem" | "cs-uri" => Role::Target,
        "sc-status" => Role::Status,
        "time-taken" => Role::Taken(unit),
        _ => Role::Skip,
    }
}
