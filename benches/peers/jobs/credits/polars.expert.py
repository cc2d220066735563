import datetime

import polars as pl
from steps import credits

BEGIN, END = (datetime.datetime(2026, month, 1, tzinfo=datetime.timezone.utc) for month in (9, 10))


def answer(tables, params):
    # Only slices with a failure have an error rate: the other requests of these slices are found by a semi-join.
    key = ["customer", "service", "time"]
    rows = tables["requests"].filter(pl.col("time") >= BEGIN, pl.col("time") < END, pl.col("requests") > 0)
    bad = rows.filter(pl.col("status") >= 500).group_by(key).agg(pl.col("requests").sum().alias("failed"))
    good = rows.filter(pl.col("status") < 500).join(bad, on=key, how="semi").group_by(key).agg(pl.col("requests").sum().alias("good"))
    rates = (
        bad.join(good, on=key, how="left")
        .group_by("customer", "service")
        .agg((pl.col("failed") / (pl.col("failed") + pl.col("good").fill_null(0))).sum().alias("rate"))
    )
    return credits(tables["fees"], rates, params["period"]).collect(engine="streaming")
