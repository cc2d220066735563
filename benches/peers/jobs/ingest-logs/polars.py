import polars as pl


def answer(tables, params):
    lines = pl.scan_csv(
        params["input"], has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String}, infer_schema=False
    )
    fields = pl.col("line").str.extract_groups(r'^\S+ \S+ \S+ \[([^\]]+)\] "\S+ ([^ ?"]+)[^"]*" (\d{3}) ').struct
    instant = pl.col("1").str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC").dt.truncate("1m")
    rows = (
        lines.select(fields.field("1", "2", "3"))
        .group_by(instant.alias("time"), pl.col("2").alias("endpoint"), pl.col("3").cast(pl.Int32).alias("status"))
        .agg(pl.len().cast(pl.Int64).alias("requests"))
        .sort("endpoint", "status", "time")
    )
    rows.sink_parquet(params["file"], compression="zstd", engine="streaming")
