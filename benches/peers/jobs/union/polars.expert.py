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
    errors = counts.filter(lost).select("service", "time", pl.lit(True).alias("error")).unique()
    minutes = requests.select("service", "time").unique().join(errors, on=["service", "time"], how="left")
    runs = (
        minutes.with_columns(pl.col("error").fill_null(False))
        .sort("service", "time")
        .with_columns(pl.col("error").shift(1).over("service").fill_null(False).alias("before"))
    )
    counted = runs.group_by("service").agg(
        pl.len().alias("minutes"),
        pl.col("error").sum().alias("errors"),
        (pl.col("error") & ~pl.col("before")).sum().alias("failures"),
    )
    some = pl.when(pl.col("failures") > 0).then(pl.col("failures"))
    return counted.select(
        "service",
        (1 - pl.col("errors") / pl.col("minutes")).alias("slo"),
        (60 * pl.col("errors")).alias("seconds"),
        (60 * (pl.col("minutes") - pl.col("errors")) / some).alias("mtbf"),
        (60 * pl.col("errors") / some).alias("mttr"),
    ).collect(engine="streaming")
