#!/usr/bin/env python3
"""Makes benchmark history with latencies: requests with a histogram in every row, as Parquet files for `nines ingest requests`.

Usage: latencies.py FOLDER [--series N] [--days N] [--start DATE] [--seed N]   (needs `pip install duckdb`)

By default 40 series x 90 days x 1440 minutes: 5,184,000 rows. A series is an endpoint of one of 10 services. A histogram has base 2
and scale 5: bucket i covers (2^(i/32), 2^((i+1)/32)] seconds. It has twelve buckets, four apart, and some requests in each, so that
every slice has slow requests, whether or not it keeps its objective. About 90 % of the requests take at most 250 ms (a bound: buckets
up to -65), a little more or less; for eleven minutes now and then an endpoint takes twice as long.
"""
import argparse
import datetime
import os

import duckdb

# Of 1,000 requests, how many are in each of the twelve buckets: a shape with a long tail. The last three are beyond 250 ms.
SHAPE = [20, 60, 130, 180, 180, 140, 95, 65, 46, 40, 28, 16]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--start", type=datetime.date.fromisoformat, default=datetime.date(2026, 1, 1))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)

    epoch = (options.start - datetime.date(1970, 1, 1)).days * 86400
    # Buckets from -100 on, four apart: bucket -68 is the ninth, the last within 250 ms.
    buckets = ", ".join(
        f"{{'bucket': (shift - {100 - 4 * i})::INTEGER, 'count': ({share} + (noise // {7 ** (i % 6) }) % {max(2, share * 2 // 5)})::BIGINT}}"
        for i, share in enumerate(SHAPE)
    )
    db = duckdb.connect()
    db.execute(f"""
        COPY (
            SELECT to_timestamp({epoch} + minute * 60) AS time, 'chat' AS business,
                   format('service-{{:02d}}', series % 10) AS service, format('/endpoint/{{:03d}}', series // 10) AS endpoint,
                   200 AS status, list_sum([bucket.count FOR bucket IN buckets])::BIGINT AS requests,
                   {{'zero': 0::BIGINT, 'buckets': buckets}} AS latency
            FROM (SELECT *, [{buckets}] AS buckets
                  FROM (SELECT minute, series, hash(series, minute, {options.seed}) % 1000003 AS noise,
                               CASE WHEN (minute // 11) % 503 = (series * 37) % 503 THEN 32 ELSE 0 END AS shift
                        FROM range({options.days * 1440}) AS minutes(minute), range({options.series}) AS all_series(series)))
            ORDER BY minute, series
        ) TO '{options.folder}/part-0000.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)
    """)
    count = db.execute(f"SELECT count(*) FROM '{options.folder}/part-*.parquet'").fetchone()[0]
    print(f"{options.folder}: {count:,} rows")


main()
