-- Parquet at its best: in the order of the store's key, the second version's encodings, zstd at its highest useful level.
COPY (SELECT * FROM read_parquet($input) ORDER BY business, service, endpoint, status, time)
TO $file (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 15, PARQUET_VERSION v2, ROW_GROUP_SIZE 1000000);
SELECT count(*), sum(requests) FROM read_parquet($file)
