import datetime

import polars as pl


def answer(tables, params):
    begin, until = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "until"))
    rows = tables["requests"].filter(pl.col("time") >= begin, pl.col("time") < until)
    ok, counted = pl.col("status").is_between(200, 299), pl.col("status").is_between(200, 299) | (pl.col("status") >= 500)
    counts = rows.group_by("business", "service", "endpoint", "time").agg(
        pl.when(ok).then(pl.col("requests")).otherwise(0).sum().alias("good"),
        pl.when(counted).then(pl.col("requests")).otherwise(0).sum().alias("total"),
    )
    errors = (
        counts.join(tables["objectives"], on=["service", "endpoint"])
        .filter(pl.col("good") * 1000 < pl.col("slice_target") * pl.col("total"))
        .select("business", "time")
        .unique()
    )
    first = counts.filter(pl.col("total") > 0).group_by("business").agg(pl.col("time").min().alias("first"))
    return figures(errors, first, until).collect(engine="streaming")


def figures(errors, first, until):
    # Minutes without data are ok: all that is not lost since the first data is.
    begins = pl.col("time").diff().over("business").fill_null(datetime.timedelta(days=1)) > datetime.timedelta(minutes=1)
    counted = (
        errors.sort("business", "time")
        .with_columns(begins.alias("begins"))
        .group_by("business")
        .agg(pl.len().cast(pl.Int64).alias("errors"), pl.col("begins").sum().alias("failures"))
    )
    minutes = (pl.lit(until) - pl.col("first")).dt.total_minutes()
    lost = pl.col("errors").fill_null(0)
    return first.join(counted, on="business", how="left").select(
        "business",
        (1 - lost / minutes).alias("slo"),
        (60 * lost).alias("seconds"),
        (60 * (minutes - pl.col("errors")) / pl.col("failures")).alias("mtbf"),
        (60 * pl.col("errors") / pl.col("failures")).alias("mttr"),
    )
