-- Every objective against its target: how it was, where it is going, what to think about next.
-- Parameters: from, to (some weeks, for a trend).
--
-- The trend is the change of the figure per week (Theil–Sen); low and high are its 95 % confidence interval.
SELECT service,
       objective,
       vela,
       target,
       actual,
       trend,
       trend_low   AS low,
       trend_high  AS high,
       verdict,
       advice,
       measured_seconds,
       assumed_seconds,
       lost_seconds,
       last_data,
       business
FROM review($from, $to)
ORDER BY difference, service, objective;
