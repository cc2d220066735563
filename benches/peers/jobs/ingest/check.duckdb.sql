-- What was written, whoever wrote it: rows, sums, and a sum over hashes of whole rows.
SELECT count(*), sum(requests), sum(status), epoch(min(time::TIMESTAMPTZ)), epoch(max(time::TIMESTAMPTZ)),
       sum(hash(epoch(time::TIMESTAMPTZ)::BIGINT, business, service, endpoint, status::INTEGER, requests::BIGINT)::HUGEINT % 1000000007)::BIGINT
FROM written
