-- A folder for each day; the second version of Parquet's encodings, delta of times among them.
COPY (SELECT *, time::DATE AS date FROM read_parquet($input) ORDER BY date, business, service, endpoint, status, time)
TO $out (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, PARTITION_BY (date), OVERWRITE_OR_IGNORE)
