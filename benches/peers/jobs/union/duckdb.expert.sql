-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
-- Which minutes of a service have requests at all is a bit each; a failure begins where one of them lies between two minutes in error.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests SEMI JOIN failing USING (service, endpoint)
                GROUP BY service, endpoint, time),
     errors AS (SELECT DISTINCT service, epoch(time)::BIGINT // 60 AS minute FROM counts WHERE good * 100 < 99 * total),
     measured AS (SELECT service, bitstring_agg(epoch(time)::BIGINT // 60, $first, $last) AS bits
                  FROM requests WHERE requests > 0 GROUP BY service),
     runs AS (SELECT service, minute, lag(minute) OVER (PARTITION BY service ORDER BY minute) AS before FROM errors),
     begins AS (SELECT service, CASE WHEN before IS NULL THEN 1
                                    WHEN before = minute - 1 THEN 0
                                    WHEN get_bit(bits, (minute - 1 - $first)::INTEGER) = 1 THEN 1
                                    WHEN len(list_filter(range(before + 1, minute), lambda m: get_bit(bits, (m - $first)::INTEGER) = 1)) > 0
                                    THEN 1 ELSE 0 END AS begins
                FROM runs JOIN measured USING (service)),
     failures AS (SELECT service, count(*) AS errors, sum(begins) AS failures FROM begins GROUP BY service)
SELECT service, 1 - coalesce(errors, 0)::DOUBLE / bit_count(bits), 60 * coalesce(errors, 0),
       60 * (bit_count(bits) - errors)::DOUBLE / failures, 60 * errors::DOUBLE / failures
FROM measured LEFT JOIN failures USING (service)
