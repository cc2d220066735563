import polars as pl
from steps import LOST, PAIR, counts


def answer(tables, params):
    judged = counts(tables["requests"]).filter(pl.col("total") > 0).group_by(PAIR)
    return judged.agg((1 - LOST.sum() / pl.len()).alias("slo"), (60 * LOST.sum()).alias("seconds")).collect(engine="streaming")
