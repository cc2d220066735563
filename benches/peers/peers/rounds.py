"""Runs the forms of a job in alternation, and compares what they answer."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field

from . import answers, data, forms
from .measure import run

# A form that takes longer than this is measured once, by the run that was to warm up.
SLOW = 30.0
# A form is measured no more once three runs took as long as this together.
ENOUGH = 30.0


@dataclass
class Result:
    """What became of a form: its measured runs, or why there are none."""

    runs: list = field(default_factory=list)  # measure.Run
    inner: list = field(default_factory=list)  # seconds of the query alone
    bytes: int = 0
    error: str = ""  # it could not do the job
    missing: str = ""  # because its engine is not there
    wrong: str = ""  # it answers something else


def versions(python, nines):
    """The engines that are there, with their versions; why not, where one is missing."""
    found = {"nines": subprocess.run([nines, "--version"], capture_output=True, text=True).stdout.strip()}
    for engine, module in (("duckdb", "duckdb"), ("clickhouse", "chdb"), ("polars", "polars"), ("datafusion", "datafusion")):
        say = f"import {module}, importlib.metadata as m; print(m.version({module!r}))"
        done = subprocess.run([python, "-c", say], capture_output=True, text=True)
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given"
        found[engine] = done.stdout.strip() if done.returncode == 0 else f"MISSING: {reason}"
    # Its package is called by either name.
    victoria = next((path for name in ("victoria-metrics", "victoria-metrics-prod") if (path := shutil.which(name))), None)
    if victoria:
        found["victoriametrics"] = version_of(victoria)
    else:
        found["victoriametrics"] = "MISSING: no program victoria-metrics in PATH"
    return found


def version_of(victoria):
    """The version of VictoriaMetrics; Debian's program does not know it, its package does."""
    for command in ([victoria, "--version"], ["dpkg-query", "--show", "--showformat=${Version}", "victoria-metrics"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0 and (done.stdout + done.stderr).strip():
                return (done.stdout + done.stderr).strip().splitlines()[-1]
    return "version not known"


def measure(job, dataset, maker, peers, rounds, warm, timeout):
    """A pair of form and result for each form of the job, Nines' first. The forms take turns; each round begins with another one."""
    results = [(form, Result()) for form in job.forms]
    expected = None
    for number in range(min(rounds, job.rounds or rounds) + (1 if warm else 0)):
        first = number % len(results) if number else 0
        for form, result in results[first:] + results[:first]:
            if peers[form.engine].startswith("MISSING"):
                result.error = result.missing = peers[form.engine]
            if result.error or enough(result):
                continue
            warming = warm and number == 0
            answer = once(job, form, result, dataset, maker, timeout, warming)
            if answer is None:
                continue
            if form.engine == "nines" and expected is None:
                expected = answer
                if not answer:
                    result.error = "the answer is empty: nothing is compared"
            elif expected is not None and not result.wrong:
                result.wrong = answers.difference(expected, answer) or ""
    if expected is None:
        for _, result in results:
            result.error = result.error or "nothing to compare with: Nines gave no answer"
    return results


def enough(result):
    walls = [run.wall for run in result.runs]
    return bool(walls) and (walls[0] > SLOW or (len(walls) >= 3 and sum(walls) > ENOUGH))


def once(job, form, result, dataset, maker, timeout, warming):
    """Runs a form once; its answer, None where there is none."""
    work = os.path.join(maker.folder, "work")
    out = os.path.join(work, "out")
    forms.prepare(job, form, dataset, out, maker.nines)
    os.makedirs(f"{work}/tmp", exist_ok=True)
    command, more = forms.command(job, form, dataset, out, maker.nines, maker.python)
    env = {name: value for name, value in os.environ.items() if not name.startswith("NINES_")}
    ran = run(command, cwd=f"{work}/tmp", env=env | {"TMPDIR": f"{work}/tmp"} | more, timeout=timeout)
    shutil.rmtree(f"{work}/tmp", ignore_errors=True)
    if ran.stopped or ran.code != 0:
        result.error = ran.stopped or f"ended with code {ran.code}: {last_words(ran.stderr)}"
        return None
    if not warming or ran.wall > SLOW:
        result.runs.append(ran)
    try:
        if job.check:
            inner = None if form.engine == "nines" else forms.rows_of(form, ran.stdout)[1]
            rows = check(job, form, out, maker)
        else:
            rows, inner = forms.rows_of(form, ran.stdout)
        answer = answers.normalise(rows, job.keys)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        result.error = f"its answer cannot be read: {error}"
        return None
    if inner is not None and result.runs and not (warming and ran.wall <= SLOW):
        result.inner.append(inner)
    if job.writes:
        result.bytes = stored(form, out)
    shutil.rmtree(out, ignore_errors=True)
    return answer


def last_words(stderr):
    """The line of an engine's message that says what is wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line.split(":")[0] or "Exception" in line or line.startswith("panicked")]
    return (errors or lines or ["without a word"])[-1][:300]


def live(form, out):
    """The files of the table `requests` that a form wrote: of a Delta table those of its newest version."""
    if form.engine == "nines":
        return [f"{out}/requests/{path}" for path in data.live_files(f"{out}/requests")]
    return [
        os.path.join(folder, name) for folder, _, names in os.walk(out) for name in names if name.endswith(".parquet")
    ]


def stored(form, out):
    """Bytes that a form left behind: all files, but of Nines' tables only the data files of the newest version."""
    left = data.size_of(out)
    if form.engine == "nines":
        table = f"{out}/requests"
        parquet = [f"{folder}/{name}" for folder, _, names in os.walk(table) for name in names if name.endswith(".parquet")]
        left -= sum(map(os.path.getsize, parquet)) - sum(map(os.path.getsize, live(form, out)))
    return left


def check(job, form, out, maker):
    """What was written, read by DuckDB."""
    paths = live(form, out)
    view = f"{out}.view"
    shutil.rmtree(view, ignore_errors=True)
    os.makedirs(view)
    for number, path in enumerate(paths):
        os.link(path, f"{view}/{number}.parquet")
    specification = {"tables": {"written": f"{view}/*.parquet"}, "params": {}, "out": out}
    command = [maker.python, os.path.join(forms.HERE, "peers/engine.py"), "duckdb", job.check, json.dumps(specification)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    shutil.rmtree(view, ignore_errors=True)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip()[-300:])
    return json.loads(done.stdout.strip().splitlines()[-1])["rows"]
