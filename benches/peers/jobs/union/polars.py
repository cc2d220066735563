import polars as pl


def answer(tables, params):
    good = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
    counts = tables["requests"].group_by("service", "endpoint", "time").agg(good.sum().alias("good"), pl.col("requests").sum().alias("total"))
    lost = pl.col("good") * 100 < 99 * pl.col("total")
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
