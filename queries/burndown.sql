-- The error budget of each of a service's objectives, day by day: what each day cost of it, and what is left at its end, by the
-- objective's own method. The last day's figure is report's budget_remaining.
-- Parameters: service, from, to (the budget's window).
SELECT objective,
       day,
       round(bad, 6)                                                                     AS bad,
       round(bad / budget, 6)                                                            AS spent,
       round(1 - sum(bad / budget) OVER (PARTITION BY objective ORDER BY day), 6)        AS remaining
FROM (SELECT s.objective,
             CAST(date_trunc('day', s.time) AS DATE)                                     AS day,
             sum(CASE WHEN s.state NOT IN ('ok', 'error') THEN 0
                      WHEN d.budgeting = 'Occurrences'    THEN s.total - s.good
                      WHEN d.budgeting = 'Timeslices'     THEN CASE s.state WHEN 'error' THEN d.slice_seconds ELSE 0 END
                      WHEN s.total > 0                    THEN d.slice_seconds * (1 - s.value)
                      ELSE CASE s.state WHEN 'error' THEN d.slice_seconds ELSE 0 END END) AS bad
      FROM slices($from, $to) AS s
      JOIN slos AS d
        ON d.objective = s.objective AND d.service = s.service
       AND (d.effective_from IS NULL OR d.effective_from <= s.time) AND (d.effective_until IS NULL OR d.effective_until > s.time)
      WHERE s.service = $service
      GROUP BY s.objective, day) AS days
JOIN (SELECT objective, nullif(budget, 0) AS budget FROM report($from, $to) WHERE service = $service) AS budgets USING (objective)
ORDER BY objective, day;
