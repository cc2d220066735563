import datetime

import polars as pl
from steps import credits

BEGIN, END = (datetime.datetime(2026, month, 1, tzinfo=datetime.timezone.utc) for month in (9, 10))


def answer(tables, params):
    # The error rate of a slice is failed / valid; the availability is 1 - the mean of it over all 172,800 slices of the month.
    key = ["customer", "service"]
    rows = tables["requests"].filter(pl.col("time") >= BEGIN, pl.col("time") < END)
    failed = pl.when(pl.col("status") >= 500).then(pl.col("requests")).otherwise(0)
    slices = rows.group_by(*key, "time").agg(failed.sum().alias("failed"), pl.col("requests").sum().alias("valid"))
    rates = slices.filter(pl.col("valid") > 0).group_by(key).agg((pl.col("failed") / pl.col("valid")).sum().alias("rate"))
    return credits(tables["fees"], rates, params["period"]).collect(engine="streaming")
