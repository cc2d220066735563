import polars as pl


def answer(tables, params):
    good = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
    slices = tables["requests"].group_by("service", "endpoint", "time").agg(good.sum().alias("good"), pl.col("requests").sum().alias("total"))
    error = pl.col("good") * 100 < 99 * pl.col("total")
    return (
        slices.filter(pl.col("total") > 0)
        .group_by("service", "endpoint")
        .agg((1 - error.sum() / pl.len()).alias("slo"), (60 * error.sum()).alias("seconds"))
        .collect(engine="streaming")
    )
