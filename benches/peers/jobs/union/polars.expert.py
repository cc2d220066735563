import polars as pl
from steps import LOST, PAIR, failing_counts, figures


def answer(tables, params):
    requests = tables["requests"].select(*PAIR, "time", "status", "requests").filter(pl.col("requests") > 0)
    errors = failing_counts(requests).filter(LOST).select("service", "time", pl.lit(True).alias("error")).unique()
    minutes = requests.select("service", "time").unique().join(errors, on=["service", "time"], how="left")
    return figures(minutes.with_columns(pl.col("error").fill_null(False))).collect(engine="streaming")
