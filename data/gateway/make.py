#!/usr/bin/env python3
"""Makes six weeks of an API gateway's requests, counted every 15 seconds, for `nines ingest requests`.

Usage: make.py   (needs `pip install duckdb`; writes requests.parquet beside itself)

From 20 September to the end of October 2026 in Shanghai: October is judged, the days before are what lost telemetry is
estimated from. Three customers, and by minute the calls that the gateway makes to the vendor who checks logins. When it
went wrong stands in exclusions.csv and incidents.csv. Numbers are drawn from MD5 of customer and slice: the same rows
every time.
"""
from pathlib import Path

import duckdb

here = Path(__file__).parent
out = here / "requests.parquet"

db = duckdb.connect()
db.execute("SET TimeZone = 'Asia/Shanghai'")
for table, ended in [("exclusions", "ended"), ("incidents", "fixed")]:
    db.execute(f"""
        CREATE TABLE {table} AS
        SELECT id, started::TIMESTAMPTZ AS started, {ended}::TIMESTAMPTZ AS ended
        FROM read_csv('{here / table}.csv', all_varchar = true)
    """)

# Evenly distributed over [0, 1).
db.execute("""
    CREATE MACRO drawn(what, customer, slice) AS
        (md5_number_lower(format('{} {} {}', what, customer, slice)) % 1000000)::BIGINT / 1e6
""")
db.execute("CREATE MACRO bell(hour, middle, width) AS exp(-0.5 * pow((hour - middle) / width, 2))")

# What customers send. Videos are watched in the evening, a hospital works by day. Four draws make about a normal one.
db.execute("""
    CREATE TABLE received AS
    SELECT slice, time, customer, n FROM (
        SELECT slice, to_timestamp(epoch(TIMESTAMPTZ '2026-09-20 00:00') + slice * 15) AS time, customer, since,
               hour(time) + minute(time) / 60 AS oclock,
               peak * CASE customer
                   WHEN '华北医疗' THEN (0.03 + 0.95 * bell(oclock, 10, 2) + 0.7 * bell(oclock, 15.5, 2))
                                        * if(isodow(time) > 5, 0.4, 1)
                   -- An evening goes on after midnight.
                   ELSE 0.06 + 0.3 * bell(oclock, 12.5, 1.5) + 0.9 * bell(oclock, 21, 2.5) + 0.9 * bell(oclock, -3, 2.5)
                   END AS mean,
               sqrt(3) * (drawn('a', customer, slice) + drawn('b', customer, slice) + drawn('c', customer, slice)
                          + drawn('d', customer, slice) - 2) AS deviation,
               greatest(round(mean + sqrt(mean) * deviation), 0)::BIGINT AS n
        FROM range(42 * 5760) AS slices(slice),
             (VALUES ('acme', TIMESTAMPTZ '2026-09-20 00:00', 11),
                     ('nova', TIMESTAMPTZ '2026-10-12 00:00', 4),
                     ('华北医疗', TIMESTAMPTZ '2026-09-20 00:00', 8)) AS customers(customer, since, peak))
    WHERE n > 0 AND time >= since
      AND NOT EXISTS (FROM incidents WHERE id = 'GW-1' AND time >= started AND time < ended)
""")

# What the gateway lost: of whose requests (empty: of all) which share, and how it answered.
db.execute("""
    CREATE TABLE lost AS
    SELECT slice, customer, id, status, cause, floor(n * share + drawn(id, customer, slice))::BIGINT AS n
    FROM received
    JOIN (FROM exclusions UNION ALL FROM incidents) ON time >= started AND time < ended
    JOIN (VALUES ('GW-2', '', 0.6, 503, 'auth_unavailable'),
                 ('GW-3', '', 0.35, 504, 'auth_timeout'),
                 ('GW-4', '华北医疗', 0.9, 503, 'auth_unavailable'),
                 ('MNT-1', '', 1, 503, 'auth_unavailable'),
                 ('MNT-2', '', 1, 503, 'auth_unavailable'),
                 ('ATT-1', 'acme', 0.25, 504, 'auth_timeout')) AS losses(id, whose, share, status, cause)
        USING (id)
    WHERE whose IN ('', customer)
    UNION ALL
    -- The hospital points its calls at a machine that is no more.
    SELECT slice, customer, '', 502, 'user_configuration', n FROM received
    WHERE customer = '华北医疗' AND time >= '2026-10-15 09:40' AND time < '2026-10-15 11:05'
    UNION ALL
    SELECT slice, customer, '', status, cause, 1
    FROM received, (VALUES (401, 'login_expired', 0.006), (429, 'rate_limited', 0.005), (499, 'client_abort', 0.004))
                       AS noise(status, cause, often)
    WHERE drawn(cause, customer, slice) < often
""")

db.execute(f"""
    COPY (
        WITH checks AS (
            -- Each request is a login to check, but in a maintenance.
            SELECT slice // 4 * 4 AS minute, sum(n)::BIGINT AS n FROM received
            WHERE NOT EXISTS (FROM exclusions WHERE id LIKE 'MNT-%' AND time >= started AND time < ended)
            GROUP BY minute),
        unchecked AS (
            SELECT slice // 4 * 4 AS minute, sum(n)::BIGINT AS n FROM lost WHERE id IN ('GW-2', 'GW-3') GROUP BY minute),
        answers AS (
            SELECT slice, 'gateway' AS service, '/v1/invoke' AS endpoint, customer, status, cause, n FROM lost
            UNION ALL
            SELECT slice, 'gateway', '/v1/invoke', customer, 200, '', received.n - coalesce(bad, 0) FROM received
            LEFT JOIN (SELECT slice, customer, sum(n)::BIGINT AS bad FROM lost GROUP BY ALL) USING (slice, customer)
            UNION ALL
            -- In an attack, four times as many come on top and are turned away.
            SELECT slice, 'gateway', '/v1/invoke', customer, 403, 'attack', 4 * n FROM received, exclusions
            WHERE id = 'ATT-1' AND customer = 'acme' AND time >= started AND time < ended
            UNION ALL
            SELECT minute, 'logins', '/check', 'media', 503, '', n FROM unchecked
            UNION ALL
            SELECT minute, 'logins', '/check', 'media', 200, '', checks.n - coalesce(unchecked.n, 0)
            FROM checks LEFT JOIN unchecked USING (minute))
        SELECT to_timestamp(epoch(TIMESTAMPTZ '2026-09-20 00:00') + slice * 15) AS time, 'media' AS business, service,
               endpoint, customer, status, cause, sum(n)::BIGINT AS requests
        FROM answers WHERE n > 0 GROUP BY ALL
        ORDER BY service, customer, status, cause, time
    ) TO '{out}' (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 19, ROW_GROUP_SIZE 1000000)
""")
rows = db.execute(f"SELECT count(*) FROM '{out}'").fetchone()[0]
print(f"{out}: {rows:,} rows, {out.stat().st_size / 1000:.0f} kB")
