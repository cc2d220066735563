"""Jobs and their forms. A job is a folder under `jobs/` with `job.toml` and a file for each form: adding a form is adding a file.

A form is called ENGINE.sql or ENGINE.expert.sql (`.py` for Polars, `.sh` for commands of Nines). `job.toml` says:

    title, what     for people
    data            the data set (data.py)
    keys            how many leading columns of the answer name a row
    forms           the job whose folder holds the forms, if it is another
    input           which of the data set's files is ingested: $input
    writes          true: the form writes into the folder $out, whose size is measured
    begin           what is done before each run, unmeasured: "copy" the store to $out (for
                    expert forms of others its Parquet files), "forget" kept days, or "keep" them all
    rounds          at most so many measured rounds
    [params]        values for the forms beside those of the data set; a value "=NAME" is that of another parameter
    [without]       engines without a form, and why; ENGINE.expert where nothing better than the plain form is known
"""
import json
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = os.path.join(HERE, "jobs")
ENGINES = {
    "nines": "Nines",
    "duckdb": "DuckDB",
    "clickhouse": "ClickHouse (chdb)",
    "polars": "Polars",
    "datafusion": "DataFusion",
    "victoriametrics": "VictoriaMetrics",
}
# The peers of every job; VictoriaMetrics is asked for bytes only.
PEERS = ["duckdb", "clickhouse", "polars", "datafusion"]


@dataclass
class Form:
    engine: str
    kind: str  # plain or expert
    path: str

    @property
    def name(self):
        return self.engine if self.kind == "plain" else f"{self.engine}.expert"

    @property
    def title(self):
        return ENGINES[self.engine] + (", expert" if self.kind == "expert" else "")


@dataclass
class Job:
    name: str
    title: str
    what: str
    data: str
    keys: int = 0
    forms_of: str = ""
    input: str = ""
    writes: bool = False
    begin: str = ""
    rounds: int = 0
    params: dict = field(default_factory=dict)
    without: dict = field(default_factory=dict)
    forms: list = field(default_factory=list)

    @property
    def check(self):
        """SQL of DuckDB over what a form wrote, if the form does not answer itself."""
        path = os.path.join(JOBS, self.forms_of, "check.duckdb.sql")
        return path if os.path.exists(path) else None


def load(name):
    with open(os.path.join(JOBS, name, "job.toml"), "rb") as file:
        said = tomllib.load(file)
    forms_of = said.pop("forms", name)
    job = Job(name, forms_of=forms_of, **said)
    order = list(ENGINES)
    for file in os.listdir(os.path.join(JOBS, forms_of)):
        match = re.fullmatch(r"([a-z]+)(\.expert)?\.(sql|py|sh)", file)
        if match and match[1] in ENGINES:
            job.forms.append(Form(match[1], "expert" if match[2] else "plain", os.path.join(JOBS, forms_of, file)))
        elif file not in ("job.toml", "check.duckdb.sql", "__pycache__"):
            raise SystemExit(f"jobs/{forms_of}/{file} is called as no form is; expected ENGINE.sql, ENGINE.expert.sql, .py or .sh")
    job.forms.sort(key=lambda form: (order.index(form.engine), form.kind == "expert"))
    there = {form.name for form in job.forms}
    for peer in PEERS:
        for form in (peer, f"{peer}.expert"):
            if form not in there and form not in job.without and peer not in job.without:
                raise SystemExit(f"jobs/{name}: there is no form {form}, and job.toml does not say why under [without]")
    return job


def names():
    """All jobs, in the order of `jobs/order`."""
    with open(os.path.join(JOBS, "order")) as file:
        listed = file.read().split()
    there = {name for name in os.listdir(JOBS) if os.path.exists(os.path.join(JOBS, name, "job.toml"))}
    if set(listed) != there:
        raise SystemExit(f"jobs/order and the folders differ: {', '.join(sorted(set(listed) ^ there))}")
    return listed


def values_of(job, data, out):
    """The parameters of a job's forms."""
    given = data.params | {"out": out, "file": f"{out}/part-0.parquet", "own": f"{out}/own.duckdb"}
    if job.input:
        given["input"] = data.inputs[job.input]
    for name, value in job.params.items():
        given[name] = given[value[1:]] if isinstance(value, str) and value.startswith("=") else value
    return given


def command(job, form, data, out, nines, python):
    """The command line of a form, and what it adds to the environment."""
    values = values_of(job, data, out)
    if form.engine == "nines" and form.path.endswith(".sql"):
        with open(form.path) as file:
            used = set(re.findall(r"\$([a-z_]+)", re.sub(r"--[^\n]*", "", file.read())))
        params = [part for name in sorted(used) for part in ("--param", f"{name}={values[name]}")]
        return [nines, "--store", data.store or out, "sql", "-f", form.path, "--format", "json", *params], {}
    if form.engine == "nines":
        env = {"NINES": nines, "STORE": data.store} | {name.upper(): str(value) for name, value in values.items()}
        return ["sh", "-eu", form.path], env
    specification = {"tables": data.tables, "params": values, "out": out}
    return [python, os.path.join(HERE, "peers/engine.py"), form.engine, form.path, json.dumps(specification)], {}


def prepare(job, form, data, out, nines):
    """Before each run, unmeasured: an empty folder to write into, and what Nines begins with."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    if form.engine != "nines":
        if job.begin == "copy" and form.kind == "expert":
            shutil.copytree(data.tables["requests"], out, dirs_exist_ok=True)
        return
    if job.begin == "copy":
        shutil.rmtree(out)
        shutil.copytree(data.store, out)
    elif job.begin == "forget":
        for table in ("slo_days", "slo_facts"):
            shutil.rmtree(os.path.join(data.store, table), ignore_errors=True)
    elif job.begin == "keep":
        # Evaluates what is not kept yet; a store of which all is kept is left as it is.
        subprocess.run([nines, "--store", data.store, "refresh"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    elif job.begin:
        raise SystemExit(f"jobs/{job.name}: begin = {job.begin!r} is none of copy, forget and keep")


def rows_of(form, stdout):
    """Rows of an answer, and the seconds of the query alone, where the form says them."""
    if form.engine == "nines":
        return [list(row.values()) for row in json.loads(stdout or "[]")], None
    said = json.loads(stdout.strip().splitlines()[-1])
    return said["rows"], said["seconds"]
