"""Figures of the runs of a form: medians, and how people read them."""
import statistics


def wall(result):
    """Median seconds of the whole process; None without a run."""
    return statistics.median(run.wall for run in result.runs) if result.runs else None


def cpu(result):
    return statistics.median(run.cpu for run in result.runs) if result.runs else None


def inner(result):
    """Median seconds of the query alone, without the start of Python and its imports; None where the form is the whole process."""
    return statistics.median(result.inner) if result.inner else None


def alone(result):
    """Median seconds of the query alone where they are known, else of the whole process: what a peer is compared by at its best."""
    return inner(result) if result.inner else wall(result)


def memory(result):
    """The largest peak of all runs, in bytes."""
    return max(run.memory for run in result.runs) if result.runs else None


def find(results, job, form):
    """The result of a form, None where it was not run or could not do the job, or answered something else."""
    for there, result in results.get(job, []):
        if there.name == form:
            return None if result.error or result.wrong or not result.runs else result
    return None


def seconds(value):
    if value is None:
        return ""
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s" if value < 99.995 else f"{value:.0f} s"


def size(value):
    if value is None:
        return ""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.2f} GB"


def times(value):
    return "" if value is None else f"{value:.2f}×" if value < 99.5 else f"{value:.0f}×"
