"""Runs a form as a process of its own and measures all of it; watches what else the machine does meanwhile."""
import os
import platform
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Run:
    """One process: seconds by the clock and of the processors, peak memory in bytes, exit code, why it was stopped, what it
    wrote."""

    wall: float
    cpu: float
    memory: int
    code: int
    stopped: str
    stdout: str
    stderr: str


def run(command, cwd, env=None, timeout=None):
    """Runs `command` to its end and measures it by wait4, with the processes that it waited for.

    Linux counts the pages of this process, from which it was forked, too: about 20 MB are the least that is ever seen.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        stopped = ""
        usage = status = None

        # wait4 knows no time-out: an alarm looks at the process four times a second, and the wait goes on. The machine must survive.
        def look(*_):
            nonlocal stopped
            if timeout and time.perf_counter() - begun > timeout:
                stopped = f"stopped after {timeout:.0f} s"
            elif resident(process.pid) > MOST_MEMORY * memory():
                stopped = f"stopped at {MOST_MEMORY:.0%} of the machine's memory"
            if stopped:
                os.killpg(process.pid, signal.SIGKILL)

        before = signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, 0.25, 0.25)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            process.returncode = 0 if status is None else os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    scale = 1 if platform.system() == "Darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale, process.returncode, stopped, *texts)


def memory():
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def resident(pid):
    """Bytes that a process holds now; 0 if it has ended, or where there is no /proc."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def ticks():
    """Seconds of all processors since the start of the machine: at work, stolen by other machines."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _idle, _io, irq, softirq, steal = [int(field) for field in file.readline().split()[1:9]]
    except OSError:
        return None
    hertz = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / hertz, steal / hertz


class Watch:
    """How busy the machine is with anything that is not ours."""

    def __init__(self):
        self.begun, self.ticks, self.own = time.perf_counter(), ticks(), self.ours()

    @staticmethod
    def ours():
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def shares(self):
        """Of the machine's processors, the shares that others used and that was stolen since the beginning."""
        if self.ticks is None:
            return 0.0, 0.0
        elapsed = (time.perf_counter() - self.begun) * os.cpu_count()
        busy, steal = (now - then for now, then in zip(ticks(), self.ticks))
        return max(0.0, busy - (self.ours() - self.own)) / elapsed, steal / elapsed


# A process that takes more of the machine's memory is stopped: it would take others with it.
MOST_MEMORY = 0.8

# Beyond these, times say more of the machine than of the programs.
MOST_LOAD, MOST_OTHERS, MOST_STEAL = 0.3, 0.05, 0.02


def busy_now(seconds=3.0):
    """Why the machine is not idle; None if it is."""
    watch = Watch()
    time.sleep(seconds)
    return busy(watch, os.getloadavg()[0])


def busy(watch, load=None):
    """Why the machine was not idle but for us since the watch began; None if it was."""
    others, steal = watch.shares()
    reasons = []
    if load is not None and load > MOST_LOAD * os.cpu_count():
        reasons.append(f"the load average is {load:.2f} on {os.cpu_count()} processors")
    if others > MOST_OTHERS:
        reasons.append(f"other programs used {others:.0%} of the processors")
    if steal > MOST_STEAL:
        reasons.append(f"{steal:.1%} of the processors' time was stolen by other machines")
    return ", ".join(reasons) or None


def machine():
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{os.cpu_count()} processors ({model}), {memory() / 2**30:.0f} GiB, {platform.system()} {platform.release()}"
