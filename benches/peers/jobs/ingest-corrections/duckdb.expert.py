import os


def answer(db, params):
    # $out holds a copy of the stored days: only the days that the batch touches are written anew, one at a time, each to a new file.
    batch = f"read_parquet('{params['input']}')"
    columns = "time, business, service, endpoint, status, requests"
    for (date,) in db.execute(f"SELECT DISTINCT time::DATE::VARCHAR FROM {batch} ORDER BY 1").fetchall():
        folder = f"{params['out']}/date={date}"
        os.makedirs(folder, exist_ok=True)
        before = [f"{folder}/{name}" for name in os.listdir(folder)]
        stored = f"SELECT {columns} FROM read_parquet({before}, hive_partitioning = false)" if before else f"SELECT {columns} FROM {batch} LIMIT 0"
        db.execute(f"""
            COPY (WITH incoming AS (SELECT {columns} FROM {batch} WHERE time >= '{date} 00:00:00Z'::TIMESTAMPTZ
                                                                   AND time < '{date} 00:00:00Z'::TIMESTAMPTZ + INTERVAL 1 DAY),
                       stored AS ({stored})
                  SELECT {columns} FROM stored ANTI JOIN (SELECT DISTINCT time, business, service, endpoint FROM incoming)
                                                USING (time, business, service, endpoint)
                  UNION ALL SELECT {columns} FROM incoming ORDER BY business, service, endpoint, status, time)
            TO '{folder}/new.parquet' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)""")
        for path in before:
            os.remove(path)
    return []
