-- The failures of one service: when each began and when its last error ended, before five minutes without one; how long
-- it lasted (minutes that were measured) and how much of that was in error.
-- Parameters: service.
SELECT failure['started']                                                      AS started,
       failure['ended']                                                        AS ended,
       failure['seconds']                                                      AS seconds,
       error_seconds(clip(t, failure['started'], failure['ended']))            AS error_seconds
FROM (SELECT t, unnest(failure_intervals(t, 300)) AS failure
      FROM (SELECT ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
            FROM requests
            WHERE service = $service) AS service) AS failures
ORDER BY started;
