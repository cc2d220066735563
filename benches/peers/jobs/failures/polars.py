import polars as pl
from steps import LOST, MTBF, MTTR, PAIR, counts, failures


def answer(tables, params):
    endpoints = counts(tables["requests"]).filter(pl.col("total") > 0).select(*PAIR, "time", LOST.alias("error"))
    services = endpoints.group_by("service", "time").agg(pl.col("error").any())
    services = services.select("service", pl.lit("").alias("endpoint"), "time", "error")
    return failures(pl.concat([endpoints, services]), PAIR).select(*PAIR, MTBF, MTTR).collect(engine="streaming")
