//! Formats that need no description: those that programs write unless they are told otherwise.

use super::field::{Field, Role, refused};
use super::json::JsonLayout;
use super::line::{LineReader, Reading};
use super::log_format::{Layout, LogFormat};
use super::no_request::Messages;
use super::text::TextLayout;
use super::time::TimeForm;
use super::w3c::{W3c, is_directive};
use super::{envoy, nginx};
use crate::{LatencyUnit, Result};

/// A format by its name.
struct Preset {
    name: &'static str,
    /// What it is, as people are told.
    said: &'static str,
    lines: Lines,
}

enum Lines {
    /// As nginx writes a format down, with `$taken_ms` for milliseconds and the like.
    Text(&'static str),
    /// The same, for lines that are read otherwise where no name is given.
    Named(&'static str),
    /// The same, of a log that holds messages of HAProxy too.
    HaProxy(&'static str),
    Envoy(&'static str),
    /// As lines of `#` say.
    W3c,
    /// Fields of JSON, and those by which it is known.
    Json(&'static [(&'static str, Role)], &'static [&'static str]),
}

const WRITTEN: Role = Role::Time(TimeForm::Written);

const PRESETS: &[Preset] = &[
    // Where nothing is said a time taken may stand behind these.
    Preset {
        name: "common",
        said: "the common log format",
        lines: Lines::Named("$remote_addr $ident $remote_user [$time_local] \"$request\" $status $bytes_sent"),
    },
    Preset {
        name: "combined",
        said: "the combined log format",
        lines: Lines::Named(
            "$remote_addr $ident $remote_user [$time_local] \"$request\" $status $bytes_sent \"$http_referer\" \"$http_user_agent\"",
        ),
    },
    Preset {
        name: "vhost_combined",
        said: "the combined log format with virtual hosts",
        lines: Lines::Named(
            "$host $remote_addr $ident $remote_user [$time_local] \"$request\" $status $bytes_sent \"$http_referer\" \
             \"$http_user_agent\"",
        ),
    },
    Preset { name: "w3c", said: "the extended format of the W3C, as of IIS and CloudFront", lines: Lines::W3c },
    // https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format/
    Preset {
        name: "ingress-nginx",
        said: "the log of ingress-nginx",
        lines: Lines::Text(
            "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
             \"$http_user_agent\" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] \
             $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id",
        ),
    },
    // https://doc.traefik.io/traefik/observability/access-logs/#format
    Preset {
        name: "traefik",
        said: "the common log format of Traefik",
        lines: Lines::Text(
            "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
             \"$http_user_agent\" $number \"$router\" \"$server\" $taken_ms",
        ),
    },
    // https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string
    Preset {
        name: "envoy",
        said: "the default format of Envoy",
        lines: Lines::Envoy(
            "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% \
             %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
             \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"",
        ),
    },
    // https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format
    Preset {
        name: "istio",
        said: "the default format of Istio",
        lines: Lines::Envoy(
            "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% \
             %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \
             \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
             %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \
             \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% \
             %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%",
        ),
    },
    // https://docs.haproxy.org/2.8/configuration.html#8.2.3
    Preset {
        name: "haproxy",
        said: "the HTTP log of HAProxy",
        lines: Lines::HaProxy(
            "$client [$time_local] $frontend $backend $queued/$waited/$connected/$answered/$taken_ms $status $bytes \
             $request_cookie $response_cookie $termination $connections $queues \"$request\"",
        ),
    },
    // https://docs.haproxy.org/2.8/configuration.html#8.2.4
    Preset {
        name: "haproxy-https",
        said: "the HTTPS log of HAProxy",
        lines: Lines::HaProxy(
            "$client [$time_local] $frontend $backend $queued/$waited/$connected/$answered/$taken_ms $status $bytes \
             $request_cookie $response_cookie $termination $connections $queues \"$request\" \
             $fc_err/$ssl_fc_err/$ssl_c_err/$ssl_c_ca_err/$ssl_fc_is_resumed $ssl_fc_sni/$sslv/$sslc",
        ),
    },
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    Preset {
        name: "alb",
        said: "the log of an AWS Application Load Balancer",
        lines: Lines::Text(
            "$type $time_iso8601 $balancer $client $target $upstream_response_time $upstream_response_time \
             $upstream_response_time $status $upstream_status $received $sent \"$request\" \"$http_user_agent\" $rest",
        ),
    },
    // https://caddyserver.com/docs/caddyfile/directives/log
    Preset {
        name: "caddy",
        said: "the JSON log of Caddy",
        lines: Lines::Json(
            &[
                // An error of a handler is logged besides the request that it happened to.
                (
                    "msg",
                    Role::Kind { of_requests: "handled request", others: "with another msg than \"handled request\"" },
                ),
                ("ts", WRITTEN),
                ("request.uri", Role::Target),
                ("status", Role::Status),
                ("duration", Role::Taken(LatencyUnit::Seconds)),
            ],
            &["ts", "request.uri", "duration"],
        ),
    },
    // https://doc.traefik.io/traefik/observability/access-logs/#available-fields
    Preset {
        name: "traefik-json",
        said: "the JSON log of Traefik",
        lines: Lines::Json(
            &[
                ("StartUTC", WRITTEN),
                ("time", WRITTEN),
                ("RequestPath", Role::Target),
                ("DownstreamStatus", Role::Status),
                ("Duration", Role::Taken(LatencyUnit::Nanoseconds)),
            ],
            &["DownstreamStatus", "RequestPath", "Duration"],
        ),
    },
    Preset {
        name: "envoy-json",
        said: "the JSON log of Envoy or Istio",
        lines: Lines::Json(
            &[
                ("start_time", WRITTEN),
                ("path", Role::Target),
                ("response_code", Role::Status),
                ("duration", Role::Taken(LatencyUnit::Milliseconds)),
            ],
            &["start_time", "response_code", "duration"],
        ),
    },
    // https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest
    Preset {
        name: "gcp",
        said: "requests of Google Cloud Logging",
        lines: Lines::Json(
            &[
                ("timestamp", WRITTEN),
                ("httpRequest.requestUrl", Role::Target),
                ("httpRequest.status", Role::Status),
                ("httpRequest.latency", Role::Taken(LatencyUnit::Seconds)),
            ],
            &["timestamp", "httpRequest.status"],
        ),
    },
    // https://learn.microsoft.com/azure/application-gateway/application-gateway-diagnostics#access-log
    Preset {
        name: "azure",
        said: "the access log of Azure Application Gateway or Front Door",
        lines: Lines::Json(
            &[
                ("timeStamp", WRITTEN),
                ("time", WRITTEN),
                ("properties.requestUri", Role::Target),
                ("properties.httpStatus", Role::Status),
                ("properties.httpStatusCode", Role::Status),
                ("properties.timeTaken", Role::Taken(LatencyUnit::Seconds)),
            ],
            &["properties.requestUri", "properties.timeTaken"],
        ),
    },
    // Names of variables as they are.
    Preset {
        name: "nginx-json",
        said: "JSON with the names of nginx's variables",
        lines: Lines::Json(
            &[
                ("time_iso8601", WRITTEN),
                ("msec", WRITTEN),
                ("time_local", Role::Time(TimeForm::Clf)),
                // What configurations usually call one of these.
                ("time", Role::Time(TimeForm::Either)),
                ("@timestamp", Role::Time(TimeForm::Either)),
                ("timestamp", Role::Time(TimeForm::Either)),
                ("request", Role::Request),
                ("request_uri", Role::Target),
                ("uri", Role::Target),
                ("status", Role::Status),
                ("upstream_status", Role::UpstreamStatus),
                ("request_time", Role::Taken(LatencyUnit::Seconds)),
                ("upstream_response_time", Role::UpstreamTaken(LatencyUnit::Seconds)),
            ],
            &["status", "request_time"],
        ),
    },
];

/// The names of all of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The format of this name.
pub(super) fn named(name: &str) -> Option<Result<LogFormat>> {
    PRESETS.iter().find(|preset| preset.name == name).map(Preset::format)
}

/// The format that a line of a log has, with its first words as a reason.
pub(super) fn of_line(line: &[u8]) -> Option<LogFormat> {
    let formats = PRESETS.iter().filter_map(|preset| preset.format().ok().map(|format| (preset, format)));
    formats.filter(|(preset, format)| preset.has(line, format.layout())).map(|(_, format)| format).next()
}

/// The common format, the combined one, and that with virtual hosts, each with whatever stands behind it.
pub(super) fn plain() -> Result<[LogFormat; 3]> {
    let format = |name: &str, rest: &str| {
        let preset = PRESETS.iter().find(|preset| preset.name == name);
        let Some((preset, Lines::Named(text))) = preset.map(|preset| (preset, &preset.lines)) else {
            return Err(refused(format!("{name} is no plain format")));
        };
        Ok(LogFormat::new(preset.said, name, Layout::Text(nginx::read(&format!("{text}{rest}"))?)))
    };
    // The bytes of the common format take what follows.
    Ok([format("common", "")?, format("combined", "$rest")?, format("vhost_combined", "$rest")?])
}

/// Which of them a line has.
pub(super) fn plain_of(line: &[u8]) -> usize {
    if line.iter().filter(|byte| **byte == b'"').count() < 3 {
        return 0;
    }
    // With a virtual host before the client the second word is an address.
    let mut words = line.split(|byte| *byte == b' ');
    let is_virtual = words.nth(1).is_some_and(|word| word != b"-") && words.next() == Some(b"-");
    1 + usize::from(is_virtual)
}

impl Preset {
    fn format(&self) -> Result<LogFormat> {
        let layout = match &self.lines {
            Lines::Text(text) | Lines::Named(text) => Layout::Text(nginx::read(text)?),
            Lines::HaProxy(text) => Layout::Text(TextLayout { messages: Messages::HaProxy, ..nginx::read(text)? }),
            Lines::Envoy(text) => Layout::Text(envoy::read(text)?),
            Lines::W3c => Layout::W3c(W3c::default()),
            Lines::Json(fields, _) => {
                let field = |(name, role): &(&str, Role)| Field {
                    name: (*name).to_string(),
                    role: role.clone(),
                    is_list: false,
                };
                Layout::Json(JsonLayout::of(fields.iter().map(field).collect())?)
            }
        };
        Ok(LogFormat::new(self.said, self.name, layout))
    }

    /// Whether a line is of it.
    fn has(&self, line: &[u8], layout: &Layout) -> bool {
        match (&self.lines, layout) {
            (Lines::Json(fields, known_by), Layout::Json(json)) => {
                let Ok(mut values) = json.values(line) else { return false };
                let mut found = fields.iter().enumerate().filter(|(number, _)| values.take(*number).is_some());
                let found: Vec<&str> = found.by_ref().map(|(_, (name, _))| *name).collect();
                known_by.iter().all(|name| found.contains(name))
            }
            (Lines::Named(_), _) => false,
            (Lines::W3c, _) => is_directive(line),
            (_, layout) => match LineReader::new(layout, chrono_tz::Tz::UTC).parse(line) {
                Ok(Reading::Request(_)) => true,
                Ok(Reading::NoRequest(_)) => matches!(layout, Layout::Text(text) if text.messages.has_signed(line)),
                Ok(Reading::Directive) | Err(_) => false,
            },
        }
    }
}
