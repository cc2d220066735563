"""Metrics of OpenTelemetry, written by its own messages; what Nines stores of them must be what the simulated service did, minute by minute.

Usage: otlp.py NINES

Instances report requests as a sum, a histogram in milliseconds and an exponential histogram in seconds, cumulative and delta. One
exports on whole minutes, one across them, one begins before the first file and is restarted, one begins late. Truth is the list of
requests, never a counter. Needs opentelemetry-proto and zstandard.
"""

import csv
import io
import json
import math
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import zstandard
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

BEGIN = 1_791_979_200  # 2026-10-14 12:00
MINUTES = 20
BOUNDS = [5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0]
DELTA, CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


class Instance:
    """When a process begins and ends, when it exports, and what it did, drawn once."""

    def __init__(self, name: str, region: str, runs: list[tuple[float, float]], every: float, phase: float, scale: int):
        self.name, self.region, self.scale = name, region, scale
        draw = random.Random(name)
        # Of each run: its beginning, its exports, its requests as (time, status, seconds).
        self.runs = []
        for begin, end in runs:
            exports = [phase + n * every for n in range(int((end - phase) / every) + 1) if begin < phase + n * every < end]
            exports.append(end)
            requests, at = [], begin
            while (at := at + draw.expovariate(1 / 1.7)) < end:
                took = 2 ** ((draw.randrange(-300, 100) + draw.uniform(0.1, 0.9)) / 32)
                requests.append((at, 500 if draw.random() < 0.07 else 200, took))
            self.runs.append((begin, exports, requests))


def instances() -> list[Instance]:
    end = BEGIN + MINUTES * 60
    return [
        Instance("whole-minutes", "eu", [(BEGIN + 1, end)], 15, BEGIN, 6),
        Instance("across-minutes", "eu", [(BEGIN + 3.5, end - 11)], 40, BEGIN + 7, 5),
        Instance("restarted", "us", [(BEGIN - 500, BEGIN + 301.25), (BEGIN + 307, BEGIN + 900), (BEGIN + 900.5, end - 1)], 30, BEGIN + 12.25, 7),
        Instance("late", "us", [(BEGIN + 431, end - 40)], 60, BEGIN + 29, 5),
    ]


def nanos(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1_000


def index(took: float, scale: int) -> int:
    return math.ceil(math.log2(took) * 2**scale) - 1


def message(instance: Instance, start: float, time: float, requests, temporality) -> ExportMetricsServiceRequest:
    """What an export says of requests since `start`."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()

    def attribute(to, key, value):
        pair = to.attributes.add(key=key)
        setattr(pair.value, "int_value" if isinstance(value, int) else "string_value", value)

    for key, value in [("service.name", "shop"), ("service.instance.id", instance.name), ("cloud.region", instance.region)]:
        attribute(resource.resource, key, value)
    scope = resource.scope_metrics.add()
    scope.scope.name = "simulated"
    of_status = defaultdict(list)
    for _, status, took in requests:
        of_status[status].append(took)

    def points(name: str, unit: str, kind: str):
        metric = scope.metrics.add(name=name, unit=unit)
        of = getattr(metric, kind)
        of.aggregation_temporality = temporality
        if kind == "sum":
            of.is_monotonic = True
        for status, took in sorted(of_status.items()):
            point = of.data_points.add(start_time_unix_nano=nanos(start), time_unix_nano=nanos(time))
            attribute(point, "http.response.status_code", status)
            yield point, took

    for point, took in points("http.requests", "{request}", "sum"):
        point.as_int = len(took)
    for point, took in points("http.took", "ms", "histogram"):
        point.count, point.sum = len(took), math.fsum(took) * 1000
        point.explicit_bounds.extend(BOUNDS)
        counts = Counter(next((at for at, bound in enumerate(BOUNDS) if one * 1000 <= bound), len(BOUNDS)) for one in took)
        point.bucket_counts.extend(counts[at] for at in range(len(BOUNDS) + 1))
    for point, took in points("http.took.exponential", "s", "exponential_histogram"):
        point.count, point.sum, point.scale = len(took), math.fsum(took), instance.scale
        counts = Counter(index(one, instance.scale) for one in took)
        point.positive.offset = min(counts)
        point.positive.bucket_counts.extend(counts[at] for at in range(min(counts), max(counts) + 1))
    gauge = scope.metrics.add(name="queue.length").gauge.data_points.add(time_unix_nano=nanos(time))
    gauge.as_double = len(requests) % 7
    return request


def messages(temporality) -> list[tuple[float, ExportMetricsServiceRequest]]:
    """Exports from the beginning of the files on, in order."""
    all_exports = []
    for instance in instances():
        for begin, exports, requests in instance.runs:
            before = begin
            for time in exports:
                since = before if temporality == DELTA else begin
                seen = [request for request in requests if since < request[0] <= time]
                if time > BEGIN:
                    all_exports.append((time, message(instance, since, time, seen, temporality)))
                before = time
    return sorted(all_exports, key=lambda export: export[0])


def truth(temporality):
    """By minute and status: requests, requests within each bound, buckets of scale 5, seconds; and requests by minute and region."""
    counts, within, buckets, seconds, regions = Counter(), Counter(), Counter(), defaultdict(float), Counter()
    for instance in instances():
        for begin, exports, requests in instance.runs:
            for at, status, took in requests:
                export = next(time for time in exports if time >= at)
                first = next(time for time in exports if time > BEGIN)
                # A process that began before the files is counted from its first export on; of a delta that one, too.
                if export <= BEGIN or temporality == CUMULATIVE and begin < BEGIN and export == first:
                    continue
                minute = (math.ceil(export * 1e6) - 1) // 60_000_000 * 60
                counts[minute, status] += 1
                regions[minute, instance.region] += 1
                seconds[minute, status] += took
                buckets[minute, status, index(took, 5)] += 1
                for bound in BOUNDS:
                    within[minute, status, bound] += took * 1000 <= bound
    return counts, +within, buckets, seconds, regions


MAPPING = """
requests:
  - counter: http.requests
    endpoint: sum
    status: {label: http.response.status_code}
    labels: {region: {label: cloud.region}}
    newSeries: zero
  - histogram: http.took
    endpoint: classic
    status: {label: http.response.status_code}
    newSeries: zero
  - histogram: http.took.exponential
    endpoint: exponential
    status: {label: http.response.status_code}
    newSeries: zero
gauges:
  - {gauge: 'queue.length{service.name="shop"}', name: queue, endpoint: {label: service.instance.id}}
"""


def nines(binary: str, *arguments: str) -> str:
    done = subprocess.run([binary, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def stored(binary: str, store: str):
    query = (
        "SELECT CAST(EXTRACT(EPOCH FROM time) AS BIGINT) AS minute, endpoint, status, requests, latency_sum, latency, latency_le, "
        "labels['region'] AS region, service FROM requests"
    )
    counts, within, buckets, seconds, regions = Counter(), Counter(), Counter(), defaultdict(float), Counter()
    by_form = defaultdict(Counter)
    for line in nines(binary, "--store", store, "sql", query, "--format", "jsonl").splitlines():
        row = json.loads(line)
        assert row["service"] == "shop"
        minute, status = int(row["minute"]), row["status"]
        by_form[row["endpoint"]][minute, status] += row["requests"]
        if row["endpoint"] == "sum":
            regions[minute, row["region"]] += row["requests"]
        for count in row["latency_le"] or []:
            within[minute, status, count["le"] / 1000] += count["count"]
        for bucket in (row["latency"] or {"buckets": []})["buckets"]:
            buckets[minute, status, bucket["bucket"]] += bucket["count"]
        if row["endpoint"] == "exponential":
            seconds[minute, status] += row["latency_sum"] or 0
    forms = {form: +counts for form, counts in by_form.items()}
    assert forms["sum"] == forms["classic"] == forms["exponential"], {form: sum(counts.values()) for form, counts in forms.items()}
    return forms["sum"], +within, +buckets, seconds, +regions


def compare(what: str, found, expected):
    for name, ours, theirs in zip(["requests", "thresholds", "buckets", "seconds", "regions"], found, expected):
        if name == "seconds":
            off = {key: (ours.get(key), value) for key, value in theirs.items() if abs(ours.get(key, 0) - value) > 1e-4}
            assert not off, f"{what}: {name}: {off}"
            continue
        differ = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
        assert not differ, f"{what}: {name} differ (ours, truth): {dict(list(differ.items())[:5])}"
    print(f"{what}: {sum(expected[0].values())} requests, as the service did them")


def json_lines(requests) -> bytes:
    # As the collector writes it: enums are numbers, 64 bits are texts.
    lines = [MessageToJson(request, use_integers_for_enums=True, indent=None) for request in requests]
    return ("\n".join(lines) + "\n").encode()


def framed(requests, packed=lambda bytes: bytes, written=lambda request: request.SerializeToString()) -> bytes:
    parts = [packed(written(request)) for request in requests]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def main() -> int:
    binary = str(Path(sys.argv[1]).resolve())
    zstd = zstandard.ZstdCompressor().compress
    encodings = {
        "JSON lines": json_lines,
        "protobuf behind lengths": framed,
        "protobuf behind lengths, packed": lambda requests: framed(requests, zstd),
        "JSON behind lengths, packed": lambda requests: framed(requests, zstd, lambda request: json_lines([request])),
        "JSON lines, the file packed": lambda requests: zstd(json_lines(requests)),
    }
    with tempfile.TemporaryDirectory(prefix="nines-otlp-") as folder:
        folder = Path(folder)
        (folder / "mapping.yaml").write_text(MAPPING)
        for temporality, name in [(CUMULATIVE, "cumulative"), (DELTA, "delta")]:
            expected, exports = truth(temporality), [export for _, export in messages(temporality)]
            half = len(exports) * 2 // 5
            for number, (encoding, write) in enumerate(encodings.items()):
                what = f"{name}, {encoding}"
                store, file = str(folder / f"{name}-{number}"), folder / "metrics"
                ingest = [binary, "--store", store, "ingest", "otlp", str(file), "--mapping", str(folder / "mapping.yaml")]
                file.write_bytes(write(exports[:half]))
                nines(*ingest)
                # The file has grown; then nothing is new.
                file.write_bytes(write(exports))
                said = nines(*ingest)
                assert "warning" not in said, said
                compare(what, stored(binary, store), expected)
                assert "nothing new" in nines(*ingest)
                compare(f"{what}, again", stored(binary, store), expected)
            # Out of order, each message twice, in one message and in many files.
            shuffled = random.Random(3).sample(exports * 2, len(exports) * 2)
            whole = ExportMetricsServiceRequest()
            for export in shuffled:
                whole.MergeFrom(export)
            files = [folder / "one.pb"]
            files[0].write_bytes(whole.SerializeToString())
            store = str(folder / f"{name}-message")
            nines(binary, "--store", store, "ingest", "otlp", str(files[0]), "--mapping", str(folder / "mapping.yaml"))
            compare(f"{name}, one message of protobuf", stored(binary, store), expected)
            store, parts = str(folder / f"{name}-files"), []
            for part in range(5):
                parts.append(str(folder / f"part-{part}"))
                Path(parts[-1]).write_bytes((json_lines if part % 2 else framed)(shuffled[part::5]))
            said = nines(binary, "--store", store, "ingest", "otlp", *parts, "--mapping", str(folder / "mapping.yaml"))
            assert "OTLP as JSON, 2 files" in said and "OTLP as protobuf behind lengths, 3 files" in said, said
            compare(f"{name}, five files in any order", stored(binary, store), expected)
            query = "SELECT sum(samples) AS samples FROM gauges"
            rows = list(csv.DictReader(io.StringIO(nines(binary, "--store", store, "sql", query, "--format", "csv"))))
            assert int(rows[0]["samples"]) == len(exports), rows
    return 0


if __name__ == "__main__":
    sys.exit(main())
