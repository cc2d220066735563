-- DuckDB's own file, in the order of the store's key.
ATTACH $own AS own;
CREATE TABLE own.requests AS SELECT * FROM read_parquet($input) ORDER BY business, service, endpoint, status, time;
CHECKPOINT own;
SELECT count(*), sum(requests) FROM own.requests
