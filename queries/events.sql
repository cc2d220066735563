-- Business events: the share that went well, and the minutes in which less than 99 % did.
SELECT service,
       name,
       sum(good)                                     AS good,
       sum(total)                                    AS total,
       error_seconds(ratio_timeline(time, good, total, 0.99))   AS error_seconds
FROM events
GROUP BY service, name
ORDER BY service, name;
