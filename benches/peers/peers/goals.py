"""The goals of the project and the least that is asked, beside what was measured. The start of Python is never held against a peer."""
from dataclasses import dataclass
from typing import Callable

from .figures import alone, cpu, find, memory, seconds, size, times, wall
from .forms import PEERS

HEAD = ["what", "least", "goal", "measured", ""]


@dataclass
class Goal:
    what: str
    floor: float | None
    goal: float
    least: bool  # whether it is a least value (7 times as fast) or a most one
    show: Callable
    measure: Callable  # of results and data sets; None where something was not measured


def ratio(one, other):
    """Seconds of one form divided by those of another; each as (job, form). Of other engines the query alone counts."""

    def measure(results, sets):
        above, below = find(results, *one), find(results, *other)
        return alone(above) / alone(below) if above and below else None

    return measure


def fastest(job, kind):
    """How many times as long as Nines the fastest peer takes, with its plain or expert form, by the query alone."""

    def measure(results, sets):
        nines = find(results, job, "nines")
        peers = [find(results, job, peer + kind) for peer in PEERS]
        peers = [alone(result) for result in peers if result]
        return min(peers) / wall(nines) if nines and peers else None

    return measure


def of(figure, job, form="nines"):
    def measure(results, sets):
        result = find(results, job, form)
        return figure(result) if result else None

    return measure


def lines_per_second(results, sets):
    result = find(results, "ingest-logs", "nines")
    return sets["ingest-logs"].rows / cpu(result) if result else None


def per_row(form):
    def measure(results, sets):
        result = find(results, "bytes", form)
        return result.bytes / sets["bytes"].rows if result else None

    return measure


def growth(figure, job, of_job, factor):
    """A figure of one range divided by that of another, and by how many times as many rows are in it."""

    def measure(results, sets):
        one, other = find(results, job, "nines"), find(results, of_job, "nines")
        return figure(one) / figure(other) / factor if one and other else None

    return measure


def steepness(results, sets):
    """Whether each further row takes as long as the ones before: the start of the process is in neither part."""
    one, four, sixteen = (find(results, f"growth-{times}", "nines") for times in (1, 4, 16))
    if not (one and four and sixteen):
        return None
    return (wall(sixteen) - wall(four)) / 12 / max((wall(four) - wall(one)) / 3, 1e-9)


def of_victoria(results, sets):
    nines, victoria = find(results, "bytes", "nines.expert"), find(results, "bytes", "victoriametrics")
    return nines.bytes / victoria.bytes if nines and victoria else None


def number(value):
    return f"{value:.2f}"


def millions(value):
    return f"{value / 1e6:.2f} million/s"


GOALS = [
    Goal("union: its time, of that of the scan", 2.0, 1.5, False, times, ratio(("union", "nines"), ("scan", "nines"))),
    Goal("union: times as fast as DuckDB's plain form", None, 7.0, True, times, ratio(("union", "duckdb"), ("union", "nines"))),
    Goal("union: times as fast as the fastest peer's plain form", None, 7.0, True, times, fastest("union", "")),
    Goal("union: times as fast as DuckDB's expert form", 1.0, 1.0, True, times, ratio(("union", "duckdb.expert"), ("union", "nines"))),
    Goal("union: times as fast as the fastest peer's expert form", None, 1.0, True, times, fastest("union", ".expert")),
    Goal("union: peak memory", 250e6, 150e6, False, size, of(memory, "union")),
    Goal("1,000 objectives over 130 million rows", None, 2.5, False, seconds, of(wall, "objectives")),
    Goal("a year of 1,000 objectives, kept, a new process", None, 0.150, False, seconds, of(wall, "kept")),
    Goal("ingest: its time, of that of DuckDB's COPY … ORDER BY", 2.0, 1.5, False, times, ratio(("ingest", "nines"), ("ingest", "duckdb"))),
    Goal("ingest: peak memory", 3e9, 2e9, False, size, of(memory, "ingest")),
    Goal("ingest of the same again, of the first ingest", None, 1.5, False, times, ratio(("ingest-again", "nines"), ("ingest", "nines"))),
    Goal("access logs: lines per second and processor", None, 1e6, True, millions, lines_per_second),
    Goal("`nines sql 'select 1'`", None, 0.010, False, seconds, of(wall, "start")),
    Goal("bytes per row, as ingested", None, 0.70, False, number, per_row("nines")),
    Goal("bytes per row, compacted", None, 0.70, False, number, per_row("nines.expert")),
    Goal("bytes, compacted, of those of VictoriaMetrics", None, 1.0, False, times, of_victoria),
    # That growth is linear and flat is asked; what counts as such is said here.
    Goal("growth: time per row from 4× to 16×, of that from 1× to 4×", None, 1.1, False, times, steepness),
    Goal("growth: memory of 16× the rows in range, of 16 × the memory", None, 1.0, False, times, growth(memory, "growth-16", "growth-1", 16)),
    Goal("growth: time with 16× the rows stored, of that without", None, 1.1, False, times, growth(wall, "growth-1", "growth-1-alone", 1)),
    Goal("growth: memory with 16× the rows stored, of that without", None, 1.1, False, times, growth(memory, "growth-1", "growth-1-alone", 1)),
]


def verdict(goal, value):
    if value is None:
        return "not measured"

    def reached(bound):
        return bound is not None and (value >= bound if goal.least else value <= bound)

    return "goal met" if reached(goal.goal) else "least met" if reached(goal.floor) else "NOT MET"


def rows(results, sets):
    table = []
    for goal in GOALS:
        value = goal.measure(results, sets)
        sign = "≥ " if goal.least else "≤ "
        least = "" if goal.floor is None else sign + goal.show(goal.floor)
        table.append([goal.what, least, sign + goal.show(goal.goal), "" if value is None else goal.show(value), verdict(goal, value)])
    return table


def table(results, sets):
    """The goals as text for a terminal, those of which something was measured."""
    measured = [row for row in rows(results, sets) if row[3]]
    if not measured:
        return ""
    widths = [max(len(row[column]) for row in [HEAD, *measured]) for column in range(len(HEAD))]
    lines = ["\ngoals (of --size full on an idle machine)"]
    lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [HEAD, *measured]]
    return "\n".join(lines)
