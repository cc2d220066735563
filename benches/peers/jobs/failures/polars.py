import polars as pl


def answer(tables, params):
    good = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
    counts = tables["requests"].group_by("service", "endpoint", "time").agg(good.sum().alias("good"), pl.col("requests").sum().alias("total"))
    lost = (pl.col("good") * 100 < 99 * pl.col("total")).alias("error")
    endpoints = counts.filter(pl.col("total") > 0).select("service", "endpoint", "time", lost)
    services = endpoints.group_by("service", "time").agg(pl.col("error").any())
    services = services.select("service", pl.lit("").alias("endpoint"), "time", "error")
    # A failure begins where the minute with requests before was not lost.
    key = ["service", "endpoint"]
    runs = (
        pl.concat([endpoints, services])
        .sort(*key, "time")
        .with_columns(pl.col("error").shift(1).over(key).fill_null(False).alias("before"))
    )
    errors, failures = pl.col("error").sum(), (pl.col("error") & ~pl.col("before")).sum()
    counted = runs.group_by(key).agg(pl.len().alias("minutes"), errors.alias("errors"), failures.alias("failures"))
    some = pl.when(pl.col("failures") > 0).then(pl.col("failures"))
    return counted.select(
        *key,
        (60 * (pl.col("minutes") - pl.col("errors")) / some).alias("mtbf"),
        (60 * pl.col("errors") / some).alias("mttr"),
    ).collect(engine="streaming")
