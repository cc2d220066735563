#!/usr/bin/env python3
"""Makes benchmark history: aggregates of requests as one Parquet file for `nines ingest requests`.

Usage: history.py OUT.parquet [SERIES] [DAYS]   (needs `pip install duckdb`)

By default 200 series x 90 days x 1440 minutes: 25,920,000 rows. A series is an endpoint of one of 20 services with its
status; every fifth series is one of failures, present in every minute so that the number of rows is exact. Counts
are drawn from a hash of series and minute: the same file every time. Rows come by time, as a collector delivers them.
"""
import sys
import time

import duckdb

out = sys.argv[1]
series = int(sys.argv[2]) if len(sys.argv) > 2 else 200
days = int(sys.argv[3]) if len(sys.argv) > 3 else 90

begun = time.time()
db = duckdb.connect()
db.execute("SET preserve_insertion_order = true")
# An endpoint fails hard for seven minutes now and then, and otherwise loses at most 3 of about 1,000 requests.
db.execute(f"""
    COPY (
        SELECT to_timestamp(1767225600 + minute * 60) AS time,
               'chat' AS business,
               format('service-{{:02d}}', series % 20) AS service,
               format('/endpoint/{{:03d}}', CASE WHEN failures THEN series - 20 ELSE series END // 20) AS endpoint,
               CASE WHEN failures THEN 503 ELSE 200 END AS status,
               CASE WHEN NOT failures THEN 800 + noise % 400
                    WHEN (minute // 7) % 1009 = (series * 131) % 1009 THEN 200 + noise % 200
                    ELSE noise % 4 END::BIGINT AS requests
        FROM (SELECT minute, series, (series // 20) % 5 = 4 AS failures, hash(series, minute) % 1000003 AS noise
              FROM range({days * 1440}) AS minutes(minute), range({series}) AS all_series(series))
        ORDER BY minute, series
    ) TO '{out}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)
""")
rows = db.execute(f"SELECT count(*) FROM '{out}'").fetchone()[0]
print(f"{out}: {rows:,} rows, {series} series, {days} days, in {time.time() - begun:.1f} s")
