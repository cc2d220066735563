#!/usr/bin/env python3
"""Makes benchmark history: aggregates of requests as Parquet files for `nines ingest requests`.

Usage: history.py FOLDER [--series N] [--days N] [--start DATE] [--seed N] [--order time|key|random] [--part-days N] [--corrections]
(needs `pip install duckdb`)

By default 200 series x 90 days x 1440 minutes: 25,920,000 rows in one file. A series is an endpoint of one of 20 services with its
status. In every fifth block of 20 series the status is 503; these rows are present in every minute, so that the number of rows is
exact. An endpoint with such a series fails hard for seven minutes every 4.9 days, and otherwise loses at most 3 of about 1,000
requests. Where the first such endpoint of a service fails, the sixth minute has no requests for the whole service: a slice without
data inside a failure. Counts are hashes of series, minute and seed: the same rows every time, with the same version of DuckDB.

--order      time: as a collector delivers (default); key: service, endpoint, status, time; random
--part-days  a file for so many days each, instead of one
--corrections  only what is corrected afterwards: of every tenth day the rows from 12:00 to 13:00, with one request more
"""
import argparse
import datetime
import os

import duckdb

# Rows are made in order of time.
ORDERS = {"time": "", "key": "ORDER BY service, endpoint, status, minute", "random": "ORDER BY hash(noise, minute, series)"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--start", type=datetime.date.fromisoformat, default=datetime.date(2026, 1, 1))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=ORDERS, default="time")
    parser.add_argument("--part-days", type=int)
    parser.add_argument("--corrections", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)

    epoch = (options.start - datetime.date(1970, 1, 1)).days * 86400
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = true")
    part = options.part_days or options.days
    for first in range(0, options.days, part):
        last = min(first + part, options.days)
        rows = f"minute // 1440 % 10 = {5 % min(10, options.days)} AND minute % 1440 // 60 = 12" if options.corrections else "true"
        more = 1 if options.corrections else 0
        db.execute(f"""
            COPY (
                SELECT to_timestamp({epoch} + minute * 60) AS time,
                       'chat' AS business,
                       format('service-{{:02d}}', series % 20) AS service,
                       format('/endpoint/{{:03d}}', CASE WHEN failures THEN series - 20 ELSE series END // 20) AS endpoint,
                       CASE WHEN failures THEN 503 ELSE 200 END AS status,
                       {more} + CASE WHEN minute % 7 = 5 AND (minute // 7) % 1009 = ((series % 20 + 80) * 131) % 1009 THEN 0
                            WHEN NOT failures THEN 800 + noise % 400
                            WHEN (minute // 7) % 1009 = (series * 131) % 1009 THEN 200 + noise % 200
                            ELSE noise % 4 END::BIGINT AS requests
                FROM (SELECT minute, series, (series // 20) % 5 = 4 AS failures,
                             hash(series, minute, {options.seed}) % 1000003 AS noise
                      FROM (SELECT number // {options.series} AS minute, number % {options.series} AS series
                            FROM range({first * 1440 * options.series}, {last * 1440 * options.series}) AS numbers(number))
                      WHERE {rows})
                {ORDERS[options.order]}
            ) TO '{options.folder}/part-{first:04d}.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)
        """)
    count = db.execute(f"SELECT count(*) FROM '{options.folder}/part-*.parquet'").fetchone()[0]
    print(f"{options.folder}: {count:,} rows")


main()
