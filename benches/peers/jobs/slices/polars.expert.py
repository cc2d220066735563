import polars as pl


def answer(tables, params):
    # An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
    pair = ["service", "endpoint"]
    requests = tables["requests"].select(*pair, "time", "status", "requests").filter(pl.col("requests") > 0)
    failing = requests.filter(pl.col("status") >= 500).select(pair).unique()
    good = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
    counts = (
        requests.join(failing, on=pair, how="semi")
        .group_by(*pair, "time")
        .agg(good.sum().alias("good"), pl.col("requests").sum().alias("total"))
    )
    lost = pl.col("good") * 100 < 99 * pl.col("total")
    judged = counts.group_by(pair).agg(pl.len().alias("minutes"), lost.sum().cast(pl.Int64).alias("errors"))
    everyone = requests.select(pair).unique().join(judged, on=pair, how="left")
    errors = pl.col("errors").fill_null(0)
    return everyone.select(
        *pair, (1 - errors / pl.col("minutes").fill_null(1)).alias("slo"), (60 * errors).alias("seconds")
    ).collect(engine="streaming")
