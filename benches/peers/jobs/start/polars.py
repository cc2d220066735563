import polars as pl


def answer(tables, params):
    return pl.select(pl.lit(1))
