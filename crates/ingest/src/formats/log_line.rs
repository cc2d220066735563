//! One line of an access log in common or combined log format, by Apache or nginx.
//!
//! ```text
//! host ident user [10/Oct/2000:13:55:36 -0700] "GET /path?query HTTP/1.0" 200 2326 "referer" "agent" 0.123
//! ```
//!
//! What stands before the time does not matter (a virtual host, a user with blanks). After the size
//! any number of quoted fields may follow (the last perhaps cut off), then at most one number, in quotes or not, the
//! time that the request took: with a decimal point it is seconds (nginx `$request_time`). A whole
//! number says no unit: it is seconds (Apache `%T`), milliseconds (Tomcat `%D`) or microseconds (Apache `%D`).
//! A `-` is "not given". Parsing is by bytes, without allocation.
//!
//! Format: <https://httpd.apache.org/docs/current/mod/mod_log_config.html>,
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html>.

use std::borrow::Cow;
use std::fmt::Write;

use chrono_tz::Tz;

use crate::clf::clf;
use crate::time::Clock;
use crate::{IngestError, Result, fields};

/// Bytes of `10/Oct/2000:13:55:36 -0700`.
const TIME: usize = 26;

/// What a line says about its request.
#[derive(Debug, PartialEq)]
pub(crate) struct LogLine<'a> {
    /// Microseconds since 1970.
    pub time: i64,
    /// The request line as logged, escapes and all: `GET /path?query HTTP/1.0`.
    pub request: &'a [u8],
    /// 0 where the log has none.
    pub status: i32,
    pub taken: Option<Taken>,
}

/// The time that a request took, as logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Taken {
    /// With a decimal point.
    Seconds(f64),
    /// Without one: of a unit that the line does not say.
    Whole(u64),
}

/// Reads lines; remembers the last time, which the lines of one second share.
#[derive(Default)]
pub(crate) struct LogParser {
    last_text: [u8; TIME],
    last_time: i64,
}

impl LogParser {
    /// Reads a line without its line ending.
    pub(crate) fn parse<'a>(&mut self, line: &'a [u8]) -> Result<LogLine<'a>> {
        let at = find_time(line).ok_or_else(|| {
            expected(
                line,
                0,
                "an access log line: host ident user [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326",
            )
        })?;
        let time = self.time(line, at)?;
        let mut rest = Rest { line, at: at + TIME + 1 };
        let request = rest.quoted("the request in quotes after the time")?;
        let start = rest.at + 1;
        let status = match rest.token() {
            b"-" => 0,
            token => number(token)
                .and_then(|status| fields::status(status as i64))
                .ok_or_else(|| expected(line, start, "a status from 0 to 999 after the request"))?,
        };
        let start = rest.at + 1;
        match rest.token() {
            b"-" => {}
            token => {
                number(token).ok_or_else(|| expected(line, start, "the size in bytes after the status"))?;
            }
        }
        let (mut quoted, mut last) = (0, None);
        while line[rest.at..].starts_with(b" \"") {
            // An agent that was cut off, as happens to long ones, must not cost the request.
            last = rest.quoted("").ok();
            quoted += 1;
            if last.is_none() {
                rest.at = line.len();
            }
        }
        // The first two are referer and agent.
        let in_quotes = last.filter(|_| quoted > 2).and_then(latency);
        let start = rest.at + 1;
        let taken = match rest.token() {
            b"" => in_quotes,
            b"-" => None,
            token => Some(latency(token).ok_or_else(|| {
                expected(
                    line,
                    start,
                    "the time taken, in seconds with a decimal point or as a whole number, or the end",
                )
            })?),
        };
        if rest.at < line.len() {
            return Err(expected(line, rest.at, "the end of the line after the time taken"));
        }
        Ok(LogLine { time, request, status, taken })
    }

    fn time(&mut self, line: &[u8], at: usize) -> Result<i64> {
        let text = &line[at..at + TIME];
        if text != self.last_text {
            let shown = || String::from_utf8_lossy(text).into_owned();
            let micros = time(text).ok_or_else(|| {
                IngestError::bad_value("time", &shown(), "a time like 10/Oct/2000:13:55:36 -0700").at(at + 1)
            })?;
            self.last_time = Clock::of_series(Tz::UTC).in_range(micros, shown).map_err(|e| e.at(at + 1))?;
            self.last_text.copy_from_slice(text);
        }
        Ok(self.last_time)
    }
}

/// Whether this is probably a line of an access log.
pub(crate) fn looks_like_log(line: &[u8]) -> bool {
    LogParser::default().parse(line).is_ok()
}

/// The endpoint of a request line: its path without query and fragment, empty if there is none.
///
/// Escapes stay as logged; bytes that are not UTF-8 become `%XX`, as a client should have sent them.
pub(crate) fn endpoint(request: &[u8]) -> Cow<'_, str> {
    text(path(request).unwrap_or_default())
}

fn text(path: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(path).map_or_else(|_| Cow::Owned(percent_escaped(path)), Cow::Borrowed)
}

/// A text with `%XX` for bytes that are not UTF-8.
pub(crate) fn percent_escaped(path: &[u8]) -> String {
    path.utf8_chunks().fold(String::with_capacity(path.len() + 8), |mut text, chunk| {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The endpoint of a target as a request names it: `/path?query`, `https://host/path` or `host/path`.
pub(crate) fn endpoint_of(target: &[u8]) -> Cow<'_, str> {
    let target = target.split(|&b| b == b'?' || b == b'#').next().unwrap_or_default();
    let path = path_of(target).or_else(|| target.iter().position(|&b| b == b'/').map(|at| &target[at..]));
    text(path.unwrap_or_default())
}

fn path(request: &[u8]) -> Option<&[u8]> {
    let target = target_of(request)?;
    let end = target.iter().position(|&b| b == b'?' || b == b'#').unwrap_or(target.len());
    path_of(&target[..end])
}

/// What a request line asks for.
pub(crate) fn target_of(request: &[u8]) -> Option<&[u8]> {
    let method = request.iter().position(|&b| b == b' ').filter(|&end| end > 0)?;
    if !request[..method].iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let target = &request[method + 1..];
    match target.iter().rposition(|&b| b == b' ') {
        Some(end) if target[end + 1..].starts_with(b"HTTP/") => Some(&target[..end]),
        // Blanks, but no protocol after them: not a request line.
        Some(_) => None,
        None => Some(target),
    }
}

/// The path of a target without its query.
fn path_of(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") || target == b"*" {
        return Some(target);
    }
    let scheme = target.windows(3).position(|w| w == b"://").filter(|&end| end > 0)?;
    let authority = &target[scheme + 3..];
    Some(authority.iter().position(|&b| b == b'/').map_or(&b"/"[..], |start| &authority[start..]))
}

/// Where the time begins: after a `[`, of the right shape, and followed by a request.
fn find_time(line: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + line[from..].iter().position(|&b| b == b'[')? + 1;
        if let Some(text) = line.get(at..at + TIME + 3)
            && (text[2], text[6], text[11], text[14], text[17], text[20]) == (b'/', b'/', b':', b':', b':', b' ')
            && text.ends_with(b"] \"")
            && at > 1
        {
            return Some(at);
        }
        from = at;
    }
}

/// `10/Oct/2000:13:55:36 -0700` as microseconds since 1970.
fn time(text: &[u8]) -> Option<i64> {
    let (local, offset, _) = clf(text).filter(|(.., length)| *length == text.len())?;
    Some(local.and_utc().timestamp_micros() - offset? * 1_000_000)
}

/// The unread end of a line; every field is preceded by a blank.
struct Rest<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    /// The field up to the next blank; empty at the end of the line.
    fn token(&mut self) -> &'a [u8] {
        let line = self.line;
        match line.get(self.at) {
            Some(b' ') => {
                let start = self.at + 1;
                self.at = line[start..].iter().position(|&b| b == b' ').map_or(line.len(), |length| start + length);
                &line[start..self.at]
            }
            _ => &[],
        }
    }

    /// The field in quotes, without them; a backslash takes the meaning from what follows it.
    fn quoted(&mut self, what: &str) -> Result<&'a [u8]> {
        let line = self.line;
        if !line[self.at..].starts_with(b" \"") {
            return Err(expected(line, self.at, what));
        }
        let start = self.at + 2;
        let mut at = start;
        loop {
            match line.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(expected(line, start - 1, &format!("{what}, but the quote is never closed"))),
            }
        }
        self.at = at + 1;
        Ok(&line[start..at])
    }
}

/// Digits only, at most 18 of them.
fn number(token: &[u8]) -> Option<u64> {
    if token.is_empty() || token.len() > 18 {
        return None;
    }
    token.iter().try_fold(0, |value, b| b.is_ascii_digit().then(|| value * 10 + u64::from(b - b'0')))
}

/// Seconds with a decimal point, or a whole number.
fn latency(token: &[u8]) -> Option<Taken> {
    if !token.contains(&b'.') {
        return number(token).map(Taken::Whole);
    }
    if !token.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
        return None;
    }
    std::str::from_utf8(token).ok()?.parse().ok().map(Taken::Seconds)
}

/// The error that says what should have stood at this place of the line, counted from 0.
pub(crate) fn expected(line: &[u8], at: usize, what: &str) -> IngestError {
    let at = at.min(line.len());
    let found = match &line[at..] {
        [] => "the line ends".to_string(),
        found => format!("there is {}", crate::error::quoted(&String::from_utf8_lossy(found))),
    };
    IngestError::bad_line(found).expected(what).at(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::REMEDY;
    use proptest::prelude::*;

    const TIME_TEXT: &str = "10/Oct/2000:13:55:36 -0700";

    fn parse(line: &str) -> Result<(i64, String, i32, Option<Taken>)> {
        let line = LogParser::default().parse(line.as_bytes())?;
        Ok((line.time, endpoint(line.request).into_owned(), line.status, line.taken))
    }

    #[test]
    fn common_and_combined_with_and_without_latency() {
        let time = 971_211_336_000_000;
        let common = format!(r#"127.0.0.1 - frank [{TIME_TEXT}] "GET /apache_pb.gif?x=1 HTTP/1.0" 200 2326"#);
        let read = |line: String| parse(&line).unwrap();
        let path = "/apache_pb.gif".to_string();
        assert_eq!(read(common.clone()), (time, path.clone(), 200, None));
        let combined = format!(r#"{common} "http://a/\"b\" c" "Mozilla/4.08 [en] \\""#);
        assert_eq!(read(combined.clone()), (time, path.clone(), 200, None));
        assert_eq!(read(format!("{combined} 0.123")), (time, path.clone(), 200, Some(Taken::Seconds(0.123))));
        assert_eq!(read(format!("{combined} \"-\" 123456")), (time, path.clone(), 200, Some(Taken::Whole(123_456))));
        assert_eq!(read(format!("{combined} \"0.5\"")), (time, path.clone(), 200, Some(Taken::Seconds(0.5))));
        assert_eq!(read(format!("{common} \"-\" \"0.5\"")), (time, path.clone(), 200, None), "an agent of this name");
        assert_eq!(read(format!("{common} -")), (time, path.clone(), 200, None));
        assert_eq!(read(format!("vhost:443 ::1 - John [x] Doe{}", &common[17..])), (time, path, 200, None));
        assert_eq!(read(common.replace("200 2326", "- -")).2, 0);
        assert_eq!(read(format!("{common} \"-\" \"Mozilla/5.0 (cut")).2, 200);
    }

    #[test]
    fn the_endpoint_is_the_path() {
        for (request, path) in [
            ("GET / HTTP/1.1", "/"),
            ("GET /a/b?c=/d#e HTTP/2.0", "/a/b"),
            ("GET /a#b HTTP/1.1", "/a"),
            ("GET /with blanks/in it HTTP/1.1", "/with blanks/in it"),
            ("GET http://example.org/a?b HTTP/1.1", "/a"),
            ("GET https://example.org?b=/c HTTP/1.1", "/"),
            ("GET /old-style", "/old-style"),
            ("OPTIONS * HTTP/1.0", "*"),
            ("M-SEARCH /x HTTP/1.1", "/x"),
            ("GET /登录 HTTP/1.1", "/登录"),
            ("CONNECT example.org:443 HTTP/1.1", ""),
            ("GET", ""),
            ("-", ""),
            ("", ""),
            (r"\x16\x03\x01 \x00", ""),
            ("GET /a b c", ""),
        ] {
            assert_eq!(endpoint(request.as_bytes()), path, "{request}");
        }
        assert_eq!(endpoint(b"GET /\xe4\xb8\x9a/\xff\xe4 HTTP/1.1"), "/业/%FF%E4");
    }

    #[test]
    fn a_bad_line_says_where() {
        let head = format!("h - - [{TIME_TEXT}] ");
        for (line, message) in [
            (
                "nonsense".to_string(),
                "1: there is \"nonsense\"; expected an access log line: host ident user [10/Oct/2000:13:55:36 -0700] \
                 \"GET / HTTP/1.0\" 200 2326",
            ),
            (
                format!("{head}\"GET /").replace("Oct", "Okt"),
                "8: time is \"10/Okt/2000:13:55:36 -0700\"; expected a time like 10/Oct/2000:13:55:36 -0700",
            ),
            (
                format!("{head}\"GET /").replace("2000", "1900"),
                "8: time is \"10/Oct/1900:13:55:36 -0700\"; expected a time in the years 1970 to 9999",
            ),
            (
                format!("{head}\"GET / 200 5"),
                "36: there is \"\\\"GET / 200 5\"; expected the request in quotes after the time, but the quote is never closed",
            ),
            (format!("{head}\"GET /\""), "43: the line ends; expected a status from 0 to 999 after the request"),
            (format!("{head}\"GET /\" 200"), "47: the line ends; expected the size in bytes after the status"),
            (format!("{head}\"GET /\" 200 5x"), "48: there is \"5x\"; expected the size in bytes after the status"),
            (
                format!("{head}\"GET /\" 200 5 1e3"),
                "50: there is \"1e3\"; expected the time taken, in seconds with a decimal point or as a whole number, \
                 or the end",
            ),
            (
                format!("{head}\"GET /\" 200 5 0.1 0.2"),
                "53: there is \" 0.2\"; expected the end of the line after the time taken",
            ),
        ] {
            let error = parse(&line).unwrap_err().in_file("f").on_line(7);
            assert_eq!(error.to_string(), format!("f:7:{message}. {REMEDY}"), "{line}");
        }
    }

    #[test]
    fn a_user_name_cannot_forge_the_request() {
        // Apache escapes quotes in user names.
        let line =
            format!(r#"h - x [01/Jan/1999:00:00:00 +0000] \"GET /forged\" 200 1 [{TIME_TEXT}] "GET /real" 403 1"#);
        assert_eq!(parse(&line).unwrap().1, "/real");
    }

    /// Text as a server logs it between quotes.
    fn escaped(text: &str) -> String {
        text.replace('\\', r"\\").replace('"', "\\\"")
    }

    proptest! {
        #[test]
        fn rendered_lines_read_back(
            seconds in 0i64..250_000_000_000,
            offset in -840i32..841,
            user in "[a-z\\[\\]\\\\ ]{1,10}",
            path in "/[\\PC&&[^?#\"\\\\ ]]{0,20}",
            query in proptest::option::of("\\PC{0,20}"),
            status in 0i32..1000,
            size in proptest::option::of(0u32..),
            quoted in proptest::collection::vec("\\PC{0,30}", 0..4),
            latency in proptest::option::of((any::<bool>(), 0u64..1_000_000_000)),
        ) {
            let offset = chrono::FixedOffset::east_opt(offset * 60).unwrap();
            let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&offset);
            prop_assume!(chrono::Datelike::year(&time) >= 1970);
            let query = query.map(|query| format!("?{}", escaped(&query))).unwrap_or_default();
            let mut line = format!(
                "h - {user} [{}] \"GET {path}{query} HTTP/1.1\" {status} {}",
                time.format("%d/%b/%Y:%H:%M:%S %z"),
                size.map_or("-".to_string(), |size| size.to_string())
            );
            quoted.iter().for_each(|field| line.push_str(&format!(" \"{}\"", escaped(field))));
            if let Some((in_seconds, micros)) = latency {
                line.push_str(&if in_seconds { format!(" {:.6}", micros as f64 / 1e6) } else { format!(" {micros}") });
            }
            let expected = latency.map(|(in_seconds, micros)| {
                if in_seconds { Taken::Seconds(micros as f64 / 1e6) } else { Taken::Whole(micros) }
            });
            // A number in quotes behind referrer and agent is the time taken.
            let in_quotes = quoted.last().filter(|_| quoted.len() > 2);
            let expected = expected.or_else(|| in_quotes.and_then(|field| super::latency(field.as_bytes())));
            prop_assert_eq!(parse(&line).unwrap(), (seconds * 1_000_000, path, status, expected));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0usize..120) {
            let _ = LogParser::default().parse(&bytes);
            let line = format!("h - - [{TIME_TEXT}] \"GET /a\\\"?b HTTP/1.0\" 200 2326 \"-\" \"agent\" 0.5");
            let mut line = line.into_bytes();
            line.truncate(cut);
            let _ = LogParser::default().parse(&line);
            line.extend_from_slice(&bytes);
            let _ = LogParser::default().parse(&line);
            let _ = endpoint(&bytes);
        }
    }
}
