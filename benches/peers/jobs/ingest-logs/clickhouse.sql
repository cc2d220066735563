INSERT INTO FUNCTION file($file, 'Parquet')
WITH lines AS (SELECT extractGroups(line, '^\\S+ \\S+ \\S+ \\[([^\\]]+)\\] "\\S+ ([^ ?"]+)[^"]*" (\\d{3}) ') AS f
               FROM file($input, 'LineAsString', 'line String'))
SELECT toDateTime64(toStartOfMinute(parseDateTime(f[1], '%d/%b/%Y:%H:%i:%s %z', 'UTC')), 6, 'UTC') AS time, f[2] AS endpoint,
       toInt32(f[3]) AS status, toInt64(count()) AS requests
FROM lines GROUP BY time, endpoint, status ORDER BY endpoint, status, time
SETTINGS output_format_parquet_compression_method = 'zstd'
