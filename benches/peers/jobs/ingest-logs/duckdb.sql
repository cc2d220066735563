COPY (
    WITH lines AS (SELECT regexp_extract(line, '^\S+ \S+ \S+ \[([^\]]+)\] "\S+ ([^ ?"]+)[^"]*" (\d{3}) ', ['time', 'endpoint', 'status']) AS f
                   FROM read_csv($input, columns = {'line': 'VARCHAR'}, header = false, delim = '\x01', quote = '', escape = '', auto_detect = false))
    SELECT date_trunc('minute', strptime(f.time, '%d/%b/%Y:%H:%M:%S %z')) AS time, f.endpoint AS endpoint, f.status::INTEGER AS status,
           count(*) AS requests
    FROM lines GROUP BY ALL ORDER BY endpoint, status, time)
TO $file (FORMAT parquet, COMPRESSION zstd)
