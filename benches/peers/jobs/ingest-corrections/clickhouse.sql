-- A slice of a service and endpoint that the batch names is replaced, whatever its status; all other rows stay.
INSERT INTO FUNCTION file($file, 'Parquet')
SELECT * FROM (
    SELECT time, business, service, endpoint, status, requests FROM requests
    ANTI LEFT JOIN (SELECT DISTINCT time, business, service, endpoint FROM file($input, 'Parquet')) AS batch
    USING (time, business, service, endpoint)
    UNION ALL SELECT time, business, service, endpoint, status, requests FROM file($input, 'Parquet'))
ORDER BY business, service, endpoint, status, time
SETTINGS output_format_parquet_compression_method = 'zstd'
