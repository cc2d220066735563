CREATE EXTERNAL TABLE delivered STORED AS PARQUET LOCATION $input;
COPY (SELECT * FROM delivered ORDER BY business, service, endpoint, status, time) TO $file STORED AS PARQUET
OPTIONS ('format.compression' 'zstd(3)')
;
CREATE EXTERNAL TABLE written STORED AS PARQUET LOCATION $file;
SELECT count(*), sum(requests) FROM written
