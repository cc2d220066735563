//! What the lines of an access log are made of, as the program that writes them is configured.
//!
//! A `log_format` of nginx and a `LogFormat` of Apache become a layout: literal text, and fields between it. What a field
//! means is its role, which is all that reading a line needs to know; a field that decides nothing is skipped, whatever
//! stands in it. Where a field ends is told by the literal text behind it, so that two fields without text between them are
//! refused when the format is read, not line by line.

mod apache;
mod config;
mod envoy;
mod field;
mod filling;
mod json;
mod line;
mod log_format;
mod nginx;
mod no_request;
mod plain;
mod presets;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod w3c;

use std::path::Path;

use crate::Result;
use field::refused;
pub(crate) use line::{Line, LineReader, Reading};
use log_format::Layout;
pub use log_format::LogFormat;
pub use no_request::NoRequest;
pub(crate) use plain::PlainFields;

impl LogFormat {
    /// Reads what `--log-format` says: the name of a format; a format of nginx (with `$status`), of Envoy (with
    /// `%RESPONSE_CODE%`) or of Apache (with `%>s`); the fields of JSON (`json time=ts status=code`); or a file of nginx's or
    /// Apache's configuration that defines one, `FILE#NAME` where it defines several.
    pub fn read(text: &str) -> Result<LogFormat> {
        if let Some(named) = presets::named(text) {
            return named;
        }
        if let Some(fields) = text.strip_prefix("json ") {
            return Ok(LogFormat::new("fields of JSON", text, Layout::Json(json::read(fields)?)));
        }
        let (file, name) = text.split_once('#').map_or((text, None), |(file, name)| (file, Some(name)));
        if Path::new(file).is_file() {
            return config::read(Path::new(file), name);
        }
        match (text.contains('$'), text.contains('%')) {
            (true, _) => {
                // As it stands in the configuration, between quotes.
                let layout = nginx::read(&nginx::unescaped(text))?;
                Ok(LogFormat::new("a format of nginx", text, Layout::Text(layout)))
            }
            (false, true) if envoy::is_meant(text) => {
                Ok(LogFormat::new("a format of Envoy", text, Layout::Text(envoy::read(text)?)))
            }
            (false, true) => Ok(LogFormat::new("a format of Apache", text, Layout::Text(apache::read(text)?))),
            (false, false) => {
                let problem = format!("{text:?} is no format of a log, and no file");
                Err(refused(problem).expected(expected()))
            }
        }
    }

    /// The format that is known by a line of it, if it is one of those with a name.
    pub(crate) fn of_line(line: &[u8]) -> Option<LogFormat> {
        presets::of_line(line)
    }
}

fn expected() -> String {
    let names: Vec<&str> = presets::names().collect();
    format!(
        "a log_format of nginx such as '[$time_local] \"$request\" $status', a LogFormat of Apache such as '%t \"%r\" %>s', \
         fields of JSON such as 'json time=ts status=code', a file of a configuration, or one of {}",
        names.join(", ")
    )
}
