"""What the benchmark prints for each job, and RESULTS.md."""
import os

from . import forms, goals, growth
from .data import SIZES
from .figures import cpu, find, inner, memory, seconds, size, times, wall
from .measure import machine

HEAD = ["form", "time", "least to most", "query alone", "processors", "peak memory", "of Nines' time", "query alone"]


def rows_of(job, results, dataset):
    """The table of a job: a row for each form, and for each engine without one the reason."""
    nines = find({job.name: results}, job.name, "nines")
    head = HEAD + (["bytes", "bytes per row"] if job.writes else [])
    rows = []
    for form, result in results:
        if result.error or result.wrong:
            rows.append([form.title, ("wrong answer: " if result.wrong else "") + (result.wrong or result.error)])
            continue
        walls = [run.wall for run in result.runs]
        row = [
            form.title,
            seconds(wall(result)),
            f"{seconds(min(walls))} to {seconds(max(walls))}" if len(walls) > 1 else "one run",
            seconds(inner(result)),
            seconds(cpu(result)),
            size(memory(result)),
            times(wall(result) / wall(nines)) if nines else "",
            times(inner(result) / wall(nines)) if nines and result.inner else "",
        ]
        if job.writes:
            row += [size(result.bytes) if result.bytes >= 1e7 else f"{result.bytes:,}", f"{result.bytes / dataset.rows:.2f}"]
        rows.append(row)
    for name, reason in job.without.items():
        engine, _, kind = name.partition(".")
        rows.append([forms.ENGINES[engine] + (", expert" if kind else ""), f"no form: {reason}"])
    return head, rows


def job_table(job, results, dataset, peers):
    """A job as text for a terminal."""
    head, rows = rows_of(job, results, dataset)
    whole = [row for row in [head, *rows] if len(row) > 2]
    widths = [max(len(row[column]) for row in whole) for column in range(len(head))]
    widths[0] = max(len(row[0]) for row in [head, *rows])
    lines = [f"\n{job.name}: {job.title} ({dataset.rows:,} rows)" if dataset.rows else f"\n{job.name}: {job.title}"]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])] if len(row) > 2 else row[1:]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row] + [""] * (len(head) - len(row))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(path, jobs, measured, sets, peers, seed, trouble):
    """RESULTS.md and the plot beside it."""
    results = {name: one.results for name, one in measured.items()}
    dates = sorted(one.since for one in measured.values())
    date = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts = [
        "# Results",
        "Written by `benches/peers/run --size full --write`; do not edit. What the jobs are: [README.md](README.md).",
        markdown(
            ["", ""],
            [["date", date], ["machine", machine()], ["seed", str(seed)]]
            + [[forms.ENGINES[engine], version] for engine, version in peers.items()],
        ),
    ]
    if trouble:
        parts.append(f"**The machine was busy ({trouble}): these times say little.**")
    parts += [
        "Times are medians of whole processes with a warm page cache, in rounds in which the forms took turns. The time of other engines "
        "has the start of Python and the import of the engine in it; `query alone` leaves both out, and is what the goals compare with. Memory is the largest peak of any run. "
        "Every form's answer was compared with that of Nines: numbers agree within 1e-9.",
        "## Goals",
        markdown(goals.HEAD, goals.rows(results, sets)),
        "## Growth",
        "Rows in range at 1×, 4× and 16×, and the same rows in a store with and without sixteen times as many rows outside of the range.",
        "![Time and memory by rows in range](growth.svg)",
        "## Jobs",
    ]
    for job in jobs:
        rows = sets[job.name].rows
        of = f" {rows:,} {'lines' if job.data == 'logs' else 'rows'}." if rows else ""
        parts += [f"### `{job.name}`: {job.title}", f"{job.what}{of}", markdown(*rows_of(job, results[job.name], sets[job.name]))]
    with open(os.path.join(os.path.dirname(path), "growth.svg"), "w") as file:
        file.write(growth.plot(results, SIZES["full"]["years"]))
    with open(path, "w") as file:
        file.write("\n\n".join(parts) + "\n")
