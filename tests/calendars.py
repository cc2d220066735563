#!/usr/bin/env python3
"""Calendars of events that recur, ingested as exclusions: what is excluded is what dateutil and zoneinfo work out.

    python3 tests/calendars.py NINES [CASES]

Events are drawn: zones, days and times, rules, ends by COUNT and UNTIL, dates that are left out. Times of day are none that clocks skip or
show twice: what becomes of these is tests/recurrences.py's.
"""

import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

UTC = timezone.utc
FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
SELECT = "SELECT id, 'x' AS category, started, ended, every, time_zone, until, withdrawn FROM input"
QUERY = (
    "SELECT CAST(to_unixtime(started) AS BIGINT), CAST(to_unixtime(ended) AS BIGINT) "
    f"FROM excluded('{FROM:%Y-%m-%d}', '{TO:%Y-%m-%d}') ORDER BY 1"
)


def drawn(draw):
    """An event: the lines of its calendar, and when it is by dateutil, as seconds."""
    zone = draw.choice(["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])
    of_days = draw.random() < 0.25
    day = datetime(2026, draw.randint(1, 12), draw.randint(1, 28))
    start = day if of_days else day.replace(hour=draw.choice([5, 13, 22]), minute=draw.choice([0, 30]))
    length = timedelta(days=draw.randint(1, 3)) if of_days else timedelta(minutes=draw.choice([30, 90, 600]))
    own = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][start.weekday()]
    rule = draw.choice([
        "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=2",
        f"FREQ=WEEKLY;BYDAY={own},{draw.choice(['MO', 'WE', 'SA'])}",
    ])
    end, last = draw.choice(["", "COUNT", "UNTIL"]), start + timedelta(days=draw.randint(20, 200))
    # dateutil goes by naive times: UNTIL as the clock shows it.
    naive = rule
    if end == "COUNT":
        rule = naive = f"{rule};COUNT={draw.randint(2, 20)}"
    elif end == "UNTIL":
        instant = last.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        until = f"{last:%Y%m%d}" if of_days else f"{instant:%Y%m%dT%H%M%SZ}"
        naive, rule = f"{rule};UNTIL={last:%Y%m%dT%H%M%S}", f"{rule};UNTIL={until}"
    found = rrulestr(naive, dtstart=start).between(FROM.replace(tzinfo=None), TO.replace(tzinfo=None), inc=True)
    left_out = draw.sample(found, min(len(found), draw.randint(0, 3)))

    def written(local):
        return f"{local:%Y%m%d}" if of_days else f"{local:%Y%m%dT%H%M%S}" + ("Z" if zone == "UTC" else "")

    parameter = ";VALUE=DATE" if of_days else "" if zone == "UTC" else f";TZID={zone}"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"] + ([f"X-WR-TIMEZONE:{zone}"] if of_days else [])
    lines += ["BEGIN:VEVENT", "UID:drawn", f"DTSTART{parameter}:{written(start)}", f"DTEND{parameter}:{written(start + length)}"]
    lines += [f"RRULE:{rule}"] + ([f"EXDATE{parameter}:{','.join(map(written, left_out))}"] if left_out else [])

    def seconds(local):
        return int(local.replace(tzinfo=ZoneInfo(zone)).timestamp())

    times = [(seconds(local), seconds(local + length)) for local in found if local not in left_out]
    inside = [times for times in times if times[0] < TO.timestamp() and times[1] > FROM.timestamp()]
    return lines + ["END:VEVENT", "END:VCALENDAR"], sorted(inside)


def excluded(nines, folder, lines):
    """What is excluded after a calendar was ingested."""
    (folder / "events.ics").write_text("".join(f"{line}\r\n" for line in lines))
    store = ["--store", str(folder / "store")]
    ingest = [nines, *store, "ingest", "exclusions", folder / "events.ics", "--select", SELECT]
    subprocess.run(ingest, check=True, stdout=subprocess.DEVNULL)
    rows = subprocess.run([nines, *store, "sql", "--format", "csv", QUERY], check=True, capture_output=True, text=True)
    return [tuple(map(int, row.split(","))) for row in rows.stdout.split()[1:]]


def main():
    nines, cases = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    events = 0
    for seed in range(cases):
        lines, expected = drawn(random.Random(seed))
        with tempfile.TemporaryDirectory() as folder:
            found = excluded(nines, Path(folder), lines)
        if found != expected:
            sys.exit(f"seed {seed}: {lines}\nexcluded {found}\nexpected {expected}")
        events += len(expected)
    print(f"{cases} calendars exclude {events} times as dateutil has them")


main()
