"""What jobs measured, kept beside the data: a run of hours that ended early is gone on with by --resume."""
import dataclasses
import datetime
import hashlib
import json
import os

from .forms import HERE, JOBS
from .measure import Run, machine
from .rounds import Result


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


@dataclasses.dataclass
class Measured:
    """A job's results: a pair of form and result for each form, since when, and why the machine was not idle meanwhile."""

    results: list
    since: str
    trouble: str | None


class Kept:
    """The results of jobs in a folder. Of a job those are taken up that the same program and peers measured by the same forms, on the
    same data and machine, in as many rounds; whether the machine was idle meanwhile is asked by the caller."""

    def __init__(self, maker, peers, rounds):
        self.folder = os.path.join(maker.folder, "measured")
        measuring = [os.path.join(HERE, "peers", f"{name}.py") for name in ("answers", "engine", "forms", "measure", "rounds")]
        self.common = [maker.fingerprint(), maker.seed, maker.sizes, peers, rounds, machine(), sums(measuring)]

    def path(self, job):
        return os.path.join(self.folder, f"{job.name}.json")

    def by(self, job):
        folders = (JOBS, os.path.join(JOBS, job.name), os.path.join(JOBS, job.forms_of))
        files = [os.path.join(folder, name) for folder in folders for name in os.listdir(folder)]
        return hashlib.sha256(json.dumps([self.common, sums(filter(os.path.isfile, files))]).encode()).hexdigest()

    def put(self, job, measured):
        os.makedirs(self.folder, exist_ok=True)
        results = {form.name: dataclasses.asdict(result) for form, result in measured.results}
        for run in [run for result in results.values() for run in result["runs"]]:
            run["stdout"] = run["stderr"] = ""
        said = {"by": self.by(job), "since": measured.since, "trouble": measured.trouble, "results": results}
        with open(self.path(job) + ".new", "w") as file:
            json.dump(said, file)
        os.replace(self.path(job) + ".new", self.path(job))

    def get(self, job):
        """What was measured of a job; None if nothing was, or by another program, or otherwise."""
        try:
            with open(self.path(job)) as file:
                said = json.load(file)
        except FileNotFoundError:
            return None
        if said["by"] != self.by(job):
            return None

        def result(form):
            kept = said["results"][form.name]
            return Result(**kept | {"runs": [Run(**run) for run in kept["runs"]]})

        return Measured([(form, result(form)) for form in job.forms], said["since"], said["trouble"])


def sums(paths):
    """A sum over the bytes of files."""
    total = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
