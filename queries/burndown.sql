-- The error budget of each of a service's objectives, day by day: what each day cost of it, and what is left at its end, by the
-- objective's own method.
-- Parameters: service, from, to (the budget's window).
--
-- Days are those of the session's time zone. As in report(), a slice counts by the method in force at it, or by events if that is the
-- last method under which anything was measured. The last day's figure is report's budget_remaining for the same range, rounded to six
-- digits; it is NULL where the budget is 0. Composites have no rows.
SELECT objective,
       day,
       round(bad, 6)                                                                     AS bad,
       round(bad / budget, 6)                                                            AS spent,
       round(1 - sum(bad / budget) OVER (PARTITION BY objective ORDER BY day), 6)        AS remaining,
       business,
       approximate
FROM (SELECT business,
             objective,
             bool_or(approximate)                                                        AS approximate,
             CAST(date_trunc('day', time) AS DATE)                                       AS day,
             sum(CASE WHEN state NOT IN ('ok', 'error')                        THEN 0
                      WHEN method = 'Occurrences'                              THEN total - good
                      WHEN budgeting = 'RatioTimeslices' AND total > 0         THEN slice_seconds * (1 - value)
                      WHEN state = 'error'                                     THEN slice_seconds
                      ELSE 0 END)                                                        AS bad
      FROM (SELECT s.business, s.objective, s.approximate, s.time, s.state, s.good, s.total, s.value, d.slice_seconds, d.budgeting,
                   last_value(CASE WHEN s.state IN ('ok', 'error') THEN d.budgeting END) IGNORE NULLS
                     OVER (PARTITION BY s.objective ORDER BY s.time ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS method
            FROM slices($from, $to) AS s
            JOIN slos AS d
              ON d.objective = s.objective
             AND (d.effective_from IS NULL OR d.effective_from <= s.time) AND (d.effective_until IS NULL OR d.effective_until > s.time)
            WHERE s.service = $service) AS judged
      GROUP BY business, objective, day) AS days
JOIN (SELECT objective, nullif(budget, 0) AS budget FROM report($from, $to) WHERE service = $service) AS budgets USING (objective)
ORDER BY objective, day;
