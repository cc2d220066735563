-- Failures for which nobody recorded an incident, the longest first.
-- Parameters: from, to, shortest (in seconds: shorter ones are left out).
SELECT scope AS service, started, seconds, objectives, business
FROM failures($from, $to)
WHERE incident IS NULL AND seconds >= CAST($shortest AS DOUBLE)
ORDER BY seconds DESC, service, started;
