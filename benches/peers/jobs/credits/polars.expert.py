import datetime

import polars as pl

BEGIN, END = (datetime.datetime(2026, month, 1, tzinfo=datetime.timezone.utc) for month in (9, 10))


def answer(tables, params):
    # Only slices with a failure have an error rate: the other requests of these slices are found by a semi-join.
    key = ["customer", "service", "time"]
    rows = tables["requests"].filter(pl.col("time") >= BEGIN, pl.col("time") < END, pl.col("requests") > 0)
    bad = rows.filter(pl.col("status") >= 500).group_by(key).agg(pl.col("requests").sum().alias("failed"))
    good = rows.filter(pl.col("status") < 500).join(bad, on=key, how="semi").group_by(key).agg(pl.col("requests").sum().alias("good"))
    rates = (
        bad.join(good, on=key, how="left")
        .group_by("customer", "service")
        .agg((pl.col("failed") / (pl.col("failed") + pl.col("good").fill_null(0))).sum().alias("rate"))
    )
    return credits(tables["fees"], rates, params)


def credits(fees, rates, params):
    judged = (
        fees.filter(pl.col("period") == params["period"])
        .join(rates, on=["customer", "service"], how="left")
        .select(
            "customer",
            "service",
            ((pl.col("amount") - pl.col("voucher_amount")) * 100).round().cast(pl.Int64).alias("cents"),
            (1 - pl.col("rate").fill_null(0) / 172800).alias("availability"),
        )
    )
    tiers = pl.when(pl.col("availability") < 0.95).then(100).when(pl.col("availability") < 0.99).then(25)
    percent = tiers.when(pl.col("availability") < 0.9999).then(10).otherwise(0)
    product = pl.col("cents") * pl.col("percent")
    # Half to even, in whole numbers.
    whole, part = product // 100, product % 100
    up = (part > 50) | ((part == 50) & (whole % 2 == 1))
    return (
        judged.with_columns(percent.cast(pl.Int64).alias("percent"))
        .select("customer", "service", "availability", "percent", ((whole + up.cast(pl.Int64)) / 100).alias("amount"))
        .collect(engine="streaming")
    )
