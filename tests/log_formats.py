"""Logs of each format that Nines reads: what it stores against what was written.

Requests are drawn from a seed and written as each program writes them, by the words of its manual; they are counted here before
they are written, per minute, endpoint and status. Nines must store the same, latencies included.

Usage: log_formats.py NINES_BINARY [SEED]
"""
import csv
import io
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict, namedtuple
from datetime import datetime, timedelta, timezone
from pathlib import Path

BEGIN = datetime(2026, 10, 14, 23, 30, tzinfo=timezone.utc)
AGENTS = ["curl/8.5", "Mozilla/5.0 (X11; Linux) [en] \\\"x\\\"", "-", ""]
USERS = ["-", "frank", "John [x] Doe"]

# Paths, and what their endpoints are called.
ENDPOINTS = {"/": "/", "/cart": "/cart", "/users/17": "/users/{id}", "/a/b/": "/a/b/", "/%C3%A4": "/%C3%A4", "/with%20blank": "/with%20blank",
             "/x:y;z": "/x:y;z", "/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/2.pdf": "/o/{id}/2.pdf", "/v2/d41d8cd98f00b204": "/v2/{id}"}

# micros is how long it took; None where the log does not say. path is None where there was no request at all.
Request = namedtuple("Request", "at method path query status micros user agent upstream")


def drawn(random, number):
    """Requests of an hour and a half across midnight, in order."""
    at, found = BEGIN, []
    for _ in range(number):
        at += timedelta(microseconds=random.randrange(1, 30_000_000))
        path = random.choice(list(ENDPOINTS))
        query = random.choice(["", "", "?a=b", "?u=https://other.example/path?x"])
        status = random.choice([200, 200, 200, 204, 301, 404, 429, 499, 500, 502, 503, 504])
        micros = random.choice([0, 1000, 12_000, 250_000, 1_250_000, 31_000_000])
        found.append(Request(at, random.choice(["GET", "POST"]), path, query, status, micros, random.choice(USERS),
                             random.choice(AGENTS), random.choice([1, 1, 2, 3])))
    # Lines without a request, and with none that can be read.
    found.append(Request(at, None, None, "", 400, 0, "-", "-", 1))
    return found


def clf(at, hours=0):
    """As Apache and nginx write times, in a zone so many hours east."""
    local = at.astimezone(timezone(timedelta(hours=hours)))
    return local.strftime("%d/%b/%Y:%H:%M:%S %z")


def iso(at, digits=6):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:20 + digits].rstrip(".") + "Z"


def line_of(request):
    return "-" if request.path is None else f"{request.method} {request.path}{request.query} HTTP/1.1"


def shares(request, scale, places):
    """How long each server took, together as long as the request."""
    parts = [request.micros // request.upstream] * request.upstream
    parts[-1] += request.micros - sum(parts)
    return ", ".join(f"{part / scale:.{places}f}" for part in parts)


def statuses(request):
    return ", ".join(["502"] * (request.upstream - 1) + [str(request.status)])


# Each format: its name, what is given beside the file, how a request is written, and which of it can be told again: whole ms, say.
FORMATS = []


def log(name, *arguments, head=(), unit=1):
    def add(write):
        FORMATS.append((name, arguments, write, head, unit))
        return write
    return add


@log("combined")
def combined(r):
    return f'10.0.0.1 - {r.user} [{clf(r.at, 2)}] "{line_of(r)}" {r.status} 12 "-" "{r.agent}" {r.micros / 1e6:.6f}'


@log("vhost_combined, %D", "--latency-unit", "us")
def vhost(r):
    return f'shop.example:443 ::1 - {r.user} [{clf(r.at, -7)}] "{line_of(r)}" {r.status} - "-" "{r.agent}" {r.micros}'


@log("nginx", "--log-format",
     '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" rt=$request_time '
     'uct="$upstream_connect_time" $upstream_addr urt=$upstream_response_time', unit=1000)
def nginx(r):
    servers = ", ".join(["10.1.1.1:80"] * r.upstream)
    return (f'10.0.0.1 - {r.user} [{clf(r.at)}] "{line_of(r)}" {r.status} 5 "{r.agent}" rt={r.micros / 1e6:.3f} uct="-" {servers} '
            f'urt={shares(r, 1e6, 3)}')


@log("nginx, what servers behind say", "--log-format",
     '$msec $host$request_uri $upstream_status $upstream_response_time $pipe')
def upstreams(r):
    path = (r.path or "") + r.query
    return f"{r.at.timestamp():.6f} shop.example{path} {statuses(r)} {shares(r, 1e6, 6)} ."


@log("nginx, escape=json", "--log-format",
     '{"time":"$time_iso8601","request":"$request","status":"$status","request_time":$request_time,"agent":"$http_user_agent"}',
     unit=1000)
def nginx_json(r):
    return (f'{{"time":"{r.at.strftime("%Y-%m-%dT%H:%M:%S+00:00")}","request":"{line_of(r)}","status":"{r.status}",'
            f'"request_time":{r.micros / 1e6:.3f},"agent":"{r.agent}"}}')


@log("Apache", "--log-format", '%h %l %u %{%d/%b/%Y %T}t.%{msec_frac}t \\"%r\\" %>s %b %{ms}T', unit=1000)
def apache(r):
    at = r.at.strftime("%d/%b/%Y %H:%M:%S.") + f"{r.at.microsecond // 1000:03}"
    return f'10.0.0.1 - - {at} "{line_of(r)}" {r.status} 7 {r.micros // 1000}'


@log("Apache, the zone apart", "--log-format", '%h [%{%d/%b/%Y:%T}t.%{usec_frac}t %{%z}t] "%r" %>s %T %D')
def apache_apart(r):
    at = r.at.astimezone(timezone(timedelta(hours=2)))
    return f'10.0.0.1 [{at.strftime("%d/%b/%Y:%H:%M:%S.%f %z")}] "{line_of(r)}" {r.status} {r.micros // 1_000_000} {r.micros}'


@log("nginx-json, what servers behind say", "--log-format", "nginx-json")
def upstreams_json(r):
    return json.dumps({"@timestamp": iso(r.at), "request": line_of(r), "upstream_status": statuses(r),
                       "upstream_response_time": shares(r, 1e6, 6)})


@log("Envoy", unit=1000)
def envoy(r):
    request = "- - -" if r.path is None else line_of(r)
    return (f'[{iso(r.at, 3)}] "{request}" {r.status} - 0 5 {r.micros // 1000} - "-" "{r.agent}" "id" "shop.example" "10.1.1.1:80"')


@log("ingress-nginx", unit=1000)
def ingress(r):
    servers = ", ".join(["10.1.1.1:80"] * r.upstream)
    sizes = ", ".join(["5"] * r.upstream)
    return (f'10.0.0.1 - {r.user} [{clf(r.at)}] "{line_of(r)}" {r.status} 5 "-" "{r.agent}" 99 {r.micros / 1e6:.3f} [shop-web-80] [] '
            f'{servers} {sizes} {shares(r, 1e6, 3)} {statuses(r)} 0af3')


@log("Traefik", unit=1000)
def traefik(r):
    return (f'10.0.0.1 - {r.user} [{clf(r.at)}] "{line_of(r)}" {r.status} 5 "-" "{r.agent}" 7 "web@docker" "http://10.1.1.1:80" '
            f'{r.micros // 1000}ms')


@log("HAProxy", "--time-zone", "Europe/Berlin", unit=1000)
def haproxy(r):
    at = r.at.astimezone(timezone(timedelta(hours=2)))
    at = at.strftime("%d/%b/%Y:%H:%M:%S.") + f"{at.microsecond // 1000:03}"
    request = "<BADREQ>" if r.path is None else line_of(r)
    return (f'Oct 14 lb haproxy[14389]: 10.0.1.2:33317 [{at}] http-in static/srv1 10/0/30/69/{r.micros // 1000} {r.status} 5 - - ---- '
            f'1/1/1/1/0 0/0 {{shop.example}} {{}} "{request}"')


@log("HAProxy, HTTPS", "--time-zone", "Europe/Berlin", unit=1000)
def haproxy_https(r):
    return haproxy(r) + " 0/0000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384"


@log("AWS ALB")
def alb(r):
    request = "- http://shop.example:80- -" if r.path is None else (
        f"{r.method} https://shop.example:443{r.path}{r.query} HTTP/1.1")
    third = r.micros // 3
    times = " ".join(f"{part / 1e6:.6f}" for part in (third, third, r.micros - 2 * third))
    return (f'https {iso(r.at)} app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 {times} {r.status} {r.status} 34 5 "{request}" "{r.agent}" - - '
            f'arn "Root=1" "-" "-" 0 {iso(r.at)} "forward" "-" "-" "10.0.0.1:80" "{r.status}" "-" "-"')


@log("Caddy")
def caddy(r):
    record = {"level": "info", "ts": r.at.timestamp(), "logger": "http.log.access", "msg": "handled request", "request": {
        "method": r.method, "host": "shop.example", "uri": (r.path or "") + r.query}, "status": r.status, "duration": r.micros / 1e6}
    # An error of a handler stands before the request that it happened to; a reload is a record as well.
    error = record | {"level": "error", "logger": "http.log.error", "msg": "connection refused"}
    reload = {"level": "info", "ts": r.at.timestamp(), "msg": "serving initial configuration"}
    return "\n".join(map(json.dumps, ([error] if r.status == 502 else []) + [record] + ([reload] if r.status == 301 else [])))


@log("Traefik, JSON")
def traefik_json(r):
    return json.dumps({"DownstreamStatus": r.status, "Duration": r.micros * 1000, "RequestPath": (r.path or "") + r.query,
                       "StartUTC": iso(r.at), "time": iso(r.at + timedelta(hours=1))})


@log("Envoy, JSON", unit=1000)
def envoy_json(r):
    return json.dumps({"start_time": iso(r.at, 3), "path": r.path and r.path + r.query, "response_code": r.status,
                       "duration": r.micros // 1000, "authority": "shop.example"})


@log("Google Cloud")
def gcp(r):
    request = json.dumps({"insertId": "x", "timestamp": iso(r.at), "httpRequest": {
        "requestUrl": r.path and f"https://shop.example{r.path}{r.query}", "status": r.status, "latency": f"{r.micros / 1e6:.6f}s"}})
    return request + "\n" + json.dumps({"insertId": "y", "timestamp": iso(r.at), "textPayload": "served"})


@log("Azure")
def azure(r):
    return json.dumps({"time": iso(r.at), "category": "FrontDoorAccessLog", "properties": {
        "requestUri": (r.path or "") + r.query, "httpStatusCode": str(r.status), "timeTaken": f"{r.micros / 1e6:.6f}"}})


IIS = ["#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", "#Date: 2026-10-14 23:30:00",
       "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status time-taken"]


@log("IIS", head=IIS, unit=1000)
def iis(r):
    return (f"{r.at:%Y-%m-%d %H:%M:%S} 10.0.0.1 {r.method or '-'} {r.path or '-'} {r.query.lstrip('?') or '-'} {r.status} 0 "
            f"{r.micros // 1000}")


@log("CloudFront", head=["#Version: 1.0", "#Fields: date time x-edge-location cs-method cs(Host) cs-uri-stem sc-status time-taken"],
     unit=1000)
def cloudfront(r):
    return "\t".join([f"{r.at:%Y-%m-%d}", f"{r.at:%H:%M:%S}", "FRA50-C1", r.method or "-", "shop.example", r.path or "-", str(r.status),
                      f"{r.micros / 1e6:.3f}"])


@log("fields of JSON", "--log-format", "json time=at status=http.code target=http.path taken=took:ns")
def json_fields(r):
    return json.dumps({"at": int(r.at.timestamp() * 1e6) * 1000 + 500, "http": {"code": r.status, "path": (r.path or "") + r.query},
                       "took": r.micros * 1000})


def nines(binary, store, *arguments):
    done = subprocess.run([binary, "--store", str(store), *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def compare(binary, folder, requests, name, arguments, write, head, unit):
    """How many rows are the same."""
    folder.mkdir()
    wanted = defaultdict(lambda: [0, 0])
    for r in requests:
        row = wanted[r.at.strftime("%Y-%m-%dT%H:%M:00Z"), ENDPOINTS.get(r.path, ""), str(r.status)]
        row[0] += 1
        row[1] += r.micros // unit * unit
    path = folder / "sample"
    path.write_text("".join(f"{line}\n" for line in [*head, *map(write, requests)]))
    said = nines(binary, folder / "store", "ingest", "requests", str(path), "--service", "shop", "--slice", "60s", *arguments)
    select = "SELECT time, endpoint, status, sum(requests) AS n, round(sum(latency_sum) * 1e6) AS micros FROM requests GROUP BY 1, 2, 3"
    rows = list(csv.DictReader(io.StringIO(nines(binary, folder / "store", "sql", "--format", "csv", select))))
    found = {(row["time"], row["endpoint"], row["status"]): [int(row["n"]), int(float(row["micros"]))] for row in rows}
    for key in sorted({*wanted, *found}):
        if wanted.get(key) != found.get(key):
            sys.exit(f"{name}, {key}: {found.get(key)} by Nines, {wanted.get(key)} here\n{said}")
    return len(found)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 17
    with tempfile.TemporaryDirectory() as folder:
        for i, (name, arguments, write, head, unit) in enumerate(FORMATS):
            requests = drawn(random.Random(seed + i), 200)
            rows = compare(sys.argv[1], Path(folder) / str(i), requests, name, arguments, write, head, unit)
            print(f"{name}: {len(requests)} lines, {rows} rows are the same", flush=True)


main()
