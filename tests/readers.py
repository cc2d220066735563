"""Other programs read what Nines writes: `deltalake` and `polars` must see the rows that `nines sql` saw after each
commit, at every version: new rows, corrections that rewrite files, relabelled causes, records, beyond a checkpoint.

Usage: readers.py NINES_BINARY
"""
import json
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import deltalake
import polars

nines = sys.argv[1]
KEYS = ["time", "business", "service", "endpoint", "status", "cause", "source"]


def run(*args):
    return subprocess.run([nines, *map(str, args)], check=True, capture_output=True, text=True).stdout


def batches():
    """A name, a source and the CSV lines of each batch."""
    header = "time,business,service,endpoint,status,cause,requests,latency_seconds"
    start = 1_790_000_000 // 60 * 60

    def rows(first, step, requests, status=200, cause=""):
        for minute in range(first, first + 3000, step):
            yield f"{start + minute * 60},业务,login,/e{minute % 3},{status},{cause},{requests},0.{minute % 9 + 1}"

    yield "new", "a", [header, *rows(0, 7, 1)]
    yield "more", "b", [header, *rows(500, 7, 2)]
    yield "corrected", "a", [header, *rows(0, 21, 3)]
    yield "failed", "a", [header, *rows(0, 70, 5, 504)]
    yield "relabelled", "a", [header, *rows(0, 70, 5, 499, "client_abort")]
    yield "late", "a", [header, *rows(-10_000, 500, 6)]
    for minute in range(50):
        yield f"minute {minute}", "live", [header, f"{start + (9000 + minute) * 60},业务,login,/live,200,,{minute},0.1"]


def rows_of(frame, columns):
    frame = frame.with_columns(polars.col("time").dt.epoch("s")).select(columns)
    return sorted(map(tuple, frame.rows()))


def sha256(of):
    return hashlib.sha256(of).hexdigest()


def sealed(text, field):
    """The text gives the hash that stands in it, its digits taken as zeros."""
    hash = json.loads(text.splitlines()[0])
    hash = hash.get("commitInfo", hash)[field]
    return sha256(text.replace(hash, "0" * 64, 1).encode()) == hash


def chain(table):
    """Each entry carries its own hash and that of the one before it, and has a head that says the same; a checkpoint has a record."""
    entries = sorted((table / "_delta_log").glob("*.json"))
    for before, entry in zip([None, *entries], entries):
        text = entry.read_text()
        info = json.loads(text.splitlines()[0])["commitInfo"]
        assert info["version"] == int(entry.stem) and info["table"] == table.name and sealed(text, "entrySha256"), entry
        if before:
            assert info["previousEntrySha256"] == sha256(before.read_bytes()), entry
        head = (table / "_nines" / f"{entry.stem}.head").read_text()
        assert json.loads(head)["entrySha256"] == sha256(entry.read_bytes()) and sealed(head, "headSha256"), entry
    for checkpoint in (table / "_delta_log").glob("*.checkpoint.parquet"):
        record = (table / "_nines" / checkpoint.name.replace(".parquet", "")).read_text()
        assert json.loads(record)["checkpointSha256"] == sha256(checkpoint.read_bytes()) and sealed(record, "recordSha256")
    return len(entries)


def requests(folder, store):
    columns = [*KEYS, "requests"]
    select = "SELECT CAST(to_unixtime(time) AS BIGINT) AS time, business, service, endpoint, status, cause, source, requests FROM requests"
    table, seen, made = str(store / "requests"), {}, {}

    def look():
        out = folder / "out.parquet"
        run("--store", store, "sql", "-o", out, select)
        version = deltalake.DeltaTable(table).version()
        seen[version] = sorted(map(tuple, polars.read_parquet(out).select(columns).rows()))
        made[version] = time.time()
        return version

    def agree(versions):
        for version in versions:
            delta = polars.from_arrow(deltalake.DeltaTable(table, version=version).to_pyarrow_table())
            direct = polars.read_delta(table, version=version)
            for frame in (delta, direct):
                assert rows_of(frame, columns) == seen[version], (version, frame.height, len(seen[version]))
            counts = direct.select(polars.col("latency").struct.field("buckets").list.eval(polars.element().struct.field("count")).list.sum())
            assert counts.to_series().sum() == sum(row[-1] for row in seen[version]), "histograms count every request"

    for name, source, lines in batches():
        file = folder / f"{name}.csv"
        file.write_text("\n".join(lines) + "\n")
        run("--store", store, "ingest", "requests", file, "--source", source, "--batch", name)
        look()
    assert len(seen) == 56, len(seen)
    # Days that are over in fewer files: the same rows, and every version before it as it was.
    last = seen[max(seen)]
    run("--store", store, "compact", "requests")
    seen[deltalake.DeltaTable(table).version()] = last
    assert "as it was written" in run("--store", store, "check")
    assert list((store / "requests" / "_delta_log").glob("*.checkpoint*.parquet")), "a checkpoint after 50 commits"
    agree(seen)
    operations = [entry["operation"] for entry in deltalake.DeltaTable(table).history()]
    assert chain(store / "requests") == len(operations) == 57 + operations.count("OPTIMIZE"), operations
    assert operations.count("OPTIMIZE") > 1, operations
    print(f"{len(seen)} versions of requests agree, the last has {len(seen[max(seen)])} rows")
    # Rows deleted, an earlier version restored, old versions given up: what is retained is as it was.
    full = len(last)
    run("--store", store, "delete", "requests", "--where", "endpoint = '/e1' and status = 499", "--reason", "a test")
    deleted = look()
    assert 0 < len(seen[deleted]) < full, (len(seen[deleted]), full)
    earlier, oldest = sorted(seen)[30], sorted(seen)[40]
    run("--store", store, "restore", "requests", "--to", earlier)
    restored = look()
    assert seen[restored] == seen[earlier]
    run("--store", store, "ingest", "requests", folder / "minute 49.csv", "--source", "live", "--batch", "minute 49")
    assert len(seen[look()]) == len(seen[earlier]) + 1, "a batch that was taken back is stored when it comes again"
    told = run("--store", store, "gc", "requests", "--keep", f"{int(time.time() - made[oldest])}s")
    retained = int(told.split("versions ")[1].split()[0])
    assert oldest <= retained < restored, (told, oldest)
    look()
    assert "as it was written" in run("--store", store, "check", "requests")
    kept = [version for version in seen if version >= retained]
    agree(kept)
    refused = subprocess.run([nines, "--store", str(store), "restore", "requests", "--to", str(earlier)], capture_output=True, text=True)
    assert refused.returncode and "no longer retained" in refused.stderr, refused
    run("--store", store, "gc", "requests", "--now")
    look()
    agree([max(seen)])
    assert len(list((store / "requests" / "_delta_log").glob("*.json"))) == 2
    print(f"{len(kept)} versions agree after rows were deleted, a version restored and others given up")


def records(store):
    def sql(statement):
        return run("--store", store, "sql", "--format", "csv", statement)

    sql("INSERT INTO incidents (id, service, started) VALUES ('1', 'login', '2026-10-01T00:00:00Z'), ('2', '业务', '2026-10-02T00:00:00Z')")
    run("--store", store, "incident", "1", "--fixed", "2026-10-01T00:07:00Z")
    run("--store", store, "incident", "2", "--withdraw")
    sql("INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'login', 'EUR', 1200.5)")
    expected = {1: [("1", False, False), ("2", False, False)], 2: [("1", True, False), ("2", False, False)], 3: [("1", True, False), ("2", False, True)]}
    for version, rows in expected.items():
        table = str(store / "incidents")
        delta = polars.from_arrow(deltalake.DeltaTable(table, version=version).to_pyarrow_table())
        for frame in (delta, polars.read_delta(table, version=version)):
            found = sorted(frame.select(polars.col("id"), polars.col("fixed").is_not_null(), polars.col("withdrawn")).rows())
            assert found == rows, (version, found, rows)
    fees = polars.read_delta(str(store / "fees"))
    assert [str(amount) for amount in fees["amount"]] == ["1200.500000"], fees
    print("3 versions of incidents and the fees agree")


def labels(folder, store):
    """Labels are a column from the first row on that has some, and JSON to everybody."""
    table, file = str(store / "gauges"), folder / "gauges.csv"
    for rows, options in (("0,1,\n", ()), ("60,2,eu\n120,3,us\n", ("--label", "zone"))):
        header = "time,value,zone\n" if options else "time,value\n"
        file.write_text(header + (rows if options else rows.replace(",\n", "\n")))
        run("--store", store, "ingest", "gauges", file, "--any-time", *options)
    before = polars.read_delta(table, version=1)
    assert "labels" not in before.columns and before.height == 1, before
    for frame in (polars.read_delta(table), polars.from_arrow(deltalake.DeltaTable(table).to_pyarrow_table())):
        zones = frame.sort("time").select(polars.col("labels").str.json_path_match("$.zone")).to_series().to_list()
        assert zones == [None, "eu", "us"], zones
    told = run("--store", store, "sql", "--format", "csv", "SELECT sum FROM gauges WHERE labels['zone'] = 'eu'")
    assert told.split() == ["sum", "2.0"], told
    print("labels are JSON")


def other_writer(store):
    """What another program writes is read, and written on; so is a log that it has put a checkpoint into, or cleaned."""
    table = str(store / "events")
    insert = "INSERT INTO events (time, service, name, source, good, total) VALUES ('2026-10-01 00:0{0}', 'login', 'saved', 'a', {0}, 9)"

    def total():
        return run("--store", store, "sql", "--format", "csv", "SELECT count(*), sum(good) FROM events").split()[1]

    run("--store", store, "sql", insert.format(1))
    run("--store", store, "sql", insert.format(2))
    rows = deltalake.DeltaTable(table).to_pyarrow_table()
    at = rows.schema.get_field_index("source")
    rows = rows.set_column(at, rows.schema.field(at), [["b"] * len(rows)])
    deltalake.write_deltalake(table, rows, mode="append")
    assert total() == "4,6", total()
    # A checkpoint that nobody recorded, at an entry that is theirs.
    deltalake.DeltaTable(table).create_checkpoint()
    run("--store", store, "sql", insert.format(3))
    assert total() == "5,9", total()
    run("--store", store, "sql", insert.format(4))
    assert total() == "6,13", total()
    (store / "events" / "_delta_log" / "_last_checkpoint").unlink()
    assert total() == "6,13", total()
    for entry in range(3):
        (store / "events" / "_delta_log" / f"{entry:020}.json").unlink()
    assert total() == "6,13", total()
    # Its files stay told apart until somebody vouches for them.
    theirs = "of another Delta writer"
    run("--store", store, "compact", "events", "--upgrade")
    assert theirs in run("--store", store, "check", "events")
    run("--store", store, "compact", "events", "--adopt")
    files = deltalake.DeltaTable(table).files() if hasattr(deltalake.DeltaTable, "files") else deltalake.DeltaTable(table).file_uris()
    assert all("k2-" in file for file in files) and total() == "6,13", (files, total())
    print("what deltalake writes is read and written on")


def main():
    with tempfile.TemporaryDirectory() as folder:
        # Not in a folder with a space or 业务 in its name: polars 2.1 percent-encodes such a path twice.
        store = Path(folder) / "store"
        requests(Path(folder), store)
        records(store)
        labels(Path(folder), store)
        other_writer(store)


main()
