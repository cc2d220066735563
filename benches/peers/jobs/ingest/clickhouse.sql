INSERT INTO FUNCTION file($file, 'Parquet')
SELECT * FROM file($input, 'Parquet') ORDER BY business, service, endpoint, status, time
SETTINGS output_format_parquet_compression_method = 'zstd'
