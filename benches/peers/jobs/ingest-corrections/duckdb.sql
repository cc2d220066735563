-- A slice of a service and endpoint that the batch names is replaced, whatever its status; all other rows stay.
COPY (SELECT time, business, service, endpoint, status, requests FROM requests
      ANTI JOIN (SELECT DISTINCT time, business, service, endpoint
                    FROM read_parquet($input)) USING (time, business, service, endpoint)
      UNION ALL SELECT time, business, service, endpoint, status, requests FROM read_parquet($input)
      ORDER BY business, service, endpoint, status, time)
TO $file (FORMAT parquet, COMPRESSION zstd)
