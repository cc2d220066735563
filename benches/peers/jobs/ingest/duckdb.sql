COPY (SELECT * FROM read_parquet($input)
                    ORDER BY business, service, endpoint, status, time) TO $file (FORMAT parquet, COMPRESSION zstd)
