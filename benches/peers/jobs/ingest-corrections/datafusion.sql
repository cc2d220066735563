-- A slice of a service and endpoint that the batch names is replaced, whatever its status; all other rows stay.
CREATE EXTERNAL TABLE batch STORED AS PARQUET LOCATION $input;
COPY (SELECT r.time, r.business, r.service, r.endpoint, r.status, r.requests FROM requests r
      LEFT ANTI JOIN batch b ON r.time = b.time AND r.business = b.business AND r.service = b.service AND r.endpoint = b.endpoint
      UNION ALL SELECT time, business, service, endpoint, status, requests FROM batch
      ORDER BY business, service, endpoint, status, time)
TO $file STORED AS PARQUET OPTIONS ('format.compression' 'zstd(3)')
