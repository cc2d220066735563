#!/usr/bin/env python3
"""What recurs, worked out by dateutil and zoneinfo: crates/recurrence/tests/vectors.txt.

    python3 tests/recurrences.py > crates/recurrence/tests/vectors.txt
    python3 tests/recurrences.py --check        # that it is still the same

A line for each case: rule; zone; local start; local end; until (UTC, or -); then the occurrences as [start/end) in UTC. dateutil steps
through naive dates; a local time becomes an instant by looking at what the clock shows, minute by minute where it skips.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

UTC = timezone.utc
MOST = 16


def first_instant(local, zone):
    """The first instant at which the clock shows a local time, or skips it."""
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local:
            return instant
    # Skipped: the first whole minute at which the clock shows more.
    instant = (local - timedelta(days=2)).replace(tzinfo=UTC)
    while instant.astimezone(zone).replace(tzinfo=None) < local:
        instant += timedelta(minutes=1)
    return instant


def occurrences(rule, zone, start, end, until):
    zone, length = ZoneInfo(zone), end - start
    found = []
    for date in rrulestr(rule, dtstart=start.replace(hour=0, minute=0)):
        begins = datetime.combine(date.date(), start.time())
        interval = (first_instant(begins, zone), first_instant(begins + length, zone))
        if interval[0] == interval[1]:
            continue
        if until is not None and interval[0] >= until or len(found) >= MOST:
            break
        found.append(interval)
    return found


# Both changes of clocks in two zones and more, starts and ends inside the hours that are skipped and that are twice, days that months
# do not have, weeks that begin elsewhere, leap days.
CASES = [
    ("FREQ=DAILY", "Europe/Berlin", "2026-03-26 02:00", "2026-03-26 04:00", None),
    ("FREQ=DAILY", "Europe/Berlin", "2026-03-26 02:30", "2026-03-26 03:00", None),
    ("FREQ=DAILY", "Europe/Berlin", "2026-03-26 01:30", "2026-03-26 02:20", None),
    ("FREQ=DAILY", "Europe/Berlin", "2026-10-22 02:00", "2026-10-22 04:00", None),
    ("FREQ=DAILY", "Europe/Berlin", "2026-10-22 00:30", "2026-10-22 02:30", None),
    ("FREQ=DAILY", "Europe/Berlin", "2026-10-22 02:15", "2026-10-22 02:45", None),
    ("FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin", "2026-10-04 02:00", "2026-10-04 04:00", None),
    ("FREQ=WEEKLY;BYDAY=SU", "America/New_York", "2026-10-04 01:00", "2026-10-04 03:00", None),
    ("FREQ=WEEKLY;BYDAY=SU", "America/New_York", "2026-02-01 02:00", "2026-02-01 02:45", None),
    ("FREQ=DAILY", "America/New_York", "2026-10-30 01:30", "2026-10-30 01:45", None),
    ("FREQ=DAILY", "Australia/Lord_Howe", "2026-10-01 01:45", "2026-10-01 02:15", None),
    ("FREQ=DAILY", "Australia/Lord_Howe", "2026-04-01 01:30", "2026-04-01 02:00", None),
    ("FREQ=DAILY", "America/Sao_Paulo", "2018-11-01 00:00", "2018-11-01 00:30", None),
    ("FREQ=DAILY", "Pacific/Apia", "2011-12-28 10:00", "2011-12-28 12:00", None),
    ("FREQ=DAILY", "Asia/Kathmandu", "2026-01-01 23:00", "2026-01-02 01:00", None),
    ("FREQ=MONTHLY;BYDAY=1SU", "Europe/Berlin", "2026-10-04 02:00", "2026-10-04 04:00", None),
    ("FREQ=MONTHLY;BYDAY=-1FR", "America/New_York", "2026-01-30 22:00", "2026-01-31 02:00", None),
    ("FREQ=MONTHLY", "Europe/London", "2026-01-31 01:00", "2026-01-31 02:00", None),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "Europe/London", "2026-01-31 01:00", "2026-01-31 02:00", None),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Asia/Shanghai", "2026-01-30 03:00", "2026-01-30 05:30", None),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "Europe/Berlin", "2026-01-06 01:00", "2026-01-06 05:00", None),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU", "Europe/Berlin", "2026-01-06 01:00", "2026-01-06 05:00", None),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "Europe/Berlin", "2024-02-29 12:00", "2024-02-29 13:00", None),
    ("FREQ=YEARLY", "Europe/Berlin", "2024-02-29 12:00", "2024-02-29 13:00", None),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "Europe/Berlin", "2026-05-11 12:00", "2026-05-11 13:00", None),
    ("FREQ=YEARLY;BYYEARDAY=-1", "Europe/Berlin", "2026-12-31 22:00", "2027-01-01 02:00", None),
    ("FREQ=WEEKLY;COUNT=5", "Europe/Berlin", "2026-10-11 02:00", "2026-10-11 04:00", None),
    ("FREQ=WEEKLY", "Europe/Berlin", "2026-10-11 02:00", "2026-10-11 04:00", "2026-11-08 01:00"),
    ("FREQ=WEEKLY", "Europe/Berlin", "2026-10-11 02:00", "2026-10-11 04:00", "2026-11-08 00:59"),
    ("FREQ=DAILY;INTERVAL=10", "America/St_Johns", "2026-02-26 02:10", "2026-02-27 02:10", None),
]

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC"]


def drawn(random):
    """A rule, and times by which it starts."""
    day = random.choice(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
    days = ",".join(sorted(random.sample(["MO", "TU", "WE", "TH", "FR", "SA", "SU"], random.randint(1, 4))))
    rule = random.choice([
        "FREQ=DAILY",
        f"FREQ=WEEKLY;BYDAY={days}",
        f"FREQ=MONTHLY;BYDAY={random.choice([1, 2, 3, 4, 5, -1, -2])}{day}",
        f"FREQ=MONTHLY;BYMONTHDAY={random.choice([1, 15, 29, 30, 31, -1, -3])}",
        f"FREQ=MONTHLY;BYDAY={days};BYSETPOS={random.choice([1, 2, -1])}",
        f"FREQ=YEARLY;BYMONTH={random.randint(1, 12)};BYDAY={random.choice([1, -1])}{day}",
        f"FREQ=MONTHLY;BYDAY={day};BYMONTHDAY=8,9,10,11,12,13,14",
    ])
    interval = random.choice([1, 1, 1, 2, 3])
    if interval > 1:
        rule = rule.replace(";", f";INTERVAL={interval};", 1) if ";" in rule else f"{rule};INTERVAL={interval}"
    if random.random() < 0.3:
        rule += f";WKST={random.choice(['SU', 'TH'])}"
    around = datetime(2026, random.choice([2, 3, 9, 10]), 1) + timedelta(days=random.randint(0, 27))
    # It starts on a date of its own: the first that the rule yields from there.
    date = rrulestr(rule, dtstart=around)[0]
    start = date + timedelta(minutes=5 * random.randint(0, 12 * 4))
    end = start + timedelta(minutes=random.choice([15, 30, 45, 60, 90, 120, 24 * 60, 26 * 60]))
    zone = random.choice(ZONES)
    return rule, zone, start, end


def is_shown_once(local, zone):
    instants = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    return len(instants) == 1


def cases():
    read = lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M")
    for rule, zone, start, end, until in CASES:
        yield rule, zone, read(start), read(end), until and read(until).replace(tzinfo=UTC)
    source = random.Random(16)
    while True:
        rule, zone, start, end = drawn(source)
        # By its first occurrence it is recorded.
        if is_shown_once(start, zone) and is_shown_once(end, zone):
            yield rule, zone, start, end, None


def lines():
    shown = lambda at: at.strftime("%Y-%m-%dT%H:%M")
    for number, (rule, zone, start, end, until) in enumerate(cases()):
        if number == 200:
            return
        found = [f"{shown(a)}/{shown(b)}" for a, b in occurrences(rule, zone, start, end, until)]
        # Dates that the rule skips at its beginning would be no first occurrence.
        yield "; ".join([rule, zone, shown(start), shown(end), shown(until) if until else "-", " ".join(found)])


def main():
    text = "".join(line + "\n" for line in lines())
    if sys.argv[1:] == ["--check"]:
        vectors = Path(__file__).parent.parent / "crates/recurrence/tests/vectors.txt"
        sys.exit(0 if vectors.read_text() == text else f"{vectors} is not what dateutil says")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
