import datetime

import polars as pl
from steps import counts, figures, minutes


def answer(tables, params):
    begin, end = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "end"))
    # The folders of the days are known by their names: files of other days are not opened.
    first, last = (datetime.date.fromisoformat(params[name]) for name in ("begin_date", "end_date"))
    rows = tables["requests"].filter(pl.col("date") >= first, pl.col("date") < last)
    rows = rows.filter(pl.col("service") == params["service"], pl.col("time") >= begin, pl.col("time") < end)
    return figures(minutes(counts(rows))).collect(engine="streaming")
