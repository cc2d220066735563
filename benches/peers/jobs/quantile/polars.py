import polars as pl


def answer(tables, params):
    # Bucket i ends at 2^((i+1)/32) seconds; the zero count lies below all of them.
    rows = tables["requests"].select("service", pl.col("time").dt.date().alias("day"), pl.col("latency").struct.field("zero", "buckets"))
    key = ["service", "day"]
    merged = (
        rows.select(*key, "buckets")
        .explode("buckets")
        .select(*key, pl.col("buckets").struct.field("bucket", "count"))
        .group_by(*key, "bucket")
        .agg(pl.col("count").sum())
        .select(*key, (2.0 ** ((pl.col("bucket") + 1) / 32)).alias("bound"), "count")
    )
    zeros = rows.group_by(key).agg(pl.col("zero").sum().alias("count")).filter(pl.col("count") > 0)
    zeros = zeros.select(*key, pl.lit(0.0).alias("bound"), "count")
    return (
        pl.concat([merged, zeros])
        .sort(*key, "bound")
        .with_columns(pl.col("count").cum_sum().over(key).alias("upto"), pl.col("count").sum().over(key).alias("total"))
        .filter(pl.col("upto") * 10 >= pl.col("total") * 9)
        .group_by(key)
        .agg(pl.col("bound").min())
        .with_columns(pl.col("day").cast(pl.String))
        .collect(engine="streaming")
    )
