"""Counts as series of VictoriaMetrics: a sample of the metric `requests` for each row, with the key as labels."""
import json
import shutil
import socket
import subprocess
import time
import urllib.request

import pyarrow.compute as pc
import pyarrow.parquet as pq


def answer(tables, params):
    program = shutil.which("victoria-metrics") or shutil.which("victoria-metrics-prod")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        [program, f"-storageDataPath={params['out']}", f"-httpListenAddr={url[7:]}", "-retentionPeriod=100y"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(url)
        for body in series(params["input"]):
            ask(f"{url}/api/v1/import", body)
        ask(f"{url}/internal/force_flush")
        ask(f"{url}/internal/force_merge")
        # The export says every sample that is stored.
        samples = total = 0
        with urllib.request.urlopen(f"{url}/api/v1/export?match[]=requests", timeout=600) as lines:
            for line in lines:
                values = json.loads(line)["values"]
                samples, total = samples + len(values), total + sum(values)
        merged(url)
    finally:
        server.terminate()
        server.wait()
    shutil.rmtree(f"{params['out']}/cache", ignore_errors=True)
    return [[samples, total]]


def series(path):
    """The rows of each key as lines of JSON, as VictoriaMetrics imports them."""
    table = pq.read_table(path)
    names = ["business", "service", "endpoint", "status"]
    table = table.sort_by([(name, "ascending") for name in [*names, "time"]])
    keys = table.group_by(names, use_threads=False).aggregate([([], "count_all")]).to_pylist()
    start = 0
    for key in keys:
        rows = table.slice(start, key["count_all"])
        start += key["count_all"]
        at = pc.divide(pc.cast(pc.cast(rows["time"], "timestamp[us]"), "int64"), 1000).to_pylist()
        labels = {"__name__": "requests"} | {name: str(key[name]) for name in names}
        yield json.dumps({"metric": labels, "values": rows["requests"].to_pylist(), "timestamps": at}).encode()


def ask(url, body=None):
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=600) as answer:
        return answer.read().decode()


def wait(url):
    for _ in range(200):
        try:
            return ask(f"{url}/health")
        except OSError:
            time.sleep(0.05)
    raise SystemExit("VictoriaMetrics does not answer")


def merged(url):
    """Waits until no merge is running."""
    quiet = 0
    for _ in range(600):
        active = [line for line in ask(f"{url}/metrics").splitlines() if line.startswith("vm_active_force_merges") or line.startswith("vm_active_merges")]
        quiet = quiet + 1 if all(float(line.rsplit(" ", 1)[1]) == 0 for line in active) else 0
        if quiet >= 5:
            return
        time.sleep(0.1)
