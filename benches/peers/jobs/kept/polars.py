import datetime

import polars as pl


def answer(tables, params):
    # The minutes that objectives lost were kept; all other minutes of the range are ok.
    begin, until = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "until"))
    errors = tables["lost"].filter(pl.col("time") >= begin, pl.col("time") < until).select("time").unique()
    begins = pl.col("time").diff().fill_null(datetime.timedelta(days=1)) > datetime.timedelta(minutes=1)
    minutes = (until - begin) // datetime.timedelta(minutes=1)
    lost, failures = pl.len().cast(pl.Int64), begins.sum()
    some = pl.when(failures > 0).then(failures)
    return (
        errors.sort("time")
        .select(
            pl.lit("chat").alias("business"),
            (1 - lost / minutes).alias("slo"),
            (60 * lost).alias("seconds"),
            (60 * (minutes - lost) / some).alias("mtbf"),
            (60 * lost / some).alias("mttr"),
        )
        .unique()
        .collect(engine="streaming")
    )
