"""Steps that several forms in Polars share. What makes a plain form differ from an expert's stands in the form."""
import datetime

import polars as pl

PAIR = ["service", "endpoint"]
GOOD = pl.when(pl.col("status") < 500).then(pl.col("requests")).otherwise(0)
# Of counts `good` and `total`.
LOST = pl.col("good") * 100 < 99 * pl.col("total")


def counts(rows):
    """Good requests and all of each endpoint and minute."""
    return rows.group_by(*PAIR, "time").agg(GOOD.sum().alias("good"), pl.col("requests").sum().alias("total"))


def failing_counts(requests):
    """The same of endpoints that have a bad request, found by a semi-join: the others lose no minute."""
    return counts(requests.join(requests.filter(pl.col("status") >= 500).select(PAIR).unique(), on=PAIR, how="semi"))


def minutes(counts, lost=LOST):
    """Whether any endpoint of a service lost a minute, of the minutes with requests."""
    return counts.filter(pl.col("total") > 0).group_by("service", "time").agg(lost.any().alias("error"))


def failures(minutes, key):
    """Of minutes with requests, by key: how many there are, how many are lost, and how many failures these make."""
    # A failure begins where the minute with requests before was not lost.
    runs = minutes.sort(*key, "time").with_columns(pl.col("error").shift(1).over(key).fill_null(False).alias("before"))
    return runs.group_by(key).agg(
        pl.len().alias("minutes"),
        pl.col("error").sum().alias("errors"),
        (pl.col("error") & ~pl.col("before")).sum().alias("failures"),
    )


SOME = pl.when(pl.col("failures") > 0).then(pl.col("failures"))
MTBF = (60 * (pl.col("minutes") - pl.col("errors")) / SOME).alias("mtbf")
MTTR = (60 * pl.col("errors") / SOME).alias("mttr")


def figures(minutes):
    """The union of a service's endpoints."""
    slo = (1 - pl.col("errors") / pl.col("minutes")).alias("slo")
    return failures(minutes, ["service"]).select("service", slo, (60 * pl.col("errors")).alias("seconds"), MTBF, MTTR)


def objectives(counts, objectives):
    """The minutes that any objective of a business lost."""
    lost = pl.col("good") * 1000 < pl.col("slice_target") * pl.col("total")
    return counts.join(objectives, on=PAIR).filter(lost).select("business", "time").unique()


def of_objectives(errors, first, until):
    """The report of each business: minutes without data are ok, so all that is not lost since the first data is."""
    begins = pl.col("time").diff().over("business").fill_null(datetime.timedelta(days=1)) > datetime.timedelta(minutes=1)
    counted = (
        errors.sort("business", "time")
        .with_columns(begins.alias("begins"))
        .group_by("business")
        .agg(pl.len().cast(pl.Int64).alias("errors"), pl.col("begins").sum().alias("failures"))
    )
    minutes = (pl.lit(until) - pl.col("first")).dt.total_minutes()
    lost = pl.col("errors").fill_null(0)
    return first.join(counted, on="business", how="left").select(
        "business",
        (1 - lost / minutes).alias("slo"),
        (60 * lost).alias("seconds"),
        (60 * (minutes - pl.col("errors")) / pl.col("failures")).alias("mtbf"),
        (60 * pl.col("errors") / pl.col("failures")).alias("mttr"),
    )


def credits(fees, rates, period):
    """What is owed, by the sum of the error rates of a month's 172,800 slices."""
    judged = (
        fees.filter(pl.col("period") == period)
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
    return judged.with_columns(percent.cast(pl.Int64).alias("percent")).select(
        "customer", "service", "availability", "percent", ((whole + up.cast(pl.Int64)) / 100).alias("amount")
    )
