//! Asking for samples.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use crate::access::{Access, Credentials};
use crate::error::{Error, Result};

/// How often a question is asked of a server that cannot answer it now.
const ATTEMPTS: u32 = 6;

/// The wait before the second attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest wait that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Longest answer in bytes; a longer one is asked for in parts.
const LONGEST: usize = 256 << 20;

/// Longest error text of a server that is repeated, in characters.
const SHOWN: usize = 300;

/// A server that speaks the API of Prometheus.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// `…/api/v1/query`.
    url: Url,
    credentials: Option<Credentials>,
}

/// The body of an error.
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "errorType", default)]
    kind: String,
    error: String,
}

impl Client {
    /// A server at this address: that of its start page, with the prefix under which its API is found, if there is one.
    pub fn new(address: &str, access: &Access) -> Result<Client> {
        let bad = |why: &str| {
            Error::Setup(format!("{address:?} is no address of a server: {why}; expected one as http://localhost:9090"))
        };
        let mut url = Url::parse(address).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it begins with neither http:// nor https://"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/query").unwrap_or(path);
        let path = path.strip_suffix("/api/v1").unwrap_or(path).to_string();
        url.set_path(&format!("{path}/api/v1/query"));
        url.set_query(None);
        let http = access.builder()?.build().map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Client { http, url, credentials: access.credentials.clone() })
    }

    /// The address for people, without a password.
    pub fn address(&self) -> String {
        let mut shown = self.url.clone();
        // Neither fails for an address with a host.
        let _ = shown.set_password(None);
        let _ = shown.set_username("");
        shown.to_string().trim_end_matches("/api/v1/query").to_string()
    }

    /// The samples of a selector from an instant on and before another one, in ms since 1970: the JSON of the answer. A sample a
    /// millisecond earlier may be among them, because servers differ in whether a range includes its beginning.
    pub async fn samples(&self, selector: &str, from: i64, to: i64) -> Result<Vec<u8>> {
        let (query, last) = (format!("{selector}[{}ms]", to - from), to - 1);
        let time = format!("{}.{:03}", last.div_euclid(1_000), last.rem_euclid(1_000));
        let (mut pause, mut method) = (PAUSE, Method::POST);
        let mut reason = String::new();
        for attempt in 1..=ATTEMPTS {
            let mut wait = pause;
            match self.request(&method, &query, &time).send().await {
                // Some gateways let nothing through but GET.
                Ok(answer) if answer.status() == StatusCode::METHOD_NOT_ALLOWED && method == Method::POST => {
                    method = Method::GET;
                    continue;
                }
                Ok(answer) if answer.status().is_success() => match body(answer).await {
                    Ok(read) => return Ok(read),
                    Err(BodyError::TooLong) => {
                        return Err(Error::TooMuch(format!("the answer is longer than {} MiB", LONGEST >> 20)));
                    }
                    Err(BodyError::Broken(why)) => reason = why,
                },
                Ok(answer) => {
                    let (status, asked) = (answer.status(), retry_after(&answer));
                    let text = body(answer).await.unwrap_or_default();
                    match self.problem(status, &text) {
                        Error::Unreachable { reason: why, .. } => reason = why,
                        other => return Err(other),
                    }
                    wait = asked.unwrap_or(pause).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    reason = causes(&error.without_url());
                    // It will be the same certificate the next time.
                    if reason.contains("certificate") {
                        reason.push_str(". Say whose certificates to trust (--ca-file), or which one to show (--cert-file, --key-file)");
                        break;
                    }
                }
            }
            if attempt < ATTEMPTS {
                tracing::info!(target: "nines", attempt, %reason, "the server does not answer; asked again");
                tokio::time::sleep(wait).await;
                pause *= 2;
            }
        }
        Err(Error::Unreachable { url: self.address(), reason })
    }

    fn request(&self, method: &Method, query: &str, time: &str) -> RequestBuilder {
        let asked = [("query", query), ("time", time)];
        let request = self.http.request(method.clone(), self.url.clone());
        let request = if *method == Method::GET { request.query(&asked) } else { request.form(&asked) };
        match &self.credentials {
            None => request,
            Some(Credentials::Bearer(token)) => request.bearer_auth(token),
            Some(Credentials::Basic(name, password)) => request.basic_auth(name, Some(password)),
        }
    }

    /// What an answer of this status means; [`Error::Unreachable`] if it is worth another attempt.
    fn problem(&self, status: StatusCode, body: &[u8]) -> Error {
        let told = serde_json::from_slice::<Problem>(body).ok();
        let text = match &told {
            Some(problem) => problem.error.clone(),
            None => String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let text = text.trim_end_matches('.');
        let text: String =
            if text.is_empty() { "no reason given".to_string() } else { text.chars().take(SHOWN).collect() };
        let kind = told.map(|problem| problem.kind).unwrap_or_default();
        let too_much =
            ["too many samples", "exceeds limit", "limit exceeded", "too many points", "max query length", "timed out"];
        let is_too_much = kind == "timeout" || too_much.iter().any(|words| text.to_lowercase().contains(words));
        if is_too_much || status == StatusCode::PAYLOAD_TOO_LARGE {
            return Error::TooMuch(text);
        }
        let url = self.address();
        if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED || status == StatusCode::TOO_MANY_REQUESTS
        {
            return Error::Unreachable { url, reason: format!("{status}: {text}") };
        }
        let hint = match status.as_u16() {
            401 | 403 => ". Say who asks: --bearer-token-file, --user, or --header",
            404 => {
                ". The API is expected at /api/v1/query under this address; a prefix such as /prometheus belongs to it"
            }
            300..=399 => ". The address has moved; give the new one",
            _ => "",
        };
        Error::Refused { url, status: status.as_u16(), text, hint }
    }
}

enum BodyError {
    TooLong,
    Broken(String),
}

/// The body of an answer, unless it is too long.
async fn body(mut answer: Response) -> std::result::Result<Vec<u8>, BodyError> {
    let mut read = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| BodyError::Broken(causes(&error.without_url())))? {
        if read.len() + chunk.len() > LONGEST {
            return Err(BodyError::TooLong);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error and what caused it, each once.
fn causes(error: &reqwest::Error) -> String {
    use std::error::Error;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_under_the_address() {
        for (address, url) in [
            ("http://localhost:9090", "http://localhost:9090/api/v1/query"),
            ("http://localhost:9090/", "http://localhost:9090/api/v1/query"),
            ("https://mimir/prometheus", "https://mimir/prometheus/api/v1/query"),
            ("https://a:b@mimir/prometheus/api/v1/query?x=1", "https://a:b@mimir/prometheus/api/v1/query"),
        ] {
            let client = Client::new(address, &Access::default()).unwrap();
            assert_eq!(client.url.as_str(), url);
            assert!(!client.address().contains("a:b"));
        }
        for address in ["localhost:9090", "ftp://x", "", "http://"] {
            let said = Client::new(address, &Access::default()).unwrap_err().to_string();
            assert!(said.contains("is no address of a server"), "{said}");
        }
    }

    #[test]
    fn an_answer_says_what_can_be_done() {
        let client = Client::new("http://localhost:9090", &Access::default()).unwrap();
        let said = |status: u16, body: &str| client.problem(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(
            said(400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#).to_string(),
            "http://localhost:9090 answers 400: parse error"
        );
        assert!(
            said(401, "")
                .to_string()
                .ends_with("answers 401: no reason given. Say who asks: --bearer-token-file, --user, or --header")
        );
        assert!(matches!(
            said(422, r#"{"error":"query processing would load too many samples into memory"}"#),
            Error::TooMuch(_)
        ));
        assert!(matches!(said(503, r#"{"errorType":"timeout","error":"query timed out"}"#), Error::TooMuch(_)));
        assert!(
            matches!(said(503, "<html>\n busy"), Error::Unreachable { reason, .. } if reason == "503 Service Unavailable: <html> busy")
        );
        assert!(matches!(said(429, ""), Error::Unreachable { .. }));
    }
}
