-- Incidents in which no objective failed: was it none, or does nothing measure what users felt?
-- Parameters: from, to.
SELECT id, service, title, severity, started, fixed, business
FROM incidents
WHERE started >= $from AND started < $to AND NOT withdrawn
  AND id NOT IN (SELECT unnest(incidents) FROM failures($from, $to))
ORDER BY started, id;
