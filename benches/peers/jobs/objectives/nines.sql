-- Figures of the union of all objectives of the business. Minutes without data are ok, from an objective's first data on (noData: ok).
SELECT business, slo, slo_error_time, mtbf, mttr FROM report($begin, $until, 'business')
