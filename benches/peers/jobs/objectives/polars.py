import datetime

import polars as pl
from steps import objectives, of_objectives


def answer(tables, params):
    begin, until = (datetime.datetime.fromisoformat(params[name]) for name in ("begin", "until"))
    rows = tables["requests"].filter(pl.col("time") >= begin, pl.col("time") < until)
    ok, counted = pl.col("status").is_between(200, 299), pl.col("status").is_between(200, 299) | (pl.col("status") >= 500)
    counts = rows.group_by("business", "service", "endpoint", "time").agg(
        pl.when(ok).then(pl.col("requests")).otherwise(0).sum().alias("good"),
        pl.when(counted).then(pl.col("requests")).otherwise(0).sum().alias("total"),
    )
    errors = objectives(counts, tables["objectives"])
    first = counts.filter(pl.col("total") > 0).group_by("business").agg(pl.col("time").min().alias("first"))
    return of_objectives(errors, first, until).collect(engine="streaming")
