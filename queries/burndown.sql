-- The error budget of each of a service's objectives, day by day: what the errors of each day cost of it, and what is left
-- at the end of the day. By time, whatever the objective's budgeting method.
-- Parameters: service, from, to (the budget's window; dates).
SELECT objective,
       CAST(day AS DATE)                                                            AS day,
       error_time,
       round(error_time / budget, 6)                                                AS spent,
       round(1 - sum(error_time / budget) OVER (PARTITION BY objective ORDER BY day), 6) AS remaining
FROM (SELECT objective,
             day,
             error_seconds(clip(timeline, day, day + INTERVAL '1 day'))             AS error_time,
             (1 - target) * measured_seconds(timeline)                              AS budget
      FROM timelines($from, $to)
      CROSS JOIN (SELECT unnest(generate_series(CAST($from AS TIMESTAMP), CAST($to AS TIMESTAMP) - INTERVAL '1 day',
                                                INTERVAL '1 day')) AS day) AS calendar
      WHERE service = $service) AS days
ORDER BY objective, day;
