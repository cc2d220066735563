-- Only reads the columns that the union reads.
SELECT date_part('epoch', max(time)) AS time, max(service) AS service, max(endpoint) AS endpoint, sum(status) AS status,
       sum(requests) AS requests
FROM requests
