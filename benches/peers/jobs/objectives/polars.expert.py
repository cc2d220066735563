import datetime

import polars as pl
from steps import objectives, of_objectives


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
    errors = objectives(counts, tables["objectives"])
    first = rows.group_by("business").agg(pl.col("time").min().alias("first"))
    return of_objectives(errors, first, until).collect(engine="streaming")
