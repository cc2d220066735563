-- The error rate of a slice is failed / valid; the availability is 1 - the mean of it over all 172,800 slices of the month.
WITH slices AS (SELECT customer, service, time, sum(CASE WHEN status >= 500 THEN requests ELSE 0 END) AS failed, sum(requests) AS valid
                FROM requests WHERE time >= '2026-09-01T00:00:00Z'::TIMESTAMPTZ
                    AND time < '2026-10-01T00:00:00Z'::TIMESTAMPTZ GROUP BY customer, service, time),
     rates AS (SELECT customer, service, sum(CAST(failed AS DOUBLE) / valid) AS rate FROM slices WHERE valid > 0
                    GROUP BY customer, service),
     judged AS (SELECT fees.customer, fees.service, CAST(round((fees.amount - fees.voucher_amount) * 100) AS BIGINT) AS cents,
                       1 - coalesce(rate, 0) / 172800 AS availability
                FROM fees LEFT JOIN rates ON fees.customer = rates.customer AND fees.service = rates.service
                    WHERE fees.period = $period),
     credits AS (SELECT customer, service, cents, availability,
                        CASE WHEN availability < 0.95 THEN 100 WHEN availability < 0.99 THEN 25 WHEN availability < 0.9999 THEN 10
                             ELSE 0 END AS percent
                 FROM judged),
     parts AS (SELECT *, cents * percent AS product, (cents * percent) % 100 AS remainder FROM credits)
SELECT customer, service, availability, percent,
       CAST((product - remainder) // 100
            + CASE WHEN remainder > 50 OR (remainder = 50 AND (product - remainder) % 200 <> 0) THEN 1 ELSE 0 END AS DOUBLE) / 100
FROM parts
