-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
-- Which minutes have requests at all is a bit each; a failure begins where one of them lies between two minutes in error.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests SEMI JOIN failing USING (service, endpoint)
                GROUP BY service, endpoint, time),
     lost AS (SELECT service, endpoint, epoch(time)::BIGINT // 60 AS minute FROM counts WHERE good * 100 < 99 * total),
     errors AS (SELECT service, endpoint, minute FROM lost UNION ALL SELECT DISTINCT service, '' AS endpoint, minute FROM lost),
     bits AS (SELECT service, endpoint, bitstring_agg(epoch(time)::BIGINT // 60, $first, $last) AS bits
              FROM requests WHERE requests > 0 GROUP BY service, endpoint),
     measured AS (SELECT * FROM bits UNION ALL SELECT service, '' AS endpoint, bit_or(bits) AS bits FROM bits GROUP BY service),
     runs AS (SELECT service, endpoint, minute, lag(minute) OVER (PARTITION BY service, endpoint ORDER BY minute) AS before
                    FROM errors),
     begins AS (SELECT service, endpoint, CASE WHEN before IS NULL THEN 1
                                    WHEN before = minute - 1 THEN 0
                                    WHEN get_bit(bits, (minute - 1 - $first)::INTEGER) = 1 THEN 1
                                    WHEN len(list_filter(range(before + 1, minute), lambda m: get_bit(bits, (m - $first)::INTEGER) = 1)) > 0
                                    THEN 1 ELSE 0 END AS begins
                FROM runs JOIN measured USING (service, endpoint)),
     failures AS (SELECT service, endpoint, count(*) AS errors, sum(begins) AS failures FROM begins GROUP BY service, endpoint)
SELECT service, endpoint, 60 * (bit_count(bits) - errors)::DOUBLE / failures, 60 * errors::DOUBLE / failures
FROM measured LEFT JOIN failures USING (service, endpoint)
