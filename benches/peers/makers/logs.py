#!/usr/bin/env python3
"""Makes an access log in combined format, one request per line, in order of time.

Usage: logs.py FOLDER [LINES] [SEED]   (needs `pip install duckdb`)

By default 5,000,000 lines of 14 October 2026, of 40 paths, some with a query, and six statuses, about 170 bytes each.
"""
import os
import sys

import duckdb

folder = sys.argv[1]
lines = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
os.makedirs(folder, exist_ok=True)

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"""
    COPY (
        SELECT format('10.{{}}.{{}}.{{}} - - [{{}} +0000] "{{}} /shop/{{}}{{}} HTTP/1.1" {{}} {{}} "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"',
                      noise % 256, noise // 256 % 256, noise // 65536 % 256,
                      strftime(TIMESTAMP '2026-10-14 00:00:00' + to_microseconds((line * 86400 * 1000000::HUGEINT // {lines})::BIGINT), '%d/%b/%Y:%H:%M:%S'),
                      CASE WHEN noise % 5 = 0 THEN 'POST' ELSE 'GET' END,
                      ['cart', 'item', 'search', 'login', 'pay', 'help', 'home', 'list'][1 + noise % 8] || '/'
                          || ['view', 'edit', 'all', 'new', 'find'][1 + noise // 8 % 5],
                      CASE WHEN noise % 3 = 0 THEN '?q=' || (noise % 100000) ELSE '' END,
                      CASE WHEN noise // 64 % 500 = 0 THEN 502 ELSE [200, 200, 200, 201, 304, 404, 200, 200][1 + noise // 512 % 8] END,
                      200 + noise % 40000) AS text
        FROM (SELECT line, (hash(line, {seed}) % 4294967296)::BIGINT AS noise FROM range({lines}) AS numbers(line))
        ORDER BY line
    ) TO '{folder}/access.log' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')""")
print(f"{folder}: {lines:,} lines, {os.path.getsize(folder + '/access.log'):,} bytes")
