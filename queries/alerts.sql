-- When burn-rate alerts would have fired, how fast the budget burned, and how long until they cleared.
-- Parameters: from, to.
SELECT service,
       objective,
       factor,
       fired,
       cleared,
       peak_burn_rate,
       business
FROM burn_alerts($from, $to)
ORDER BY fired, service, objective, factor DESC;
