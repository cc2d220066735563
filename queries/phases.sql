-- How long incidents take to be detected, located, fixed and verified, beside the recovery that was measured.
-- Parameters: from, to.
--
-- Means in seconds; a phase that nobody recorded is left out of its mean. incident_mttr is the sum of the four.
SELECT service,
       incidents,
       round(mtti)           AS mtti,
       round(mttk)           AS mttk,
       round(mttf)           AS mttf,
       round(mttv)           AS mttv,
       round(incident_mttr)  AS incident_mttr,
       round(mttr)           AS mttr,
       failures
FROM report($from, $to, 'service')
WHERE incidents > 0
ORDER BY incident_mttr DESC NULLS LAST, service;
