//! Times as people tell them: an instant, or a word such as `yesterday` or `2026-10`.

use nines_slo::moment::Moment;

/// The instant in µs that a text denotes: a time as in a file, a date, `now`, or a word for a range, which denotes its beginning.
/// What has no offset is in the moment's zone. The error is what was expected instead.
pub fn told(text: &str, at: Moment) -> Result<i64, String> {
    let text = text.trim();
    if let Some((from, _)) = at.named(text) {
        return Ok(from);
    }
    if text.eq_ignore_ascii_case("now") {
        return at.instant(text).ok_or_else(|| "a time that calendars know".to_string());
    }
    nines_ingest::instant(text, at.zone)
        .map_err(|expected| format!("{expected}, or a word such as 'yesterday', 'last week' or '2026-10'"))
}
