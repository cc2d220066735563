import polars as pl
from steps import LOST, PAIR, failing_counts


def answer(tables, params):
    requests = tables["requests"].select(*PAIR, "time", "status", "requests").filter(pl.col("requests") > 0)
    judged = failing_counts(requests).group_by(PAIR).agg(pl.len().alias("minutes"), LOST.sum().cast(pl.Int64).alias("errors"))
    everyone = requests.select(PAIR).unique().join(judged, on=PAIR, how="left")
    errors = pl.col("errors").fill_null(0)
    return everyone.select(
        *PAIR, (1 - errors / pl.col("minutes").fill_null(1)).alias("slo"), (60 * errors).alias("seconds")
    ).collect(engine="streaming")
