-- Failures of at least five minutes for which nobody recorded an incident, the longest first.
-- Parameters: from, to.
SELECT scope AS service, started, seconds, objectives
FROM failures($from, $to)
WHERE incident IS NULL AND seconds >= 300
ORDER BY seconds DESC, service, started;
