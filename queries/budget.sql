-- What if all of a service's objectives together promised this target: would it be met, how fast is the error budget spent, how
-- much of it is left?
-- Parameters: target (as 0.999), from, to.
--
-- The budget is that of the time measured and of the time still ahead. Which slices are in error stays as it is.
SELECT service,
       slo,
       met,
       burn_rate,
       budget_remaining,
       measured_seconds,
       last_data,
       business,
       approximate
FROM report(from => $from, to => $to, by => 'service', target => $target)
ORDER BY budget_remaining, business, service;
