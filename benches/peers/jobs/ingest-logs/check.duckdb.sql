SELECT endpoint, status::INTEGER, sum(requests), count(DISTINCT time), epoch(min(time::TIMESTAMPTZ)), epoch(max(time::TIMESTAMPTZ)),
       sum((epoch(time::TIMESTAMPTZ)::BIGINT % 86400) * requests)::BIGINT
FROM written GROUP BY ALL
