-- The failures of one service: when each began and when its last error ended, how long it lasted (the minutes that were measured),
-- which objectives were in error, and which incident it was.
-- Parameters: service, from, to.
SELECT started,
       ended,
       seconds,
       unmeasured_seconds,
       objectives,
       incident,
       business
FROM failures($from, $to)
WHERE service = $service
ORDER BY started, business;
