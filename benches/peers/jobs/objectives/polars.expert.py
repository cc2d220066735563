import datetime

import polars as pl


def answer(tables, params):
    # An endpoint without a failure loses no minute: only the minutes of the others are counted, found by a semi-join. The folders of the
    # days are known by their names.
    begin, until = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "until"))
    key = ["business", "service", "endpoint"]
    ok = pl.col("status").is_between(200, 299)
    rows = tables["requests"].filter(
        pl.col("date") >= begin.date(), pl.col("date") < until.date(), ok | (pl.col("status") >= 500), pl.col("requests") > 0
    )
    failing = rows.filter(pl.col("status") >= 500).select(key).unique()
    counts = (
        rows.join(failing, on=key, how="semi")
        .group_by(*key, "time")
        .agg(pl.when(ok).then(pl.col("requests")).otherwise(0).sum().alias("good"), pl.col("requests").sum().alias("total"))
    )
    errors = (
        counts.join(tables["objectives"], on=["service", "endpoint"])
        .filter(pl.col("good") * 1000 < pl.col("slice_target") * pl.col("total"))
        .select("business", "time")
        .unique()
    )
    first = rows.group_by("business").agg(pl.col("time").min().alias("first"))
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
