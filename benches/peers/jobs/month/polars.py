import datetime

import polars as pl
from steps import counts, figures, minutes


def answer(tables, params):
    begin, end = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "end"))
    rows = tables["requests"].filter(pl.col("service") == params["service"], pl.col("time") >= begin, pl.col("time") < end)
    return figures(minutes(counts(rows))).collect(engine="streaming")
