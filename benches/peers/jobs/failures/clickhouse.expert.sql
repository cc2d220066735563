-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
-- Which minutes have requests at all is a bitmap; a failure begins where one of them lies between two minutes in error.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests WHERE (service, endpoint) IN (SELECT service, endpoint FROM failing)
                GROUP BY service, endpoint, time),
     lost AS (SELECT service, endpoint, groupBitmapState(toUInt32(intDiv(toUnixTimestamp(time), 60))) AS lost
                FROM counts WHERE good * 100 < 99 * total GROUP BY service, endpoint),
     bits AS (SELECT service, endpoint, groupBitmapState(toUInt32(intDiv(toUnixTimestamp(time), 60))) AS bits
              FROM requests WHERE requests > 0 GROUP BY service, endpoint),
     endpoints AS (SELECT service, endpoint, bits, lost FROM bits LEFT JOIN lost USING (service, endpoint)),
     all AS (SELECT service, endpoint, bits, lost FROM endpoints
             UNION ALL SELECT service, '' AS endpoint, groupBitmapOrState(bits) AS bits, groupBitmapOrState(lost) AS lost
                       FROM endpoints GROUP BY service),
     both AS (SELECT service, endpoint, bitmapCardinality(bits) AS minutes, bitmapCardinality(lost) AS errors,
                     arraySort(bitmapToArray(lost)) AS lost_at,
                     arrayCount((minute, before) -> before = 0 OR before < minute - 1
                                    AND (bitmapContains(bits, minute - 1)
                                         OR bitmapCardinality(bitmapSubsetInRange(bits, before + 1, minute)) > 0),
                                lost_at, arrayPopBack(arrayPushFront(lost_at, 0))) AS failures
              FROM all)
SELECT service, endpoint, 60 * (minutes - errors) / nullIf(failures, 0), 60 * errors / nullIf(failures, 0) FROM both
