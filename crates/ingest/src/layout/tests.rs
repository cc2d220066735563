//! Formats and their lines.

use std::io::Write;

use chrono_tz::Tz;

use super::line::{Line, LineReader, Reading};
use super::log_format::LogFormat;
use crate::Result;
use crate::time::When;

/// Time in UTC, endpoint, status and latency in µs of a line.
fn line(format: &LogFormat, zone: Tz, line: &str) -> Result<(String, String, i32, Option<i64>)> {
    let mut reader = LineReader::new(format.layout(), zone);
    let Reading::Request(read) = reader.parse(line.as_bytes())? else { panic!("{line} is no request") };
    let at = match read.when {
        When::At(micros) | When::Repeated(_, micros, _) => chrono::DateTime::from_timestamp_micros(micros).unwrap(),
    };
    let micros = read.seconds.map(|seconds| (seconds * 1e6).round() as i64);
    Ok((at.format("%FT%T%.fZ").to_string(), read.endpoint.into_owned(), read.status, micros))
}

/// What a line is that is no request.
fn none(format: &str, text: &str) -> String {
    let format = LogFormat::read(format).unwrap();
    match LineReader::new(format.layout(), Tz::UTC).parse(text.as_bytes()).unwrap() {
        Reading::NoRequest(why) => why.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

/// The host that a line says.
fn host(format: &str, text: &str) -> Option<String> {
    let format = LogFormat::read(format).unwrap();
    let mut reader = LineReader::new(format.layout(), Tz::UTC).filling(&["host".to_string()]).unwrap();
    match reader.parse(text.as_bytes()).unwrap() {
        Reading::Request(line) => line.filling[0].as_deref().map(str::to_string),
        other => panic!("{text}: {other:?}"),
    }
}

fn read(format: &str, text: &str) -> (String, String, i32, Option<i64>) {
    line(&LogFormat::read(format).unwrap(), Tz::UTC, text).unwrap()
}

fn found(time: &str, endpoint: &str, status: i32, micros: Option<i64>) -> (String, String, i32, Option<i64>) {
    (time.to_string(), endpoint.to_string(), status, micros)
}

fn refusal(format: &str) -> String {
    LogFormat::read(format).unwrap_err().to_string()
}

fn bad(format: &str, text: &str) -> String {
    line(&LogFormat::read(format).unwrap(), Tz::UTC, text).unwrap_err().to_string()
}

#[test]
fn formats_of_nginx() {
    let main = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_user_agent\" \
                rt=$request_time ua=\"$upstream_addr\" us=\"$upstream_status\"";
    let text = "1.2.3.4 - John [x] Doe [10/Oct/2026:13:55:36 +0200] \"GET /a/b?c=d HTTP/1.1\" 502 12 \"curl \\x22x\" rt=0.250 \
                ua=\"10.0.0.1:80, 10.0.0.2:80\" us=\"502, 502\"";
    assert_eq!(read(main, text), found("2026-10-10T11:55:36Z", "/a/b", 502, Some(250_000)));
    // What the client saw, where only servers behind are logged.
    let upstreams = "$msec $request_method $scheme://$host$request_uri $upstream_status $upstream_response_time end";
    let of = |statuses: &str, times: &str| {
        let (_, endpoint, status, micros) =
            read(upstreams, &format!("1760000000.123 GET https://shop.example/a?b {statuses} {times} end"));
        assert_eq!(endpoint, "/a");
        (status, micros)
    };
    assert_eq!(of("200", "0.001"), (200, Some(1000)));
    assert_eq!(of("502, 200", "0.001, 0.002"), (200, Some(3000)));
    assert_eq!(of("502 : 200", "0.001 : 0.002"), (200, Some(3000)));
    // The last one was asked and gave no answer.
    assert_eq!(of("502, -", "0.001, -"), (0, None));
    assert_eq!(of("502, -", "0.001, 0.002"), (0, Some(3000)));
    assert_eq!(of("-, 200", "0.001, 0.002"), (200, Some(3000)));
    assert_eq!(of("-", "-"), (0, None));
    let json = "{\"t\":\"$time_iso8601\",\"r\":\"$request\",\"s\":$status,\"d\":\"$request_time\"}";
    let text = r#"{"t":"2026-10-10T11:55:36+00:00","r":"GET /\"x\" HTTP/1.1","s":200,"d":"0.5"}"#;
    assert_eq!(read(json, text), found("2026-10-10T11:55:36Z", "/\\\"x\\\"", 200, Some(500_000)));
    let (_, endpoint, ..) = read("${time_iso8601} $uri$is_args$args $status", "2026-10-10T11:55:36Z /a?b=c 200");
    assert_eq!(endpoint, "/a");
    // As it stands in the configuration.
    assert_eq!(
        read("$msec\\t\\\"$uri\\\"\\t$status\\n", "1760000000\t\"/a\"\t200"),
        found("2025-10-09T08:53:20Z", "/a", 200, None)
    );
    assert!(refusal("$msec\\n$status").contains("spreads a request over several lines"));
}

#[test]
fn formats_of_apache() {
    let timed = "%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" %D";
    let text = "::1 - - [10/Oct/2026:13:55:36 -0700] \"GET /x HTTP/1.1\" 200 - \"-\" 1500";
    assert_eq!(read(timed, text), found("2026-10-10T20:55:36Z", "/x", 200, Some(1500)));
    let unquoted = "%{%Y-%m-%d %H:%M:%S}t.%{msec_frac}t %m %U%q %!200,304{X}i %s %{ms}T %%";
    let text = "2026-10-10 13:55:36.123 GET /y?z=1 - 404 12 %";
    assert_eq!(read(unquoted, text), found("2026-10-10T13:55:36.123Z", "/y", 404, Some(12_000)));
    for (directive, value, at) in [
        ("%{sec}t", "1760000000", "2025-10-09T08:53:20Z"),
        ("%{msec}t", "1760000000123", "2025-10-09T08:53:20.123Z"),
        ("%{usec}t", "1760000000123456", "2025-10-09T08:53:20.123456Z"),
        ("%{end:%d/%b/%Y %T %z}t", "09/Oct/2025 10:53:20 +0200", "2025-10-09T08:53:20Z"),
        ("[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]", "[09/Oct/2025:10:53:20.123 +0200]", "2025-10-09T08:53:20.123Z"),
        ("%{%F}t at %{%H:%M:%S}t,%{usec_frac}t", "2025-10-09 at 08:53:20,123456", "2025-10-09T08:53:20.123456Z"),
        // The weekday says nothing more, nor does a second time of another moment.
        ("%{%A}t %t", "Thursday [09/Oct/2025:10:53:20 +0200]", "2025-10-09T08:53:20Z"),
        ("%{%F %T}t %{end:%F %T}t", "2025-10-09 08:53:20 2025-10-09 08:53:22", "2025-10-09T08:53:20Z"),
    ] {
        assert_eq!(
            read(&format!("{directive} %>s %T"), &format!("{value} 200 2")),
            found(at, "", 200, Some(2_000_000))
        );
    }
    // Of several durations the one that is written most finely.
    for (directives, values) in
        [("%T %D", "1 1500000"), ("%T/%D", "1/1500000"), ("%{us}T %T", "1500000 1"), ("%D %T", "1500000 -")]
    {
        assert_eq!(
            read(&format!("%t %>s {directives}"), &format!("[09/Oct/2025:10:53:20 +0200] 200 {values}")),
            found("2025-10-09T08:53:20Z", "", 200, Some(1_500_000)),
            "{directives}"
        );
    }
    assert!(refusal("%{%d/%b/%Y:%T}t %h %{%z}t %>s").contains("the offset %{%z}t stands apart from its time"));
    assert!(refusal("%{%T}t %>s").contains("expected a time"));
    assert!(refusal("%t %>s %{min}T").contains("'%{min}T' begins with no directive"));
    assert!(refusal("%t %>s %").contains("begins with no directive of a LogFormat"));
}

#[test]
fn formats_of_envoy_and_fields_of_json() {
    let envoy = "[%START_TIME(%Y-%m-%dT%H:%M:%S%z)%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH):40% %PROTOCOL%\" \
                 %RESPONSE_CODE% %DURATION%\n";
    let text = "[2026-10-10T13:55:36+0200] \"POST /api?x HTTP/2\" 0 31";
    assert_eq!(read(envoy, text), found("2026-10-10T11:55:36Z", "/api", 0, Some(31_000)));
    let json = "json time=at status=http.status target=http.url taken=took:us";
    let text =
        r#"{"other":[{"at":1}],"http":{"url":"https://a/b\u002fc?d","status":"200"},"took":1500,"at":1760000000.5}"#;
    assert_eq!(read(json, text), found("2025-10-09T08:53:20.500Z", "/b/c", 200, Some(1500)));
    let flat = r#"{"http.url":"/x","http.status":404,"at":"2026-10-10T11:55:36Z"}"#;
    assert_eq!(read(json, flat), found("2026-10-10T11:55:36Z", "/x", 404, None));
    let clf = r#"{"http.url":"/x","http.status":null,"at":"10/Oct/2026:13:55:36 +0200"}"#;
    assert_eq!(read(json, clf), found("2026-10-10T11:55:36Z", "/x", 0, None));
    // What has no status is no request, whatever its time looks like.
    assert_eq!(none(json, r#"{"at":"soon","http":{"url":"/x"}}"#), "without a status (http.status)");
    assert!(refusal("json time=at status=code taken=took").contains("has no unit"));
    assert!(refusal("json time=at status=code took=x").contains("means nothing known"));
    assert!(bad(json, "{\"at\": 1,").starts_with("the line is no JSON object: EOF while parsing"));
    // An array, as an API gives it out.
    assert!(bad(json, "[").ends_with("Make lines of an array: jq -c '.[]' FILE | nines ingest requests - …"));
}

#[test]
fn formats_with_a_name_are_known_by_a_line() {
    let clf = "10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] \"GET /x?y HTTP/1.1\" 503 5 \"-\" \"curl\"";
    for (name, text, micros) in [
        ("ingress-nginx", format!("{clf} 99 0.010 [shop-web-80] [] 10.1.1.1:80, 10.1.1.2:80 0, 5 0.004, 0.006 502, 503 abc"), 10_000),
        ("traefik", format!("{clf} 7 \"web@docker\" \"http://10.1.1.1:80\" 12ms"), 12_000),
        (
            "envoy",
            "[2026-10-10T13:55:36.000Z] \"GET /x?y HTTP/1.1\" 503 UF 0 5 9 - \"-\" \"curl\" \"id\" \"shop\" \"10.1.1.1:80\"".to_string(),
            9000,
        ),
        (
            "istio",
            "[2026-10-10T13:55:36.000Z] \"GET /x?y HTTP/1.1\" 503 UF via_upstream - \"-\" 0 5 9 8 \"-\" \"curl\" \"id\" \"shop\" \
             \"10.1.1.1:80\" outbound|80||shop 10.0.0.1:1 10.0.0.2:2 10.0.0.3:3 - default"
                .to_string(),
            9000,
        ),
        (
            "haproxy",
            "Oct 10 13:55:36 lb haproxy[14389]: 10.0.1.2:33317 [10/Oct/2026:13:55:36.000] http-in static/srv1 10/0/30/69/109 503 5 \
             - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} \"GET /x?y HTTP/1.1\""
                .to_string(),
            109_000,
        ),
        (
            "alb",
            "https 2026-10-10T13:55:36.000000Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.001 0.002 0.003 503 503 34 5 \
             \"GET https://shop:443/x?y HTTP/1.1\" \"curl\" - - arn:aws \"Root=1\" \"-\" \"-\" 0 2026-10-10T13:55:35.9Z \"forward\" \"-\""
                .to_string(),
            6000,
        ),
        (
            "caddy",
            r#"{"level":"info","ts":1791640536.0,"logger":"http.log.access","request":{"uri":"/x?y","host":"shop"},"status":503,"duration":0.0125}"#.to_string(),
            12_500,
        ),
        (
            "traefik-json",
            r#"{"DownstreamStatus":503,"Duration":12500000,"RequestPath":"/x?y","StartUTC":"2026-10-10T13:55:36Z","time":"2026-10-10T13:55:40Z"}"#.to_string(),
            12_500,
        ),
        (
            "envoy-json",
            r#"{"start_time":"2026-10-10T13:55:36.000Z","path":"/x?y","response_code":503,"duration":12}"#.to_string(),
            12_000,
        ),
        (
            "gcp",
            r#"{"timestamp":"2026-10-10T13:55:36Z","httpRequest":{"requestUrl":"https://shop/x?y","status":503,"latency":"0.012500s"}}"#.to_string(),
            12_500,
        ),
        (
            "azure",
            r#"{"time":"2026-10-10T13:55:36Z","properties":{"requestUri":"/x?y","httpStatus":503,"timeTaken":"0.0125"}}"#.to_string(),
            12_500,
        ),
        (
            "nginx-json",
            r#"{"time_local":"10/Oct/2026:13:55:36 +0000","request":"GET /x?y HTTP/1.1","status":"503","request_time":"0.0125"}"#.to_string(),
            12_500,
        ),
    ] {
        let known = LogFormat::of_line(text.as_bytes()).unwrap_or_else(|| panic!("{name} is not known"));
        assert_eq!(known.text(), name);
        assert_eq!(
            line(&known, Tz::UTC, &text).unwrap(),
            found("2026-10-10T13:55:36Z", "/x", 503, Some(micros)),
            "{name}"
        );
        assert_eq!(LogFormat::read(name).unwrap(), known);
    }
    assert!(LogFormat::of_line(clf.as_bytes()).is_none() && LogFormat::of_line(b"{\"time\": 1}").is_none());
}

#[test]
fn json_with_the_names_of_variables() {
    let of = |text: &str| read("nginx-json", text);
    let at = "2026-10-10T13:55:36Z";
    let upstream = r#"{"time_iso8601":"2026-10-10T13:55:36+00:00","uri":"/x","upstream_status":"502, 200","upstream_response_time":"0.1, 0.2"}"#;
    assert_eq!(of(upstream), found(at, "/x", 200, Some(300_000)));
    for time in [
        r#""time":"10/Oct/2026:13:55:36 +0000""#,
        r#""@timestamp":"2026-10-10T13:55:36Z""#,
        r#""timestamp":1791640536.0"#,
    ] {
        assert_eq!(
            of(&format!(r#"{{{time},"uri":"/x","status":"404","request_time":""}}"#)),
            found(at, "/x", 404, None)
        );
    }
    assert_eq!(none("nginx-json", "{\"time\":1}"), "without a status (status or upstream_status)");
}

#[test]
fn what_is_no_request_is_told() {
    let caddy = |msg: &str| {
        format!(r#"{{"ts":1791640536.0,"msg":{msg:?},"request":{{"uri":"/x"}},"status":502,"duration":0.5}}"#)
    };
    assert_eq!(read("caddy", &caddy("handled request")), found("2026-10-10T13:55:36Z", "/x", 502, Some(500_000)));
    let other = "with another msg than \"handled request\"";
    assert_eq!(none("caddy", &caddy("dial tcp 127.0.0.1:9: connect: connection refused")), other);
    assert_eq!(none("caddy", r#"{"level":"info","ts":1791979201.9,"msg":"serving initial configuration"}"#), other);
    for (name, text, field) in [
        (
            "traefik-json",
            r#"{"level":"info","msg":"Starting provider","time":"2026-10-10T13:55:36Z"}"#,
            "DownstreamStatus",
        ),
        ("gcp", r#"{"timestamp":"2026-10-10T13:55:36Z","textPayload":"ready"}"#, "httpRequest.status"),
    ] {
        assert_eq!(none(name, text), format!("without a status ({field})"));
    }
    let message = "Oct 10 13:55:36 lb haproxy[14389]: Server static/srv1 is DOWN, reason: Layer4 timeout.";
    assert_eq!(none("haproxy", message), "with a message of HAProxy");
    assert_eq!(LogFormat::of_line(message.as_bytes()).unwrap().text(), "haproxy");
    assert!(LogFormat::of_line(b"Server static/srv1 is DOWN, reason: Layer4 timeout.").is_none());
    assert!(bad("haproxy", "Oct 10 13:55:36 lb haproxy[14389]: segfault").contains("as the log's format has it"));
}

#[test]
fn the_host_is_that_of_the_request() {
    for (format, text, name) in [
        ("caddy", r#"{"ts":1,"request":{"host":"Shop.example:8443","uri":"/x"},"status":200}"#, Some("shop.example")),
        ("traefik-json", r#"{"time":1,"RequestHost":"Shop.example","DownstreamStatus":200}"#, Some("shop.example")),
        ("envoy-json", r#"{"start_time":1,"authority":"shop.example:80","response_code":200}"#, Some("shop.example")),
        ("envoy-json", r#"{"start_time":1,":authority":"shop.example","response_code":200}"#, Some("shop.example")),
        (
            "azure",
            r#"{"time":1,"properties":{"originalHost":"shop.example","host":"10.0.0.1","httpStatus":200}}"#,
            Some("shop.example"),
        ),
        ("azure", r#"{"time":1,"properties":{"host":"Shop.example:80","httpStatus":200}}"#, Some("shop.example")),
        (
            "gcp",
            r#"{"timestamp":1,"httpRequest":{"requestUrl":"https://Shop.example:443/x","status":200}}"#,
            Some("shop.example"),
        ),
        ("nginx-json", r#"{"msec":1,"host":"-","server_name":"shop.example","status":200}"#, Some("shop.example")),
        ("$msec \"$request\" $status", "1 \"GET http://Shop.example/x HTTP/1.1\" 200", Some("shop.example")),
        ("$msec \"$request\" $status", "1 \"OPTIONS * HTTP/1.1\" 200", None),
        ("$msec \"$request\" $status", "1 \"CONNECT a.example:443 HTTP/1.1\" 405", None),
        ("$msec $host$uri $status", "1 shop.example/x 200", Some("shop.example")),
    ] {
        assert_eq!(host(format, text).as_deref(), name, "{format}: {text}");
    }
    let mut reader =
        LineReader::new(LogFormat::read("w3c").unwrap().layout(), Tz::UTC).filling(&["host".to_string()]).unwrap();
    reader.parse(b"#Fields: date time cs(Host) sc-status x-host-header").unwrap();
    let Reading::Request(line) = reader.parse(b"2026-10-10 13:55:36 d1.cloudfront.net 200 Shop.example").unwrap()
    else {
        panic!("no request");
    };
    assert_eq!(line.filling[0].as_deref(), Some("shop.example"));
}

#[test]
fn a_target_that_gave_no_answer_has_no_latency() {
    let line = |times: &str| {
        let text = format!(
            "https 2026-10-10T13:55:36.000000Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 {times} 504 - 34 5 \
             \"GET https://shop:443/x HTTP/1.1\" \"curl\" - - arn:aws \"Root=1\""
        );
        let (_, _, status, micros) = read("alb", &text);
        (status, micros)
    };
    assert_eq!(line("0.000 -1 -1"), (504, None));
    assert_eq!(line("-1 -1 -1"), (504, None));
    assert_eq!(line("0.001 0.002 0.003"), (504, Some(6000)));
}

#[test]
fn lines_of_the_w3c_say_what_they_hold() {
    let format = LogFormat::of_line(b"#Software: Microsoft Internet Information Services 10.0").unwrap();
    assert_eq!(format.text(), "w3c");
    let mut reader = LineReader::new(format.layout(), Tz::Europe__Berlin);
    let mut of = |line: &str| {
        let read = reader.parse(line.as_bytes()).map_err(|error| error.to_string())?;
        let of = |read: Line<'_>| (read.when, read.endpoint.into_owned(), read.status, read.seconds);
        Ok::<_, String>(match read {
            Reading::Request(line) => Some(of(line)),
            Reading::Directive | Reading::NoRequest(_) => None,
        })
    };
    let at = When::At(1_791_640_536_000_000);
    assert!(of("2026-10-10 13:55:36 /x 200").unwrap_err().contains("no line before it says what its fields are"));
    assert_eq!(of("#Software: Microsoft Internet Information Services 10.0"), Ok(None));
    assert_eq!(of("#Fields: date time cs-uri-stem cs(User-Agent) sc-status time-taken"), Ok(None));
    assert_eq!(of("2026-10-10 13:55:36 /x curl/8 503 12"), Ok(Some((at, "/x".to_string(), 503, Some(0.012)))));
    assert_eq!(of("2026-10-10 13:55:36 - - 400 -"), Ok(Some((at, String::new(), 400, None))));
    // Fields may change, and CloudFront separates them by tabs and counts seconds.
    assert_eq!(of("#Software: other"), Ok(None));
    assert_eq!(of("#Fields: sc-status date time x-edge-location cs-uri-stem time-taken"), Ok(None));
    assert_eq!(of("000\t2026-10-10\t13:55:36\tFRA50 x\t/y\t0.250"), Ok(Some((at, "/y".to_string(), 0, Some(0.25)))));
    let lacking = of("#Fields: date time cs-uri-stem").unwrap_err();
    assert!(lacking.contains("the fields of the log lack sc-status"), "{lacking}");
    assert!(of("2026-10-10 13:55:36 /x").unwrap_err().contains("no line before it says what its fields are"));
    assert_eq!(of("#Fields: sc-status date time x-edge-location cs-uri-stem time-taken"), Ok(None));
    assert!(of("200 2026-10-10").unwrap_err().contains("the line has 2 fields; expected 6: sc-status date time"));
}

#[test]
fn oddities_of_lines() {
    let format = "[$time_local] \"$request\" $status $request_time ";
    let of = |request: &str, status: &str, taken: &str| {
        read(format, &format!("[10/Oct/2026:13:55:36 +0000] \"{request}\" {status} {taken}"))
    };
    let at = "2026-10-10T13:55:36Z";
    assert_eq!(of("", "000", "0.000"), found(at, "", 0, Some(0)));
    assert_eq!(of("-", "499", "-"), found(at, "", 499, None));
    assert_eq!(of("\\x16\\x03\\x01", "-1", "-1"), found(at, "", 0, None));
    assert_eq!(of("GET / HTTP/1.1", "460", "1.5 "), found(at, "/", 460, Some(1_500_000)));
    assert_eq!(
        bad(format, "[10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 2xx 1").split(". ").next().unwrap(),
        "$status is \"2xx\"; expected a status from 0 to 999"
    );
    assert!(bad(format, "[10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1 200 1").contains("expected $request and then"));
    assert!(
        bad(format, "[10/Oct/2026 13:55:36 +0000] \"GET / HTTP/1.1\" 200 1").contains("expected a time ($time_local)")
    );
    // An agent that was cut off costs nothing; a time taken behind it would be lost.
    let cut = "h - - [10/Oct/2026:13:55:36 +0000] \"GET /x HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (comp";
    assert_eq!(read("combined", cut), found(at, "/x", 200, None));
    assert!(
        bad("$remote_addr - - [$time_local] \"$request\" $status $size \"$ref\" \"$agent\" $request_time", cut)
            .contains("$agent and then")
    );
    // Without an offset the clock is that of --time-zone, on both sides of a change.
    let local = "$time_iso8601 $status";
    for (written, utc) in
        [("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"), ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z")]
    {
        let format = LogFormat::read(local).unwrap();
        assert_eq!(line(&format, Tz::Europe__Berlin, &format!("{written} 200")).unwrap().0, utc);
    }
    let skipped = line(&LogFormat::read(local).unwrap(), Tz::Europe__Berlin, "2026-03-29T02:30:00 200").unwrap_err();
    assert!(skipped.to_string().contains("clocks skip this one"), "{skipped}");
}

#[test]
fn formats_that_cannot_be_meant_are_refused() {
    for (format, why) in [
        ("$status $request_time", "expected a time, such as $time_local"),
        ("$time_iso8601 $request", "expected a status, such as $status"),
        ("$time_iso8601 $ $status", "'$' without the name of a variable"),
        ("combine", "is no format of a log, and no file"),
    ] {
        let said = refusal(format);
        assert!(said.contains(why), "{format}: {said}");
    }
    assert!(refusal("$msec$status x").contains("nothing stands between $msec and $status"));
}

#[test]
fn formats_are_read_out_of_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path.display().to_string()
    };
    let nginx = file(
        "nginx.conf",
        "http { # log_format no '$x';\n  log_format  main  '$remote_addr [$time_local] '\n '\"$request\" ; $status';\n  access_log /x main;\n \
         log_format tabs \"$msec\\t\\\"$uri\\\"\" '\\t$status';\n \
         log_format json escape=json '{\"t\":\"$msec\",\"s\":\"$status\"}';\n}\n",
    );
    let said = refusal(&nginx);
    assert!(said.contains("defines several formats") && said.contains("#NAME: main, tabs, json"), "{said}");
    let text = "h [10/Oct/2026:13:55:36 +0000] \"GET /x HTTP/1.1\" ; 200";
    assert_eq!(read(&format!("{nginx}#main"), text), found("2026-10-10T13:55:36Z", "/x", 200, None));
    assert_eq!(LogFormat::read(&format!("{nginx}#json")).unwrap().to_string(), format!("log_format json of {nginx}"));
    assert!(refusal(&format!("{nginx}#other")).contains("defines no format \"other\"; expected main, tabs, json"));
    assert_eq!(
        read(&format!("{nginx}#tabs"), "1760000000\t\"/x\"\t200"),
        found("2025-10-09T08:53:20Z", "/x", 200, None)
    );
    let apache = file("httpd.conf", "<IfModule>\n  logformat \"%h %t \\\"%r\\\" \\\n %>s\" only\n</IfModule>\n");
    assert_eq!(
        read(&apache, "h [10/Oct/2026:13:55:36 +0000] \"GET /x HTTP/1.1\"  200"),
        found("2026-10-10T13:55:36Z", "/x", 200, None)
    );
    assert!(refusal(&file("empty.conf", "events {}\n")).contains("defines no format"));
}
