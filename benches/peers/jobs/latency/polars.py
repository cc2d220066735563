import polars as pl
from steps import figures, minutes


def answer(tables, params):
    # Bucket -65 ends at 250 ms.
    bucket = pl.col("buckets").struct
    fast = pl.when(bucket.field("bucket") <= -65).then(bucket.field("count")).otherwise(0)
    counts = (
        tables["requests"]
        .select("service", "endpoint", "time", pl.col("latency").struct.field("zero", "buckets"))
        .explode("buckets")
        .group_by("service", "endpoint", "time")
        .agg((fast.sum() + pl.col("zero").first()).alias("good"), (bucket.field("count").sum() + pl.col("zero").first()).alias("total"))
    )
    return figures(minutes(counts, pl.col("good") * 10 < 9 * pl.col("total"))).collect(engine="streaming")
