#!/usr/bin/env python3
"""Runs one form of a job in one engine and prints its answer. The benchmark starts it as a process of its own.

Usage: engine.py ENGINE FORM SPECIFICATION

SPECIFICATION is JSON: `tables` by name (a folder of Parquet files `date=YYYY-MM-DD/*.parquet`, or a file), `params` that stand in the
form as $name, and `out`, the folder into which a job that writes does so ($out). Prints JSON: `rows`, and `seconds` of the query alone,
without the start of Python and the import of the engine.
"""
import datetime
import decimal
import json
import os
import re
import sys
import time


def filled(text, values):
    """SQL with values in the place of $name: numbers as they are, everything else as a literal."""

    def literal(match):
        if match[1] not in values:
            raise SystemExit(f"the form has ${match[1]}, which is not given")
        value = values[match[1]]
        return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"

    # Comments may mention anything; only what is run is filled.
    text = re.sub(r"--[^\n]*", "", text)
    return re.sub(r"\$([a-z_]+)", literal, text)


def statements(text):
    return [statement for statement in (part.strip() for part in text.split(";")) if statement]


def files(path):
    """A pattern for the files of a table."""
    return f"{path}/date=*/*.parquet" if os.path.isdir(path) else path


def plain(value):
    """A value for JSON."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    return value


def python(form):
    """What a form in Python defines. It may use what stands beside the folders of the jobs."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(form))))
    scope = {}
    exec(compile(open(form).read(), form, "exec"), scope)
    return scope


def duckdb(form, tables, values):
    import duckdb

    begun = time.perf_counter()
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for name, path in tables.items():
        read = "read_csv" if path.endswith(".csv") else "read_parquet"
        more = ", hive_partitioning = true" if os.path.isdir(path) else ""
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM {read}('{files(path)}'{more})")
    rows = []
    if form.endswith(".py"):
        return begun, python(form)["answer"](db, values)
    for statement in statements(filled(open(form).read(), values)):
        rows = db.execute(statement).fetchall()
    return begun, rows


def clickhouse(form, tables, values):
    from chdb import session

    begun = time.perf_counter()
    # A form in Python has tables of its own, where their size is measured.
    db = session.Session(values["out"]) if form.endswith(".py") else session.Session()
    db.query("SET session_timezone = 'UTC', output_format_json_quote_64bit_integers = 0, output_format_json_quote_decimals = 0")
    for name, path in tables.items():
        form_at = "CSVWithNames" if path.endswith(".csv") else "Parquet"
        db.query(f"CREATE VIEW {name} AS SELECT * FROM file('{files(path)}', '{form_at}')")
    if form.endswith(".py"):
        return begun, python(form)["answer"](db, values)
    said = ""
    for statement in statements(filled(open(form).read(), values)):
        said = str(db.query(statement, "JSONCompact"))
    rows = json.loads(said)["data"] if said.strip() else []
    db.close()
    return begun, rows


def polars(form, tables, values):
    import polars

    begun = time.perf_counter()
    frames = {
        name: polars.scan_csv(path)
        if path.endswith(".csv")
        else polars.scan_parquet(files(path), hive_partitioning=os.path.isdir(path))
        for name, path in tables.items()
    }
    answer = python(form)["answer"](frames, values)
    return begun, [] if answer is None else answer.rows()


def datafusion(form, tables, values):
    import datafusion

    begun = time.perf_counter()
    context = datafusion.SessionContext(datafusion.SessionConfig({"datafusion.execution.time_zone": "UTC"}))
    for name, path in tables.items():
        if path.endswith(".csv"):
            context.register_csv(name, path)
        elif os.path.isdir(path):
            import pyarrow

            context.register_listing_table(name, path, table_partition_cols=[("date", pyarrow.date32())])
        else:
            context.register_parquet(name, path)
    rows = []
    for statement in statements(filled(open(form).read(), values)):
        batches = context.sql(statement).collect()
        rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    return begun, rows


def victoriametrics(form, tables, values):
    begun = time.perf_counter()
    return begun, python(form)["answer"](tables, values)


ENGINES = {
    "duckdb": duckdb,
    "clickhouse": clickhouse,
    "polars": polars,
    "datafusion": datafusion,
    "victoriametrics": victoriametrics,
}


def main():
    engine, form, specification = sys.argv[1:]
    specification = json.loads(specification)
    values = specification["params"] | {"out": specification["out"]}
    begun, rows = ENGINES[engine](form, specification["tables"], values)
    seconds = time.perf_counter() - begun
    json.dump({"seconds": seconds, "rows": [[plain(value) for value in row] for row in rows]}, sys.stdout)
    sys.stdout.flush()
    # The engines' threads and temporary folders end with the process; tearing them down in order takes time that is no answer's.
    os._exit(0)


main()
