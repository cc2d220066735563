-- Business events as they are stored, whatever is promised of them: how many, and the share that went well.
SELECT service,
       name,
       sum(good)                                     AS good,
       sum(total)                                    AS total,
       sum(good) / CAST(nullif(sum(total), 0) AS DOUBLE) AS share
FROM events
GROUP BY service, name
ORDER BY service, name;
