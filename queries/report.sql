-- Every service over a range, all its objectives together: how much of the time were all of them met, how often does it
-- fail, how fast does it recover, what is left of its error budget?
-- Parameters: from, to (instants or dates).
--
-- A minute that two objectives lost counts once. Times are seconds. A service without a target has no budget.
SELECT business,
       service,
       slo,
       slo_error_time,
       round(mtbf)                 AS mtbf,
       round(mttr)                 AS mttr,
       target,
       round(budget_remaining, 3)  AS budget_remaining
FROM report($from, $to, 'service')
ORDER BY business, service;
