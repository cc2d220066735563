import polars as pl
from steps import LOST, MTBF, MTTR, PAIR, failing_counts, failures


def answer(tables, params):
    requests = tables["requests"].select(*PAIR, "time", "status", "requests").filter(pl.col("requests") > 0)
    endpoints = failing_counts(requests).select(*PAIR, "time", LOST.alias("error"))
    errors = endpoints.filter(pl.col("error")).select("service", "time", "error").unique()
    services = requests.select("service", "time").unique().join(errors, on=["service", "time"], how="left")
    services = services.select("service", pl.lit("").alias("endpoint"), "time", pl.col("error").fill_null(False))
    everyone = requests.select(PAIR).unique()
    everyone = pl.concat([everyone, requests.select("service", pl.lit("").alias("endpoint")).unique()])
    counted = failures(pl.concat([endpoints, services]), PAIR)
    return everyone.join(counted, on=PAIR, how="left").select(*PAIR, MTBF, MTTR).collect(engine="streaming")
