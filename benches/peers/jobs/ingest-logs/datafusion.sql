CREATE EXTERNAL TABLE log (line VARCHAR) STORED AS CSV LOCATION $input
OPTIONS ('format.has_header' 'false', 'format.delimiter' E'\x01', 'format.quote' E'\x02');
COPY (
    WITH fields AS (SELECT regexp_match(line, '^\S+ \S+ \S+ \[([^\]]+)\] "\S+ ([^ ?"]+)[^"]*" (\d{3}) ') AS f FROM log)
    SELECT date_trunc('minute', to_timestamp(f[1], '%d/%b/%Y:%H:%M:%S %z')) AS time, f[2] AS endpoint, CAST(f[3] AS INT) AS status,
           count(*) AS requests
    FROM fields GROUP BY 1, 2, 3 ORDER BY endpoint, status, time)
TO $file STORED AS PARQUET OPTIONS ('format.compression' 'zstd(3)')
