-- Only reads the columns that union.sql reads.
SELECT max(time), max(service), max(endpoint), sum(status), sum(requests) FROM requests
