-- How long incidents take to be detected, located, fixed and verified, beside the recovery that was measured.
-- Parameters: from, to.
--
-- Means in seconds, each over the incidents that say both times: the column beside it says how many. incident_mttr is the
-- mean length of the incidents that ended (verified, else fixed); the others are open. The phases add up to it where
-- every incident says every time.
SELECT service,
       incidents,
       incidents - incident_mttr_n AS open,
       round(mtti)           AS mtti,
       mtti_n,
       round(mttk)           AS mttk,
       mttk_n,
       round(mttf)           AS mttf,
       mttf_n,
       round(mttv)           AS mttv,
       mttv_n,
       round(incident_mttr)  AS incident_mttr,
       incident_mttr_n,
       round(mttr)           AS mttr,
       failures,
       business
FROM report($from, $to, 'service')
WHERE incidents > 0
ORDER BY incident_mttr DESC NULLS LAST, service;
