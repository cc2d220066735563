import datetime

import polars as pl


def answer(tables, params):
    begin, end = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "end"))
    # The folders of the days are known by their names: files of other days are not opened.
    first, last = (datetime.date.fromisoformat(params[name]) for name in ("begin_date", "end_date"))
    rows = tables["requests"].filter(pl.col("date") >= first, pl.col("date") < last)
    rows = rows.filter(pl.col("service") == params["service"], pl.col("time") >= begin, pl.col("time") < end)
    return union(rows).collect(engine="streaming")


def union(rows):
    good = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
    counts = rows.group_by("service", "endpoint", "time").agg(good.sum().alias("good"), pl.col("requests").sum().alias("total"))
    lost = pl.col("good") * 100 < 99 * pl.col("total")
    minutes = counts.filter(pl.col("total") > 0).group_by("service", "time").agg(lost.any().alias("error"))
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
