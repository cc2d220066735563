"""Makes the data of the benchmark from a seed: input files, stores, and for other engines the stores' own Parquet files.

A data set is made once and found again by what it was made of (sizes, seed, makers, program). Other engines read a folder of hard links
to the Parquet files that the newest version of a store's table names: the same bytes, and no file that the table has given up.
"""
import datetime
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What is made, by size. `full` is the size of the goals; `small` is for seeing that all answers are equal.
SIZES = {
    "small": {
        "history": {"series": 100, "days": 3},
        "years": {"series": 100, "days": 16, "part": 16, "base": 1, "month": ("2024-01-05", "2024-01-10")},
        "latencies": {"series": 20, "days": 3},
        "objectives": {"series": 100, "days": 4, "part": 2, "objectives": 100, "quarter": 2},
        "agreements": {"customers": 5, "services": 10, "rows": 250_000},
        "logs": {"lines": 50_000},
    },
    "full": {
        "history": {"series": 200, "days": 90},
        "years": {"series": 200, "days": 731, "part": 31, "base": 45, "month": ("2025-03-01", "2025-04-01")},
        "latencies": {"series": 40, "days": 90},
        "objectives": {"series": 1000, "days": 365, "part": 15, "objectives": 1000, "quarter": 90},
        "agreements": {"customers": 500, "services": 20, "rows": 50_000_000},
        "logs": {"lines": 5_000_000},
    },
}


@dataclass
class DataSet:
    """A store with its tables for other engines, files to ingest, and values for parameters of forms."""

    store: str = ""
    tables: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    rows: int = 0


class Maker:
    def __init__(self, folder, size, seed, nines, python, say):
        self.folder = os.path.join(os.path.abspath(folder), f"{size}-{seed}")
        self.sizes, self.seed, self.nines, self.python, self.say = SIZES[size], seed, os.path.abspath(nines), python, say
        self.made, self.made_by = {}, None

    def get(self, name):
        """The data set of this name, made if it is not there."""
        if name not in self.made:
            self.made[name] = getattr(self, name)(os.path.join(self.folder, name))
        return self.made[name]

    # Each data set is a method of its own name.

    def nothing(self, folder):
        """A store that no table is read of."""
        return DataSet(self.get("history").store)

    def history(self, folder):
        """90 days of 200 series, as it is delivered, in order of the key, at random, and what is corrected afterwards."""
        size = self.sizes["history"]
        inputs = {order: f"{folder}/{order}" for order in ("time", "key", "random", "corrections")}

        def make():
            for order, path in inputs.items():
                how = ["--corrections"] if order == "corrections" else ["--order", order]
                self.script("history.py", path, *self.history_options(size, "2026-01-01"), *how)
            self.ingest(f"{folder}/store", "requests", inputs["time"])

        self.once(folder, make, size)
        files = {order: f"{path}/part-0000.parquet" for order, path in inputs.items()}
        return self.with_store(folder, files, minutes("2026-01-01", size["days"]))

    def years(self, folder):
        """Two years of 200 series."""
        size = self.sizes["years"]
        self.once(folder, lambda: self.in_parts(folder, size, "2024-01-01"), size)
        begin, end = size["month"]
        params = {"service": "service-07", "begin": f"{begin}T00:00:00Z", "end": f"{end}T00:00:00Z"}
        params |= {"begin_date": begin, "end_date": end}
        return self.with_store(folder, {}, params | self.ranges())

    def base(self, folder):
        """The first sixteenth of the two years alone."""
        size = self.sizes["years"] | {"days": self.sizes["years"]["base"], "part": self.sizes["years"]["base"]}
        self.once(folder, lambda: self.in_parts(folder, size, "2024-01-01"), size)
        return self.with_store(folder, {}, self.ranges())

    def ranges(self):
        """The ranges of growth: one, four and sixteen times as many days from the beginning of the two years on."""
        days = self.sizes["years"]["base"]
        ends = {f"times_{name}": day(2024, times * days) for name, times in (("one", 1), ("four", 4), ("sixteen", 16))}
        return {"start": day(2024, 0)} | ends | minutes("2024-01-01", 16 * days)

    def latencies(self, folder):
        """Requests with a histogram in every row."""
        size = self.sizes["latencies"]

        def make():
            self.script("latencies.py", f"{folder}/input", *self.history_options(size, "2026-01-01"))
            self.ingest(f"{folder}/store", "requests", f"{folder}/input")

        self.once(folder, make, size)
        return self.with_store(folder, {}, {})

    def objectives(self, folder):
        """A year of 1,000 series and 1,000 objectives over them."""
        size = self.sizes["objectives"]

        def make():
            self.in_parts(folder, size, "2025-01-01")
            self.script("objectives.py", folder, size["objectives"], size["series"])
            self.command("--store", f"{folder}/store", "apply", f"{folder}/objectives.yaml")

        self.once(folder, make, size)
        params = {"begin": "2025-01-01T00:00:00Z", "end": day(2025, size["days"]), "quarter": day(2025, size["quarter"])}
        return self.with_store(folder, {}, params, {"objectives": f"{folder}/objectives.csv"})

    def kept(self, folder):
        """The same year, evaluated: Nines keeps days by itself; for others, the minutes in error of every objective, a table of theirs."""
        year = self.get("objectives")

        def make():
            self.script("kept.py", f"{folder}/errors", year.tables["requests"], year.tables["objectives"])

        self.once(folder, make, self.sizes["objectives"])
        return DataSet(year.store, {"lost": f"{folder}/errors/part-*.parquet"}, {}, year.params, year.rows)

    def agreements(self, folder):
        """A month of 15-second slices of 500 customers, 20 services, and their fees."""
        size = self.sizes["agreements"]

        def make():
            self.script("agreements.py", folder, size["customers"], size["services"], size["rows"], self.seed)
            store = f"{folder}/store"
            self.command("--store", store, "ingest", "requests", f"{folder}/requests.parquet", "--slice", "15s")
            self.command("--store", store, "ingest", "fees", f"{folder}/fees.csv")
            self.command("--store", store, "apply", f"{folder}/agreement.yaml")
            self.link(folder)

        self.once(folder, make, size)
        return self.with_store(folder, {}, {"period": "2026-09"}, {"fees": f"{folder}/fees.csv"})

    def logs(self, folder):
        """An access log."""
        size = self.sizes["logs"]
        self.once(folder, lambda: self.script("logs.py", folder, size["lines"], self.seed), size)
        return DataSet(inputs={"log": f"{folder}/access.log"}, rows=size["lines"])

    # What they have in common.

    def once(self, folder, make, size):
        """Makes a data set unless it is there, complete, and made of the same."""
        made_of = json.dumps([size, self.seed, self.fingerprint()])
        mark = f"{folder}/made.json"
        if os.path.exists(mark) and open(mark).read() == made_of:
            return
        self.say(f"making {os.path.basename(folder)} …")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        make()
        with open(mark, "w") as file:
            file.write(made_of)

    def fingerprint(self):
        """What data is made by: the program, the makers, and this file."""
        if self.made_by is None:
            makers = os.path.join(HERE, "makers")
            paths = [os.path.join(makers, name) for name in os.listdir(makers) if name.endswith(".py")]
            sums = hashlib.sha256()
            for path in [self.nines, *sorted(paths), os.path.abspath(__file__)]:
                with open(path, "rb") as file:
                    sums.update(hashlib.file_digest(file, "sha256").digest())
            self.made_by = sums.hexdigest()
        return self.made_by

    def history_options(self, size, start):
        return ["--series", size["series"], "--days", size["days"], "--start", start, "--seed", self.seed]

    def in_parts(self, folder, size, start):
        """A long history: made and ingested a part at a time, so that neither disk nor memory holds all of the input."""
        self.script("history.py", f"{folder}/input", *self.history_options(size, start), "--part-days", size["part"])
        for part in sorted(os.listdir(f"{folder}/input")):
            self.command("--store", f"{folder}/store", "ingest", "requests", f"{folder}/input/{part}")
            os.remove(f"{folder}/input/{part}")
        self.link(folder)

    def ingest(self, store, table, folder):
        self.command("--store", store, "ingest", table, folder)
        self.link(os.path.dirname(store))

    def with_store(self, folder, inputs, params, others=None):
        tables = {"requests": f"{folder}/view/requests"} | (others or {})
        with open(f"{folder}/view/rows.json") as file:
            return DataSet(f"{folder}/store", tables, inputs, params, json.load(file))

    def link(self, folder):
        """A folder of hard links to the files of the newest version of the table `requests`."""
        live = live_files(f"{folder}/store/requests")
        view = f"{folder}/view/requests"
        shutil.rmtree(view, ignore_errors=True)
        for path in live:
            os.makedirs(os.path.join(view, os.path.dirname(path)), exist_ok=True)
            os.link(f"{folder}/store/requests/{path}", f"{view}/{path}")
        with open(f"{folder}/view/rows.json", "w") as file:
            json.dump(sum(live.values()), file)

    def script(self, name, *arguments):
        self.call([self.python, f"{HERE}/makers/{name}", *map(str, arguments)])

    def command(self, *arguments):
        self.call([self.nines, *arguments])

    def call(self, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\nended with code {done.returncode}:\n{done.stderr[-2000:]}")


def minutes(start, days):
    """The first and the last minute of so many days, in minutes since 1970."""
    first = (datetime.date.fromisoformat(start) - datetime.date(1970, 1, 1)).days * 1440
    return {"first": first, "last": first + days * 1440 - 1}


def day(year, days):
    """The instant so many days after the beginning of a year."""
    return f"{datetime.date(year, 1, 1) + datetime.timedelta(days=days)}T00:00:00Z"


def live_files(table):
    """The files of a Delta table's newest version, and their rows. Reads all entries: the benchmark's stores have not given any up."""
    live = {}
    log = f"{table}/_delta_log"
    for name in sorted(name for name in os.listdir(log) if name.endswith(".json") and name[:20].isdigit()):
        with open(f"{log}/{name}") as file:
            for line in file:
                action = json.loads(line)
                if "add" in action:
                    add = action["add"]
                    live[add["path"]] = json.loads(add["stats"])["numRecords"]
                elif "remove" in action:
                    live.pop(action["remove"]["path"], None)
    return live


def size_of(path):
    """Bytes of a file, or of all files in a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
