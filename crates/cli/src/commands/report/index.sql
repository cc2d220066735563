-- Every owner's objectives together. In error is who is so in the last ten minutes of the range.
SELECT owner,
       slo,
       error_time,
       failures,
       CASE WHEN failing THEN 'in error'
            WHEN slo IS NULL THEN 'not measured'
            WHEN missed > 0 THEN missed || ' of ' || objectives || CASE objectives WHEN 1 THEN ' objective' ELSE ' objectives' END || ' missed'
            ELSE 'as promised' END AS state
FROM (SELECT owner,
             availability(t)  AS slo,
             error_seconds(t) AS error_time,
             failure_count(t) AS failures,
             error_seconds(clip(t, CAST($to AS TIMESTAMPTZ) - INTERVAL '10 minutes', $to)) > 0 AS failing
      FROM (SELECT owner, error_union(timeline) AS t
            FROM timelines($from, $to) JOIN owners USING (service)
            GROUP BY owner) AS unions) AS figures
JOIN (SELECT owner, count(*) AS objectives, count(*) FILTER (WHERE slo < target) AS missed
      FROM report($from, $to) JOIN owners USING (service)
      GROUP BY owner) AS promises USING (owner)
