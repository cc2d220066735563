-- Business events as they are stored, whatever is promised of them: how many, and the share that went well.
SELECT service,
       name,
       sum(good)                                     AS good,
       sum(total)                                    AS total,
       sum(good) / CAST(nullif(sum(total), 0) AS DOUBLE) AS share,
       business
FROM events
GROUP BY business, service, name
ORDER BY business, service, name;
