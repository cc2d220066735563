-- A new process; the days were evaluated before.
SELECT business, slo, slo_error_time, mtbf, mttr FROM report($begin, $until, 'business')
