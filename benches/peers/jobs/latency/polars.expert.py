import polars as pl


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
    lost = pl.col("good") * 10 < 9 * pl.col("total")
    minutes = counts.filter(pl.col("total") > 0).group_by("service", "time").agg(lost.any().alias("error"))
    return figures(minutes).collect(engine="streaming")


def figures(minutes):
    # A failure begins where the minute with requests before was not lost.
    runs = minutes.sort("service", "time").with_columns(pl.col("error").shift(1).over("service").fill_null(False).alias("before"))
    errors, failures = pl.col("error").sum(), (pl.col("error") & ~pl.col("before")).sum()
    counted = runs.group_by("service").agg(pl.len().alias("minutes"), errors.alias("errors"), failures.alias("failures"))
    some = pl.when(pl.col("failures") > 0).then(pl.col("failures"))
    return counted.select(
        "service",
        (1 - pl.col("errors") / pl.col("minutes")).alias("slo"),
        (60 * pl.col("errors")).alias("seconds"),
        (60 * (pl.col("minutes") - pl.col("errors")) / some).alias("mtbf"),
        (60 * pl.col("errors") / some).alias("mttr"),
    )
