"""Other programs read what Nines writes: `deltalake` and `polars` must see the rows and requests that `nines sql`
saw after each commit, at every version.

Usage: readers.py NINES_BINARY
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import deltalake
import polars

nines = sys.argv[1]


def run(*args):
    return subprocess.run([nines, *map(str, args)], check=True, capture_output=True, text=True).stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        # Not in a folder with a space or 业务 in its name: polars 2.1 percent-encodes such a path twice.
        store = Path(folder) / "store"
        seen = {}
        for commit in range(5):
            rows = ["time,business,service,endpoint,status,requests,latency_seconds"]
            for minute in range(0, 3000, 7):
                rows.append(f"{1_790_000_000 + (minute + commit * 500) * 60},业务,login,/e{minute % 3},200,{commit + 1},0.{minute % 9 + 1}")
            file = Path(folder) / f"{commit}.csv"
            file.write_text("\n".join(rows) + "\n")
            run("--store", store, "ingest", "requests", file, "--source", f"commit-{commit}")
            shown = run("--store", store, "sql", "--format", "csv", "SELECT count(*), sum(requests) FROM requests")
            version = deltalake.DeltaTable(str(store / "requests")).version()
            seen[version] = tuple(map(int, shown.splitlines()[1].split(",")))
        assert len(seen) == 5, seen
        for version, expected in seen.items():
            table = str(store / "requests")
            delta = polars.from_arrow(deltalake.DeltaTable(table, version=version).to_pyarrow_table())
            direct = polars.read_delta(table, version=version)
            for frame in (delta, direct):
                found = (frame.height, frame["requests"].sum())
                assert found == expected, (version, found, expected)
            assert direct["business"].unique().to_list() == ["业务"]
            counts = direct.select(polars.col("latency").struct.field("buckets").list.eval(polars.element().struct.field("count")).list.sum())
            assert counts.to_series().sum() == expected[1], "histograms count every request"
        print(f"{len(seen)} versions agree: {seen}")


main()
