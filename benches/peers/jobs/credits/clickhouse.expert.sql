-- The error rate of a slice is failed / valid; the availability is 1 - the mean of it over all 172,800 slices of the month.
-- Only slices with a failure have an error rate: the other requests of these slices are found by a semi-join.
WITH bad AS (SELECT customer, service, time, sum(requests) AS failed
             FROM requests WHERE time >= toDateTime64('2026-09-01 00:00:00', 6, 'UTC')
                    AND time < toDateTime64('2026-10-01 00:00:00', 6, 'UTC') AND status >= 500 AND requests > 0
                    GROUP BY customer, service, time),
     good AS (SELECT customer, service, time, sum(requests) AS good
              FROM requests SEMI LEFT JOIN bad USING (customer, service, time)
              WHERE time >= toDateTime64('2026-09-01 00:00:00', 6, 'UTC')
                    AND time < toDateTime64('2026-10-01 00:00:00', 6, 'UTC') AND status < 500 GROUP BY customer, service, time),
     rates AS (SELECT customer, service, sum(CAST(failed AS Float64) / (failed + coalesce(good, 0))) AS rate
               FROM bad LEFT JOIN good USING (customer, service, time) GROUP BY customer, service),
     judged AS (SELECT fees.customer, fees.service, CAST(round((fees.amount - fees.voucher_amount) * 100) AS Int64) AS cents,
                       1 - coalesce(rate, 0) / 172800 AS availability
                FROM fees LEFT JOIN rates ON fees.customer = rates.customer AND fees.service = rates.service
                    WHERE fees.period = $period),
     credits AS (SELECT customer, service, cents, availability,
                        CASE WHEN availability < 0.95 THEN 100 WHEN availability < 0.99 THEN 25 WHEN availability < 0.9999 THEN 10
                             ELSE 0 END AS percent
                 FROM judged),
     parts AS (SELECT *, cents * percent AS product, (cents * percent) % 100 AS remainder FROM credits)
SELECT customer, service, availability, percent,
       CAST(intDiv(product - remainder, 100)
            + CASE WHEN remainder > 50 OR (remainder = 50 AND (product - remainder) % 200 <> 0) THEN 1 ELSE 0 END AS Float64) / 100
FROM parts
