-- Bucket i ends at 2^((i+1)/32) seconds; the zero count lies below all of them. The rank is the first that nine in ten do not exceed.
WITH buckets AS (SELECT service, time::DATE AS day, unnest(latency.buckets) AS b FROM requests),
     zeros AS (SELECT service, time::DATE AS day, sum(latency.zero) AS zero FROM requests GROUP BY service, time::DATE),
     merged AS (SELECT service, day, power(2, (b.bucket + 1) / 32.0) AS bound, sum(b.count) AS count
                FROM buckets GROUP BY service, day, b.bucket
                UNION ALL SELECT service, day, 0::DOUBLE AS bound, zero AS count FROM zeros WHERE zero > 0),
     ranked AS (SELECT service, day, bound, sum(count) OVER (PARTITION BY service, day ORDER BY bound) AS upto,
                       sum(count) OVER (PARTITION BY service, day) AS total
                FROM merged)
SELECT service, day::VARCHAR, min(bound) FROM ranked WHERE upto * 10 >= total * 9 GROUP BY service, day
