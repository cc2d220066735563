-- The failures of one service: when each began, when the service had recovered for five minutes, how long it was
-- in error in between.
-- Parameters: service.
SELECT failure['started']                                                      AS started,
       failure['ended']                                                        AS ended,
       error_seconds(clip(t, failure['started'], failure['ended']))            AS error_seconds
FROM (SELECT t, unnest(failure_intervals(t, 300)) AS failure
      FROM (SELECT ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
            FROM requests
            WHERE service = $service) AS service) AS failures
ORDER BY started;
