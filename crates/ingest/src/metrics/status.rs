//! The status of requests, as labels write it.

use nines_store::STATUSES;

/// The codes of gRPC without underscores, in small letters, and the status of HTTP that each is taken for
/// (google/rpc/code.proto).
const GRPC: [(&str, i32); 18] = [
    ("ok", 200),
    ("canceled", 499),
    ("cancelled", 499),
    ("unknown", 500),
    ("invalidargument", 400),
    ("deadlineexceeded", 504),
    ("notfound", 404),
    ("alreadyexists", 409),
    ("permissiondenied", 403),
    ("unauthenticated", 401),
    ("resourceexhausted", 429),
    ("failedprecondition", 400),
    ("aborted", 409),
    ("outofrange", 400),
    ("unimplemented", 501),
    ("internal", 500),
    ("unavailable", 503),
    ("dataloss", 500),
];

/// A status: a number, a class such as `5xx`, which is 500, or a code of gRPC. Nothing is 0, no status.
pub(super) fn status(text: &str) -> Option<i32> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(number) = text.parse::<i32>() {
        return STATUSES.contains(&i64::from(number)).then_some(number);
    }
    let small = text.to_ascii_lowercase().replace('_', "");
    if let Some(class) = small.strip_suffix("xx").and_then(|class| class.parse::<i32>().ok()) {
        return (1..=9).contains(&class).then_some(class * 100);
    }
    GRPC.iter().find(|(code, _)| *code == small).map(|(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_classes_and_codes_are_statuses() {
        for (text, expected) in [
            ("200", Some(200)),
            ("", Some(0)),
            ("5xx", Some(500)),
            ("4XX", Some(400)),
            ("DeadlineExceeded", Some(504)),
            ("RESOURCE_EXHAUSTED", Some(429)),
            ("1000", None),
            ("-1", None),
            ("0xx", None),
            ("xx", None),
            ("good", None),
        ] {
            assert_eq!(status(text), expected, "{text}");
        }
    }
}
