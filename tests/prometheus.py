"""A real Prometheus scrapes two small exporters, which know what they counted; what Nines pulls from it must be that, slice by slice.

Usage: prometheus.py NINES [DAYS]

With DAYS alone a back-fill of so many days out of a server that holds them, in one go and in parts; without, one of 45 days first.

Exporters and Prometheus are restarted on the way. Truth is what an exporter itself counted between two scrapes that Prometheus
stored, never what Prometheus says the counters were; of Prometheus only the times of scrapes are asked. The same samples
are pulled again through gateways, with passwords and certificates, and out of a VictoriaMetrics, if there is one. Takes a minute.
"""

import base64
import bisect
import csv
import http.server
import io
import json
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path

SLICE = 5
BOUNDS = [0.1, 0.3, 1.0]


class Exporter:
    """Counts requests by status and latency, and remembers what each scrape saw."""

    def __init__(self, name: str, seed: int):
        self.name, self.random = name, random.Random(seed)
        self.lock = threading.Lock()
        self.scrapes = 0
        # What every scrape saw: number of the run, counts by status, by bound, sum of seconds.
        self.seen: dict[int, tuple[int, Counter, Counter, float]] = {}
        self.seen_jobs: dict[int, tuple[float, int]] = {}
        self.run = 0
        self.begin()

    def begin(self):
        self.run += 1
        # Of jobs a process finds those of the one before done again, so that the counter never falls.
        self.created, self.jobs = time.time(), getattr(self, "jobs", 0) + 3
        self.status, self.within, self.sum = Counter({"200": 0}), Counter({bound: 0 for bound in [*BOUNDS, "+Inf"]}), 0.0

    def restart(self):
        with self.lock:
            self.begin()

    def work(self, requests: int):
        with self.lock:
            for _ in range(requests):
                took = self.random.choice([0.05, 0.1, 0.25, 0.5, 4.0])
                self.status["500" if self.random.random() < 0.1 else "200"] += 1
                for bound in BOUNDS:
                    self.within[bound] += took <= bound
                self.within["+Inf"] += 1
                self.sum += took

    def metrics(self) -> str:
        with self.lock:
            self.scrapes += 1
            self.seen[self.scrapes] = (self.run, self.status.copy(), self.within.copy(), self.sum)
            self.jobs += 1
            self.seen_jobs[self.scrapes] = (self.created, self.jobs)
            lines = ["# TYPE http_requests_total counter"]
            lines += [f'http_requests_total{{code="{code}"}} {count}' for code, count in self.status.items()]
            lines += ["# TYPE took_seconds histogram"]
            lines += [f'took_seconds_bucket{{le="{bound}"}} {count}' for bound, count in self.within.items()]
            lines += [f"took_seconds_sum {self.sum!r}", f"took_seconds_count {self.within['+Inf']}"]
            lines += ["# TYPE jobs_total counter", f"jobs_total {self.jobs}", f"jobs_created {self.created!r}"]
            lines += ["# TYPE scrape_number gauge", f"scrape_number {self.scrapes}"]
            return "\n".join(lines) + "\n"

    def serve(self) -> int:
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = exporter.metrics().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(url: str, log: Path):
    """Until a server answers; if it does not, its log says why."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(url, timeout=1)
        except OSError:
            time.sleep(0.1)
    raise SystemExit(log.read_text())


class Prometheus:
    def __init__(self, folder: Path, targets: dict[str, int]):
        self.folder, self.port, self.process = folder, free_port(), None
        scrape = "\n".join(f"      - targets: ['127.0.0.1:{port}']\n        labels: {{instance: {name}}}" for name, port in targets.items())
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: shop\n    static_configs:\n{scrape}\n"
        )

    def start(self):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=log, stderr=log,
        )
        wait_for(f"{self.url}/-/ready", self.folder / "log")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def scrapes(self) -> dict[str, list[tuple[float, int]]]:
        """When each scrape of each instance was stored, by its number."""
        query = urllib.parse.urlencode({"query": "scrape_number[10m]"})
        answer = json.load(urllib.request.urlopen(f"{self.url}/api/v1/query?{query}"))
        return {
            series["metric"]["instance"]: [(when, int(number)) for when, number in series["values"]]
            for series in answer["data"]["result"]
        }


def strict_gateway(prometheus: "Prometheus") -> int:
    """Lets nobody in without token and tenant, is down at first, and answers only questions for a short time."""
    asked = Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status: int, body: bytes):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = urllib.parse.parse_qs(form)["query"][0]
            if self.headers["Authorization"] != "Bearer secret" or self.headers["X-Scope-OrgID"] != "shop":
                return self.answer(401, b"who are you")
            asked[query] += 1
            if sum(asked.values()) == 1:
                return self.answer(503, b"not yet")
            if int(query.rsplit("[", 1)[1][: -len("ms]")]) > 10_000:
                text = "query processing would load too many samples into memory in query execution"
                return self.answer(422, json.dumps({"status": "error", "errorType": "execution", "error": text}).encode())
            request = urllib.request.Request(f"{prometheus.url}/api/v1/query", data=form.encode())
            self.answer(200, urllib.request.urlopen(request).read())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Victoria:
    """VictoriaMetrics, filled with the samples of a Prometheus."""

    def __init__(self, folder: Path, lines: list[str]):
        self.port, log = free_port(), open(folder / "victoria.log", "ab")
        self.process = subprocess.Popen(
            ["victoria-metrics", f"-storageDataPath={folder / 'victoria'}", f"-httpListenAddr=127.0.0.1:{self.port}",
             "-retentionPeriod=1y", "-search.latencyOffset=0s"],
            stdout=log, stderr=log,
        )
        wait_for(f"{self.url}/health", folder / "victoria.log")
        # As its own import takes them: the name before the labels.
        texts = [re.sub(r'^{__name__="([^"]+)", ?', r"\1{", line) for line in lines]
        self.ask("/api/v1/import/prometheus", "\n".join(texts).encode() + b"\n")
        self.ask("/internal/force_flush")

    def ask(self, path: str, body: bytes | None = None) -> bytes:
        return urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", data=body), timeout=10).read()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def certificates(folder: Path):
    """An authority, and what it signed: the server 127.0.0.1 and a client."""
    run = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=nobody's authority",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    for name, extensions in [("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")]:
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "extensions").write_text(extensions + "\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            f"{name}.pem", "-days", "2", "-extfile", "extensions")


def secure_gateway(prometheus: "Prometheus", folder: Path) -> int:
    """Speaks TLS with who shows a certificate and a password, and lets nothing through but GET."""
    basic = "Basic " + base64.b64encode(b"ann:pass:word").decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_error(405)

        def do_GET(self):
            if self.headers["Authorization"] != basic:
                return self.send_error(403)
            body = urllib.request.urlopen(prometheus.url + self.path.removeprefix("/metrics")).read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def expected(exporters: list[Exporter], scrapes) -> tuple[Counter, dict, dict]:
    """By slice: requests by status, requests within each bound, seconds."""
    requests, within, seconds = Counter(), defaultdict(Counter), defaultdict(float)
    for exporter in exporters:
        before = None
        known = set()
        for when, number in scrapes[exporter.name]:
            run, status, bounds, total = exporter.seen[number]
            if before is not None:
                start = int(when // SLICE * SLICE)
                old = before if before[0] == run else (run, Counter(), Counter(), 0.0)
                for code, count in status.items():
                    # A status that was never seen before counts from its first sample on.
                    if code in known:
                        requests[start, code] += count - old[1][code]
                for bound, count in bounds.items():
                    within[start][bound] += count - old[2][bound]
                seconds[start] += total - old[3]
            known |= set(status)
            before = (run, status, bounds, total)
    return requests, within, seconds


def jobs(exporters: list[Exporter], scrapes) -> Counter:
    """Jobs by slice: a process counts from 0, whatever it begins with."""
    counted = Counter()
    for exporter in exporters:
        before = None
        for when, number in scrapes[exporter.name]:
            created, count = exporter.seen_jobs[number]
            start = int(when // SLICE * SLICE)
            if before is not None:
                counted[start] += count - before[1] if before[0] == created else count
            elif created >= start:
                counted[start] += count
            before = (created, count)
    return +counted


def stored_jobs(binary: str, store: str) -> Counter:
    query = "SELECT CAST(EXTRACT(EPOCH FROM time) AS BIGINT) AS slice, sum(total) AS jobs FROM events GROUP BY 1"
    rows = csv.DictReader(io.StringIO(nines(binary, "--store", store, "sql", query, "--format", "csv")))
    return +Counter({int(row["slice"]): int(row["jobs"]) for row in rows})


def nines(binary: str, *arguments: str, env=None) -> str:
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, env=env)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def stored(binary: str, store: str):
    query = (
        "SELECT CAST(EXTRACT(EPOCH FROM time) AS BIGINT) AS slice, service, status, sum(requests) AS requests, "
        "sum(latency_sum) AS seconds FROM requests GROUP BY 1, 2, 3"
    )
    rows = list(csv.DictReader(io.StringIO(nines(binary, "--store", store, "sql", query, "--format", "csv"))))
    requests = Counter({(int(row["slice"]), row["status"]): int(row["requests"]) for row in rows if row["service"] == "shop"})
    seconds = {int(row["slice"]): float(row["seconds"] or 0) for row in rows if row["service"] == "latency"}
    bounds = "SELECT CAST(EXTRACT(EPOCH FROM time) AS BIGINT) AS slice, requests, latency_le FROM requests WHERE service = 'latency'"
    within = defaultdict(Counter)
    for line in nines(binary, "--store", store, "sql", bounds, "--format", "jsonl").splitlines():
        row = json.loads(line)
        of = within[int(row["slice"])]
        of["+Inf"] += row["requests"]
        for count in row["latency_le"] or []:
            of[count["le"] / 1e6] += count["count"]
    return requests, within, seconds


def compare(what: str, found, truth):
    for name, ours, theirs in zip(["requests", "buckets", "seconds"], found, truth):
        if name == "seconds":
            assert all(abs(ours.get(at, 0) - value) < 1e-5 for at, value in theirs.items()), f"{what}: {name}"
            continue
        flat = lambda counts: {key: value for key, value in counts.items() if value} if name == "requests" else {
            (at, bound): value for at, of in counts.items() for bound, value in of.items() if value
        }
        ours, theirs = flat(ours), flat(theirs)
        differ = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
        assert not differ, f"{what}: {name} differ (ours, theirs): {differ}"
    print(f"{what}: {sum(truth[0].values())} requests in {len(truth[1])} slices, as the exporters counted")


class Years:
    """A server that holds a long history of one counter with two statuses: restarts, outages, a status that appears."""

    SCRAPE, BEGUN = 600, 1_735_689_600  # 2025-01-01

    def __init__(self, days: int, seed: int):
        draw = random.Random(seed)
        self.ended = self.BEGUN + days * 86_400
        outages = [(self.BEGUN + day * 86_400 + 20_000, draw.choice([2_400, 3_000, 7_000, 150_000])) for day in range(5, days, 9)]
        self.series = {}
        for status, first in [("200", 0), ("500", 17)]:
            samples, value = [], 0
            for at in range(self.BEGUN + first * 86_400 + 7, self.ended, self.SCRAPE):
                value = 0 if draw.random() < 1 / 1_500 else value
                value += draw.randrange(40 if status == "200" else 3)
                if not any(begun <= at < begun + length for begun, length in outages):
                    samples.append((at, value))
            self.series[status] = samples

    def expected(self, slice_seconds: int) -> Counter:
        counted = Counter()
        for status, samples in self.series.items():
            # A status that appears while the target is scraped counts from 0; of the very first samples nothing is known.
            before = None if status == "200" else 0
            for at, value in samples:
                if before is not None:
                    counted[at // slice_seconds * slice_seconds, status] += value - before if value >= before else value
                before = value
        return +counted

    def serve(self) -> int:
        series = self.series

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                query, until = form["query"][0], float(form["time"][0])
                since = until - int(query.rsplit("[", 1)[1][: -len("ms]")]) / 1000
                found = []
                for status, samples in series.items() if query.startswith("served_total") else []:
                    begin, end = bisect.bisect_right(samples, (since, 1e99)), bisect.bisect_right(samples, (until, 1e99))
                    if begin < end:
                        labels = {"__name__": "served_total", "job": "shop", "instance": "a", "code": status}
                        found.append({"metric": labels, "values": [[at, str(value)] for at, value in samples[begin:end]]})
                answer = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": found}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port


def back_fill(binary: str, days: int):
    """A back-fill in months equals one in one go, and both what was counted."""
    width, folder, server = 900, Path(tempfile.mkdtemp(prefix="nines-years-")), Years(days, 5)
    mapping = folder / "mapping.yaml"
    mapping.write_text("requests: [{counter: served_total, service: shop, status: {label: code}, newSeries: zero}]\n")
    pull = ["ingest", "prometheus", "--url", f"http://127.0.0.1:{server.serve()}", "--mapping", str(mapping), "--lookback", "2d"]
    pull += ["--slice", f"{width}s"]
    months = [*range(server.BEGUN + 30 * 86_400, server.ended, 30 * 86_400), server.ended]
    truth = server.expected(width)
    for how, ends in [("at once", [server.ended]), (f"in {len(months)} parts", months)]:
        store = str(folder / how.replace(" ", "-"))
        for at, end in enumerate(ends):
            begin = ["--from", str(server.BEGUN)] if at == 0 else []
            nines(binary, "--store", store, *pull, *begin, "--to", str(end))
        query = "SELECT CAST(EXTRACT(EPOCH FROM time) AS BIGINT) AS slice, status, sum(requests) AS requests FROM requests GROUP BY 1, 2"
        rows = csv.DictReader(io.StringIO(nines(binary, "--store", store, "sql", query, "--format", "csv")))
        found = +Counter({(int(row["slice"]), row["status"]): int(row["requests"]) for row in rows})
        differ = {key: (found[key], truth[key]) for key in found.keys() | truth.keys() if found[key] != truth[key]}
        assert not differ, f"{days} days {how} (ours, theirs): {dict(list(differ.items())[:5])} and more, {len(differ)} in all"
        print(f"{days} days pulled {how}: {sum(found.values())} requests in {len(found)} slices and statuses, as they were counted")
    shutil.rmtree(folder)


def main() -> int:
    binary = str(Path(sys.argv[1]).resolve())
    back_fill(binary, int(sys.argv[2]) if len(sys.argv) > 2 else 45)
    if len(sys.argv) > 2:
        return 0
    if not shutil.which("prometheus"):
        print("skipped: there is no program prometheus (Debian package prometheus)")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="nines-prometheus-"))
    exporters = [Exporter("a", 1), Exporter("b", 2)]
    prometheus = Prometheus(folder, {exporter.name: exporter.serve() for exporter in exporters})
    mapping = folder / "mapping.yaml"
    mapping.write_text(
        "requests:\n"
        "  - {counter: 'http_requests_total{job=\"shop\"}', service: shop, status: {label: code}}\n"
        "  - {histogram: took_seconds, service: latency, status: 200}\n"
        "events: [{name: jobs, service: shop, good: jobs_total, bad: jobs_lost_total}]\n"
    )
    draw = random.Random(7)

    def work(seconds: float):
        end = time.time() + seconds
        while time.time() < end:
            for exporter in exporters:
                exporter.work(draw.randrange(0, 6))
            time.sleep(0.05)

    begun = int(time.time() // SLICE * SLICE)
    try:
        prometheus.start()
        work(9)
        exporters[0].restart()
        work(4)
        prometheus.stop()
        work(2)
        prometheus.start()
        work(6)
        exporters[1].restart()
        work(6)
        # No slice is cut: nothing is counted after the last scrape that is compared.
        ended = int(time.time() // SLICE * SLICE) + SLICE
        work(ended - time.time() + 0.5)
        scrapes = {name: [s for s in all if s[0] < ended] for name, all in prometheus.scrapes().items()}
        truth = expected(exporters, scrapes)
        pull = ["ingest", "prometheus", "--url", prometheus.url, "--mapping", str(mapping)]
        store = str(folder / "store")
        half = begun + (ended - begun) // 2 // SLICE * SLICE
        first = nines(binary, "--store", store, *pull, "--from", str(begun), "--to", str(half), "--slice", f"{SLICE}s")
        assert "pulled" in first, first
        second = nines(binary, "--store", store, *pull, "--to", str(ended))
        print(second)
        compare("pulled in two parts", stored(binary, store), truth)
        again = nines(binary, "--store", store, *pull, "--from", str(begun), "--to", str(ended))
        assert "0 added, 0 replaced" in again or "nothing changed" in again, again
        nothing = nines(binary, "--store", store, *pull, "--to", str(ended))
        assert "pulled      nothing" in nothing, nothing
        whole = str(folder / "whole")
        nines(binary, "--store", whole, *pull, "--from", str(begun), "--to", str(ended), "--slice", f"{SLICE}s")
        compare("pulled at once", stored(binary, whole), truth)
        for how, of in [("in two parts", store), ("at once", whole)]:
            found, done = stored_jobs(binary, of), jobs(exporters, scrapes)
            assert found == done, f"jobs, pulled {how}: {found} {done}"
        print(f"jobs: {sum(done.values())}, whose counter never fell")
        gated, token = str(folder / "gated"), folder / "token"
        token.write_text("secret\n")
        gate = ["ingest", "prometheus", "--url", f"http://127.0.0.1:{strict_gateway(prometheus)}", "--mapping", str(mapping)]
        gate += ["--from", str(begun), "--to", str(ended), "--slice", f"{SLICE}s", "--lookback", "10s"]
        refused = subprocess.run([binary, "--store", gated, *gate], capture_output=True, text=True)
        assert refused.returncode != 0 and "answers 401: who are you. Say who asks" in refused.stderr, refused.stderr
        nines(binary, "--store", gated, *gate, "--bearer-token-file", str(token), "--header", "X-Scope-OrgID: shop")
        compare("pulled in parts through a gateway", stored(binary, gated), truth)
        certificates(folder)
        secure, password = str(folder / "secure"), folder / "password"
        password.write_text("pass:word\n")
        gate = ["ingest", "prometheus", "--url", f"https://127.0.0.1:{secure_gateway(prometheus, folder)}/metrics", "--mapping", str(mapping)]
        gate += ["--from", str(begun), "--to", str(ended), "--slice", f"{SLICE}s", "--lookback", "10s", "--timeout", "10s"]
        gate += ["--user", "ann", "--password-file", str(password)]
        client = ["--cert-file", str(folder / "client.pem"), "--key-file", str(folder / "client.key")]
        nines(binary, "--store", secure, *gate, "--ca-file", str(folder / "ca.pem"), *client)
        compare("pulled over TLS with certificates", stored(binary, secure), truth)
        careless = str(folder / "careless")
        nines(binary, "--store", careless, *gate, "--insecure", *client)
        compare("pulled over TLS from whoever answers", stored(binary, careless), truth)
        unknown = subprocess.run([binary, "--store", secure, *gate, *client], capture_output=True, text=True)
        assert unknown.returncode != 0 and "Say whose certificates to trust (--ca-file)" in unknown.stderr, unknown.stderr
    finally:
        prometheus.stop()
    dump = folder / "dump.txt"
    dump.write_bytes(subprocess.run(["promtool", "tsdb", "dump", str(folder / "data")], capture_output=True, check=True).stdout)
    # What came after the compared time is no part of the truth.
    kept = [line for line in dump.read_text().splitlines() if int(line.rsplit(" ", 1)[1]) < ended * 1000]
    when = lambda line: int(line.rsplit(" ", 1)[1]) / 1000
    parts = [folder / "first.txt", folder / "second.txt"]
    parts[0].write_text("\n".join(line for line in kept if when(line) < ended - 7) + "\n")
    parts[1].write_text("\n".join(line for line in kept if when(line) >= begun + 7) + "\n")
    files = str(folder / "files")
    for part in [*parts, parts[0]]:
        print(nines(binary, "--store", files, "ingest", "prometheus", str(part), "--mapping", str(mapping), "--slice", f"{SLICE}s"))
    compare("dumped, in two files that overlap", stored(binary, files), truth)
    if not shutil.which("victoria-metrics"):
        print("skipped: there is no program victoria-metrics (Debian package victoria-metrics)")
    else:
        victoria = Victoria(folder, kept)
        try:
            pulled, exported = str(folder / "from-victoria"), folder / "export.jsonl"
            nines(binary, "--store", pulled, "ingest", "prometheus", "--url", victoria.url, "--mapping", str(mapping),
                  "--from", str(begun), "--to", str(ended), "--slice", f"{SLICE}s")
            compare("pulled from VictoriaMetrics", stored(binary, pulled), truth)
            exported.write_bytes(victoria.ask("/api/v1/export?match[]=%7B__name__!=%22%22%7D"))
            of_lines = str(folder / "exported")
            nines(binary, "--store", of_lines, "ingest", "prometheus", str(exported), "--mapping", str(mapping), "--slice", f"{SLICE}s")
            compare("exported by VictoriaMetrics", stored(binary, of_lines), truth)
        finally:
            victoria.stop()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
