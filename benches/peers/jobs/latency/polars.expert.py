import polars as pl
from steps import figures, minutes


def answer(tables, params):
    # Bucket -65 ends at 250 ms. A row's buckets are added up as lists, before rows are grouped.
    bucket = pl.element().struct
    fast = pl.when(bucket.field("bucket") <= -65).then(bucket.field("count")).otherwise(0)
    zero, buckets = pl.col("latency").struct.field("zero"), pl.col("latency").struct.field("buckets")
    counts = (
        tables["requests"]
        .select(
            "service",
            "endpoint",
            "time",
            (zero + buckets.list.eval(fast).list.sum()).alias("good"),
            (zero + buckets.list.eval(bucket.field("count")).list.sum()).alias("total"),
        )
        .group_by("service", "endpoint", "time")
        .agg(pl.col("good", "total").sum())
    )
    return figures(minutes(counts, pl.col("good") * 10 < 9 * pl.col("total"))).collect(engine="streaming")
