#!/usr/bin/env python3
"""Evaluates objectives ahead, as an analyst with DuckDB would keep them: the minutes that each objective lost, as Parquet.

Usage: kept.py FOLDER REQUESTS OBJECTIVES.csv   (needs `pip install duckdb`)

REQUESTS is a folder with a folder `date=YYYY-MM-DD` of Parquet files for each day, OBJECTIVES.csv is by objectives.py. Writes
FOLDER/part-YYYY-MM.parquet with objective and time, a month at a time.
"""
import os
import sys

import duckdb

folder, requests, objectives = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
for month in sorted({name[len("date="):][:7] for name in os.listdir(requests) if name.startswith("date=")}):
    db.execute(f"""
        COPY (
            WITH counts AS (SELECT service, endpoint, time, sum(requests) FILTER (status >= 500) AS bad, sum(requests) AS total
                            FROM read_parquet('{requests}/date={month}-*/*.parquet', hive_partitioning = false)
                            WHERE status BETWEEN 200 AND 299 OR status >= 500 GROUP BY ALL HAVING bad > 0)
            SELECT objective, time FROM counts JOIN read_csv('{objectives}') USING (service, endpoint)
            WHERE (total - bad) * 1000 < slice_target * total ORDER BY objective, time
        ) TO '{folder}/part-{month}.parquet' (FORMAT parquet, COMPRESSION zstd)""")
count = db.execute(f"SELECT count(*) FROM '{folder}/part-*.parquet'").fetchone()[0]
print(f"{folder}: {count:,} minutes in error")
