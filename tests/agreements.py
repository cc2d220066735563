"""Each agreement that ships, with customers on each side of each of its bounds: what Nines credits against what a naive
computation in fractions comes to.

The terms are written down here a second time, by hand, from the texts that the comments of the files quote; the files
themselves are given to Nines alone. An agreement without terms here is an error.

Usage: agreements.py NINES_BINARY
"""
import calendar
import csv
import gc
import io
import json
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections import defaultdict, namedtuple
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone
from fractions import Fraction as F
from functools import cache
from itertools import permutations
from math import ceil, floor
from pathlib import Path
from zoneinfo import ZoneInfo

DATA = Path(__file__).resolve().parent.parent / "data"
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HOUR, DAY = 60, 1440
# Of cases of probes those that differ by what the probes see.
PROBED = {"fails", "runs", "short", "long", "night", "ends", "rate", "Other"}
FEES = ["1000.01", "84.55", "12345.67", "0.05", "250", "999999.99", "17.25"]


def percent(text):
    return F(text) / 100


def below(bound, value):
    """The tier strictly below a bound, in percent; its value is percent of the fee."""
    return "<", percent(bound), percent(value), None


def at_or_below(bound, value):
    return "<=", percent(bound), percent(value), None


def days_below(bound, days):
    return "<", percent(bound), None, days


# Requests of one minute: what they came to, and whether they were slow, which is None if their latency is not known.
Row = namedtuple("Row", "minute status endpoint cause slow")
# A time for which a customer pays: of which plan, how much, from when until when.
Spell = namedtuple("Spell", "plan fee start end", defaults=(None, None))


def server_error(row):
    return 500 <= row.status <= 599


# Who becomes a customer after terms changed has the new ones, also in the month of the change.
LATER_FUNCTIONS = dict(
    service="google-functions", periods=["2018-06", "2019-03"], zone="America/Los_Angeles", slice=1,
    measure="downtime", bad="10", run=1, requests=100, commitment="99.5",
    tiers=[below("99.5", 10), below("99", 25), below("95", 50)], cap="50", claim=("days", 30),
    exclusions={"Customer": {}, "Force Majeure": {}},
)

# Both plans are of one service. `others` are plans that this agreement is not for; None is a fee of no plan.
PREMIUM = dict(
    agreement="atlassian-premium", service="atlassian-cloud", plan="premium", others=["enterprise", "standard", None],
    along=["work-tracking-enterprise.yaml"], periods=["2026-09", "2024-10"], since="2024-10-07", zone="UTC", slice=1,
    measure="bad", bad="5", commitment="99.9", tiers=[below("99.9", 10), below("99", 25), below("95", 50)], claim=("days", 15),
    exclusions={name: {} for name in (
        "Scheduled Maintenance", "Emergency Maintenance", "Network", "Third Party", "Customer", "Force Majeure")},
)
# Billing months begin on the sixth, which is written in the file.
WEBSITES = dict(
    service="phluit", periods=["2026-10", "2026-02"], day=6, zone="UTC", slice=1, measure="downtime", bad="100", from_on=True,
    run=1, commitment="99.9", steps=dict(per=HOUR, of="downtime", round="down", percent="5"), claim=("months", 1),
    exclusions={name: {} for name in (
        "Maintenance Window", "Scheduled Maintenance", "Emergency Maintenance", "Force Majeure", "Customer", "Third Party")},
)

# Checks of several locations, one objective for everybody: each case is a service of its own.
CHECKS = dict(
    service="atomping", probed="failing locations", others=[], zone="UTC", slice=1, measure="downtime", bad="100", from_on=True,
    run=2, over_ends=True, exclusions={},
)

# What each text says. Times are minutes. `bad` is the share of failures above which (or from which on, with `from_on`) a
# slice is bad. Exclusions name a category and what makes it count: how long before it was told, and how much of it. `breaks`
# is a request that fails, 500 where nothing is said; `members` are those that must all fail. A metric has what the rest says
# and its own.
TERMS = {
    "api-gateway.yaml": [dict(
        service="aws-api-gateway", periods=["2026-10", "2026-02", "2022-05"], since="2022-05-05", zone="UTC", slice=5,
        measure="mean", commitment="99.95", tiers=[below("99.95", 10), below("99", 25), below("95", 100)],
        least={"USD": "1.01"}, claim=("months", 2), exclusions={"Customer": {}, "Force Majeure": {}, "Suspension": {}},
    )],
    "functions.yaml": [
        dict(
            service="google-functions", periods=["2018-03", "2018-04"], since="2018-03-26", zone="America/Los_Angeles", slice=1,
            measure="downtime", bad="5", run=1, commitment="99.5",
            tiers=[below("99.5", 10), below("99", 25), below("95", 50)], cap="50", claim=("days", 30),
            exclusions={"Customer": {}, "Force Majeure": {}}, newcomers={"2018-04": LATER_FUNCTIONS},
        ),
        LATER_FUNCTIONS,
    ],
    "object-store.yaml": [dict(
        service="aws-s3", periods=["2026-10", "2024-02"], zone="UTC", slice=5, measure="mean", commitment="99.9",
        tiers=[below("99.9", 10), below("99", 25), below("95", 100)], least={"USD": "1.01"}, claim=("months", 2),
        exclusions={"Customer": {}, "Force Majeure": {}, "Suspension": {}},
    )],
    "storage.yaml": [dict(
        service="azure-storage", periods=["2026-09", "2026-10"], zone="UTC", slice=HOUR, measure="mean", commitment="99.9",
        tiers=[below("99.9", 10), below("99", 25)], invalid=lambda row: row.status in (401, 403), claim=("months", 2),
        exclusions={"Customer": {}, "Force Majeure": {}},
    )],
    "virtual-machines.yaml": [dict(
        service="aws-ec2", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.99", tiers=[below("99.99", 10), below("99", 30), below("95", 100)], least={"USD": "1.01"},
        claim=("months", 2), exclusions={"Customer": {}, "Force Majeure": {}, "Suspension": {}},
    )],
    "workflow.yaml": [dict(
        service="aliyun-workflow", periods=["2026-10"], zone="Asia/Shanghai", slice=5, measure="mean", commitment="99.9",
        tiers=[below("99.9", 20), below("99", 30), below("95", 50)], cap="50", vouchers=True, currency="CNY",
        claim=("months", 2),
        exclusions={"Scheduled Maintenance": {"told": 0}, "Network": {}, "Attack": {}, "Customer": {}, "Force Majeure": {}},
    )],
    "code-hosting.yaml": [dict(
        service="github", periods=["2026-01"], months=3, zone="UTC", slice=1, measure="bad", bad="5", commitment="99.9",
        tiers=[below("99.9", 10), below("99", 25)], claim=("days", 30), exclusions={"Customer": {}, "Force Majeure": {}},
    )],
    "chat.yaml": [dict(
        service="slack", periods=["2024-04", "2026-07"], since="2024-06-14", months=3, zone="UTC", slice=1, measure="bad",
        bad="100", from_on=True, commitment="99.99", linear=(10, "unavailability"),
        exclusions={"Scheduled Maintenance": {"told": 48 * HOUR, "most": (10 * HOUR, "year")}, "Network": {}, "Third Party": {}},
    )],
    "search.yaml": [dict(
        service="algolia", periods=["2026-10", "2026-02"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.99", linear=(100, "unavailability"), cap="25", exclusions={},
    )],
    "mail.yaml": [dict(
        service="google-mail", periods=["2026-03", "2026-06"], zone="America/Los_Angeles", slice=1, measure="downtime",
        bad="5", run=10, commitment="99.9", tiers=[below("99.9", 10), below("99", 25)],
        exclusions={"Scheduled Maintenance": {"told": 5 * DAY, "most": (12 * HOUR, "year")}},
    )],
    "directory.yaml": [dict(
        service="google-cloud-identity", periods=["2026-03", "2026-06"], zone="America/Los_Angeles", slice=1, measure="bad",
        bad="5", commitment="99.9", tiers=[days_below("99.9", 3), days_below("99", 7), days_below("95", 15)],
        claim=("days", 30), exclusions={"Customer": {}, "Force Majeure": {}},
    )],
    "virtual-servers.yaml": [dict(
        service="arcustech-servers", periods=["2026-10"], zone="UTC", slice=1, measure="downtime", bad="100", from_on=True, run=1,
        commitment="100", steps=dict(per=30, of="downtime", round="up", percent="5"),
        exclusions={"Scheduled Maintenance": {}, "Emergency Maintenance": {}},
    )],
    "cloud-servers.yaml": [dict(
        service="vserver-center", periods=["2026-03", "2026-02"], zone="America/Chicago", slice=1, measure="downtime", bad="100",
        from_on=True, run=1, commitment="100", steps=dict(per=HOUR, of="downtime", round="down", days=1),
        claim=("hours", 12, "outage"),
        exclusions={"Scheduled Maintenance": {"told": DAY}, "Maintenance Window": {}, "Customer": {}, "Force Majeure": {}},
    )],
    "mailboxes.yaml": [dict(
        service="ayuda-mail", periods=["2026-10"], zone="Australia/Sydney", slice=1, measure="downtime", bad="100", from_on=True,
        run=HOUR, commitment="99.8", steps=dict(per=HOUR, of="outage", round="down", days=1), claim=("days", 30), exclusions={},
    )],
    "chatbot.yaml": [dict(
        service="limechat", periods=["2026-10"], zone="Asia/Kolkata", slice=1, hours=lambda local: local.weekday() < 5,
        measure="downtime", bad="100", from_on=True, run=61, commitment="99.9",
        steps=dict(per=30, of="outage", round="down", percent="5", per_day=1), claim=("hours", 24, "outage"),
        exclusions={"Scheduled Maintenance": {}, "Third Party": {}},
    )],
    "forum.yaml": [dict(
        service="website-toolbox", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.9", tiers=[below("99.9", 5), at_or_below("99", 10), at_or_below("90", 20)], exclusions={},
    )],
    "co-browsing.yaml": [dict(
        service="cobrowse", periods=["2026-09", "2020-11"], since="2020-11-18", zone="UTC", slice=1, measure="downtime", bad="5",
        run=5, commitment="99.9", tiers=[below("99.9", 10), below("99", 25), below("95", 50)], claim=("days", 30), exclusions={},
    )],
    "hosting.yaml": [dict(
        service="hostingking", periods=["2026-10", "2026-02"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.9", linear=(10, "shortfall"),
        exclusions={name: {} for name in (
            "Scheduled Maintenance", "Emergency Maintenance", "Suspension", "Force Majeure", "Customer", "Attack")},
    )],
    "subscription-software.yaml": [dict(
        service="digitalized-software", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.9", tiers=[below("99.9", 10), below("99", 25), below("95", 50)],
        exclusions={
            "Scheduled Maintenance": {"told": 48 * HOUR, "most": (4 * HOUR, "month")}, "Customer": {}, "Network": {},
            "Force Majeure": {}},
    )],
    "government-software.yaml": [dict(
        service="tyler-software", periods=["2026-01"], months=3, zone="America/New_York", slice=1, measure="bad", bad="100",
        from_on=True, round=(0, "half-up"), commitment="100", tiers=[at_or_below("97", 4), below("95", 5)],
        exclusions={"Scheduled Maintenance": {}, "Customer": {}, "Force Majeure": {}},
    )],
    "network.yaml": [dict(
        service="serverrack", periods=["2026-10", "2026-04"], zone="UTC", slice=1, measure="downtime", bad="100",
        from_on=True, run=1, commitment="100", steps=dict(per=30, of="downtime", round="down", days=1), claim=("working days", 5),
        exclusions={"Customer": {}, "Force Majeure": {}, "Network": {}, "Scheduled Maintenance": {}},
    )],
    "dedicated-servers.yaml": [dict(
        service="connetu", periods=["2026-10"], zone="Europe/London", slice=1, measure="downtime", bad="100", from_on=True, run=1,
        commitment="100", steps=dict(per=15, of="downtime", round="up", percent="2.5"), cap="50", exclusions={},
    )],
    "app-platform.yaml": [dict(
        service="digitalocean-apps", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True,
        commitment="99.95", tiers=[below("99.95", 10), below("99", 30), below("95", 100)], claim=("months", 2), exclusions={},
    )],
    "learning-tools.yaml": [dict(
        service="ltiaas", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True, commitment="99.95",
        tiers=[below("99.95", 10), below("99", 25), below("95", 100)], least={"USD": "1.01"}, exclusions={},
    )],
    "integration.yaml": [dict(
        service="oneio", periods=["2026-09"], zone="UTC", slice=1, measure="bad", bad="100", from_on=True, commitment="99.9",
        tiers=[below("99.9", 3), below("99", 5), below("98", 10), below("97", 20), below("95", 40)], exclusions={},
    )],
    "server-hosts.yaml": [dict(
        service="arcustech-hosts", periods=["2026-10"], zone="UTC", slice=1, measure="downtime", bad="100", from_on=True, run=1,
        commitment="100", steps=dict(per=HOUR, of="outage", after=HOUR, round="up", percent="5"), exclusions={},
    )],
    "cloud-machines.yaml": [dict(
        service="digitalocean-droplets", periods=["2026-10", "2026-02"], zone="UTC", slice=5, measure="bad", bad="100",
        from_on=True, commitment="99.99", linear=(1, "unavailability"), claim=("months", 3), exclusions={},
    )],
    "work-tracking.yaml": [PREMIUM],
    "work-tracking-enterprise.yaml": [PREMIUM | dict(
        agreement="atlassian-enterprise", plan="enterprise", others=["premium", "standard", None],
        along=["work-tracking.yaml"], commitment="99.95",
        tiers=[below("99.95", 5), below("99.9", 10), below("99", 25), below("95", 50)],
    )],
    "zones.yaml": [dict(
        service="aws-ec2", periods=["2026-09"], members=["us-east-1a", "us-east-1b"], zone="UTC", slice=1, measure="bad",
        bad="100", from_on=True, commitment="99.99", tiers=[below("99.99", 10), below("99", 30), below("95", 100)],
        least={"USD": "1.01"}, claim=("months", 2), exclusions={"Customer": {}, "Force Majeure": {}, "Suspension": {}},
    )],
    "database.yaml": [dict(
        service="azure-cosmos-db", periods=["2026-09", "2026-10"], zone="UTC", slice=HOUR, measure="mean", commitment="99.99",
        tiers=[below("99.99", 10), below("99", 25)], cap="100", limit=10_000, claim=("months", 2),
        exclusions={"Customer": {}, "Force Majeure": {}},
        metrics=[
            dict(
                name="availability", fails=lambda row: row.status == 408 or server_error(row),
                invalid=lambda row: 400 <= row.status <= 499 and row.status != 408),
            dict(
                name="throughput", breaks=dict(status=429), fails=lambda row: row.status == 429,
                invalid=lambda row: row.cause == "rate_limited"),
            dict(
                name="latency", breaks=dict(status=200, slow=True), measure="bad", bad="1", fails=lambda row: row.slow,
                invalid=lambda row: 400 <= row.status <= 599),
        ],
    )],
    "monitoring.yaml": [
        CHECKS | dict(
            agreement="atomping-pro", plan="pro", periods=["2026-09"], commitment="99.9", tiers=[below("99.9", 10)]),
        CHECKS | dict(
            agreement="atomping-business", plan="business", periods=["2026-10"], commitment="99.95",
            tiers=[below("99.95", 25)]),
    ],
    # A customer may have signed up on any day, also on one that some months do not have; and the zone is not said.
    "websites.yaml": [WEBSITES, WEBSITES | dict(
        day=31, zone="Europe/Berlin", write={"from: 6": "from: 31", "timeZone: UTC": "timeZone: Europe/Berlin"},
        periods=["2024-01", "2026-02", "2026-09"],
    )],
    # A draft without credits.
    "gateway-agreement.yaml": [],
}


def instant(local):
    """Minutes since 1970 of a local time."""
    return (local - EPOCH) // MINUTE


def day_of(year, month, day):
    """That day of a month, or its last."""
    return min(day, calendar.monthrange(year, month)[1])


class Period:
    def __init__(self, terms, name):
        self.name, self.zone = name, ZoneInfo(terms["zone"])
        year, month = map(int, name.split("-"))
        length, day = terms.get("months", 1), terms.get("day", 1)
        after = divmod(year * 12 + month - 1 + length, 12)
        self.begin = instant(datetime(year, month, day_of(year, month, day), tzinfo=self.zone))
        self.end = instant(datetime(after[0], after[1] + 1, day_of(after[0], after[1] + 1, day), tzinfo=self.zone))
        since = terms.get("since")
        self.start = max(self.begin, instant(datetime.fromisoformat(since).replace(tzinfo=self.zone)) if since else 0)
        self.days = (self.local(self.end).date() - self.local(self.begin).date()).days
        months = [divmod(year * 12 + month - 1 + i, 12) for i in range(length)]
        self.months = [f"{y}-{m + 1:02}" for y, m in months]
        # A billing month has one fee, whatever calendar months it lies in.
        self.judged = {name} if day > 1 else {
            self.local(minute).strftime("%Y-%m") for minute in range(self.start, self.end, DAY)}
        hours = terms.get("hours")
        width = terms["slice"]
        self.slices = [m for m in range(self.start, self.end, width) if not hours or hours(self.local(m))]
        self.counted = set(self.slices)

    def local(self, minute):
        return (EPOCH + minute * MINUTE).astimezone(self.zone)


class Case:
    def __init__(self, name, fee, start=None, plan=None):
        self.name, self.start, self.vouchers = name, start, "0"
        self.spells = [Spell(plan, fee, start)]
        self.rows = defaultdict(int)
        self.exclusions = []

    def add(self, minute, status, requests=1, endpoint="", cause="", slow=False):
        if requests:
            self.rows[Row(minute, status, endpoint, cause, slow)] += requests
        return self

    def exclude(self, category, start, end, told=None):
        """Time that is recorded, told so many minutes before."""
        self.exclusions.append((start, end, category, None if told is None else start - told))
        return self


def excluded(terms, period, case):
    """The minutes that do not count, from what qualifies, in order of time."""
    gone, used = set(), defaultdict(int)
    for start, end, category, told in sorted(case.exclusions):
        rule = terms["exclusions"].get(category)
        if rule is None:
            continue
        if "told" in rule and (told is None or start - told < rule["told"] or (rule["told"] == 0 and told >= start)):
            continue
        for minute in range(start, end):
            if minute in gone:
                continue
            if "most" in rule:
                most, per = rule["most"]
                local = period.local(minute)
                key = category, local.year, {"year": 0, "quarter": (local.month - 1) // 3, "month": local.month}[per]
                if used[key] == most:
                    continue
                used[key] += 1
            gone.add(minute)
    return gone


def rounded(value, places, mode):
    scaled = value * 10**places
    whole = floor(scaled)
    rest = scaled - whole
    if mode != "down" and (rest > F(1, 2) or rest == F(1, 2) and (mode == "half-up" or whole % 2)):
        whole += 1
    return F(whole, 10**places)


class Result:
    pass


def judged(period, spells):
    """The slices for which the customer paid."""
    if all(spell.start is None and spell.end is None for spell in spells):
        return period.slices
    times = [(spell.start or period.start, spell.end or period.end) for spell in spells]
    if len(times) == 1:
        start, end = times[0]
        return period.slices[bisect_left(period.slices, start):bisect_left(period.slices, end)]
    return [s for s in period.slices if any(start <= s < end for start, end in times)]


def compute(terms, period, case):
    """From the words of docs/agreements.md alone; None for who is not a customer of this agreement."""
    if case.start:
        terms = terms.get("newcomers", {}).get(period.name, terms)
    spells = [spell for spell in case.spells if spell.plan == terms.get("plan")]
    if not spells:
        return None
    slices = judged(period, spells)
    figures = [figure({**terms, **metric}, period, case, slices) for metric in terms.get("metrics", [{}])]
    result = max(figures, key=lambda own: own.share)
    result.figures = figures
    base = sum(F(spell.fee) for spell in spells) - (F(case.vouchers) if terms.get("vouchers") else 0)
    months = 1 if case.start else len(period.judged)
    result.amount = rounded(result.share * base * months, 2, "half-even")
    least = terms.get("least", {}).get(terms.get("currency", "USD"))
    if least and result.amount < F(least):
        result.amount = F(0)
    result.claim = claim(terms.get("claim"), period, result.runs, terms["slice"])
    return result


def figure(terms, period, case, slices):
    """What one metric comes to."""
    width, counted = terms["slice"], period.counted if slices is period.slices else set(slices)
    gone, members = excluded(terms, period, case), terms.get("members")
    followed = counted
    if terms.get("over_ends"):
        # Runs are followed as far as they must last.
        ends = range(-terms["run"], terms["run"] + 1)
        followed = {s + i * width for s in (min(counted), max(counted)) for i in ends} | counted
    valid, failed, outside = defaultdict(int), defaultdict(int), defaultdict(int)
    fails, invalid = terms.get("fails", server_error), terms.get("invalid", lambda row: False)
    for row, requests in case.rows.items():
        slice_ = period.start + (row.minute - period.start) // width * width
        if slice_ not in followed or invalid(row) or members and row.endpoint not in members:
            continue
        key = slice_, row.endpoint if members else ""
        valid[key] += requests
        if row.minute not in gone:
            outside[key] += requests
            failed[key] += requests if fails(row) else 0
    of_each = {key: F(failed[key], valid[key]) for key in valid if outside[key] >= terms.get("requests", 1)}
    rates = {s: rate for (s, _), rate in of_each.items()}
    if members:
        # The best of all decides, and who is silent is not known to fail.
        rates = {s: min(of_each.get((s, member), F(0)) for member in members) for s in rates}
    result, measure, n = Result(), terms["measure"], len(slices)
    result.name, result.runs = terms.get("name"), []
    if measure == "mean":
        result.availability = 1 - sum(rates.values(), F(0)) / n
    else:
        limit = percent(terms["bad"])
        bad = sorted(s for s, rate in rates.items() if rate > limit or terms.get("from_on") and rate == limit)
        if measure == "bad":
            result.availability = 1 - F(len(bad), n)
        else:
            runs = []
            for s in bad:
                if runs and runs[-1][-1] + width == s:
                    runs[-1].append(s)
                else:
                    runs.append([s])
            runs = [[s for s in run if s in counted] for run in runs if len(run) * width >= terms["run"]]
            result.runs = [run for run in runs if run]
            result.availability = 1 - F(sum(map(len, result.runs)), n)
    decides, share = result.availability, F(0)
    if "round" in terms:
        decides = rounded(decides * 100, *terms["round"]) / 100
    result.tier = None
    if "tiers" in terms:
        for i, (op, bound, value, days) in enumerate(terms["tiers"]):
            if decides < bound or op == "<=" and decides == bound:
                share, result.tier = (F(days, period.days) if days else value), i
    elif "steps" in terms:
        share = steps(terms["steps"], period, result.runs, width) * (
            percent(terms["steps"]["percent"]) if "percent" in terms["steps"] else F(terms["steps"]["days"], period.days))
    else:
        times, of = terms["linear"]
        commitment = percent(terms["commitment"])
        if decides < commitment:
            share = times * ((1 if of == "unavailability" else commitment) - decides)
    result.share = min(share, percent(terms.get("cap", "100")))
    return result


def steps(terms, period, runs, width):
    """How many steps there are, minute by minute."""
    days, total, taken = defaultdict(int), 0, 0
    for run in runs:
        if terms["of"] == "outage":
            total = taken = 0
        for minute in range(run[0], run[-1] + width):
            total += 1
            over = total - terms.get("after", 0)
            now = over // terms["per"] if terms["round"] == "down" else -(-over // terms["per"])
            if over > 0 and now > taken:
                days[period.local(minute).date()] += now - taken
                taken = now
    return sum(min(count, terms.get("per_day", count)) for count in days.values())


def claim(terms, period, runs, width):
    """The instant until which a claim is in time; None where it is not told."""
    if not terms:
        return None
    unit, number, *outage = terms
    # Without an outage nothing is owed, and the end of the period stands for it.
    outage = outage and runs
    end = period.local(runs[0][-1] + width) if outage else period.local(period.end)
    if unit == "months":
        year, month = divmod(end.year * 12 + end.month - 1 + number, 12)
        end = end.replace(year=year, month=month + 1, day=day_of(year, month + 1, end.day))
    elif unit == "days":
        end += timedelta(days=number)
    elif unit == "hours":
        return instant(end) + number * HOUR
    else:
        day = end.replace(hour=0, minute=0) - timedelta(days=0 if outage else 1)
        while number:
            day += timedelta(days=1)
            number -= day.weekday() < 5
        end = day + timedelta(days=1)
    return instant(end)


def put(terms, case, minute, status, requests=1, **more):
    """Requests of each member."""
    for member in terms.get("members", [""]):
        case.add(minute, status, requests, member, **more)
    return case


def probes(period, case):
    """How many locations failed, minute by minute, and some minutes more: two where all requests failed, else none or one."""
    failed, good = defaultdict(int), defaultdict(int)
    for row, requests in case.rows.items():
        (failed if server_error(row) else good)[row.minute] += requests
    for minute in range(period.begin - 9, period.end + 9):
        yield minute, 2 if failed[minute] and not good[minute] else int(failed[minute] > 0 or minute % 7 == 0)


def failing(terms, period, case, slices, rate=F(1)):
    """Slices that fail, each with as many requests as it needs to be looked at."""
    requests = terms.get("requests", 1) * rate.denominator
    bad, good = int(requests * rate), int(requests * (1 - rate))
    for s in slices:
        put(terms, case, s, requests=bad, **terms.get("breaks", dict(status=500)))
        put(terms, case, s, 200, good)
    return case


def middle(period, n):
    """So many slices in a row, around the middle of the period."""
    first = max(0, min(len(period.slices) // 3, len(period.slices) - n))
    return period.slices[first:first + n]


def interesting(terms, period):
    """Numbers of slices that fail around which the credit changes."""
    n, width, numbers = len(period.slices), terms["slice"], {0, 1, 2}
    bounds = [percent(terms["commitment"])]
    if "tiers" in terms:
        bounds += [bound for _, bound, _, _ in terms["tiers"]]
    if "linear" in terms:
        times, of = terms["linear"]
        top = 1 if of == "unavailability" else percent(terms["commitment"])
        bounds += [top - percent(terms.get("cap", "100")) / times]
    if "round" in terms:
        half = percent(F(1, 2 * 10**terms["round"][0]))
        bounds = [bound + sign * half for bound in bounds for sign in (-1, 1)]
    if "steps" in terms:
        per, after = terms["steps"]["per"], terms["steps"].get("after", 0)
        value = percent(terms["steps"]["percent"]) if "percent" in terms["steps"] else F(terms["steps"]["days"], period.days)
        whole = ceil(percent(terms.get("cap", "100")) / value)
        for step in (0, 1, 2, 3, whole - 1, whole, whole + 1):
            numbers |= {after + step * per + i for i in (-1, 0, 1, 2)}
    for bound in bounds:
        at = floor(n * (1 - bound))
        numbers |= {at - 1, at, at + 1}
    run = terms.get("run", 1) // width
    numbers |= {run - 1, run, run + 1}
    return sorted(k for k in numbers if 0 <= k <= n)


def each_metric(terms):
    """What each metric says together with the rest, and how names of its customers begin."""
    return [({**terms, **metric}, f"{metric['name']} " if metric else "") for metric in terms.get("metrics", [{}])]


def cases(terms, period):
    made = []
    for own, prefix in each_metric(terms):
        cases_of(own, period, prefix, made)
    if "metrics" in terms:
        cases_of_several(terms, period, made)
    return made


def cases_of(terms, period, prefix, made):
    def new(name, fee=None, start=None):
        made.append(Case(f"{prefix}{name}", fee or FEES[len(made) % len(FEES)], start, terms.get("plan")))
        return made[-1]

    new("silent")
    put(terms, new("good"), period.slices[5], 200, 7)
    for k in interesting(terms, period):
        failing(terms, period, new(f"fails-{k}"), middle(period, k))
    n = len(period.slices)
    if terms["measure"] == "mean":
        # Exactly on each bound, and one request of a million beside it.
        for op, bound, *_ in terms["tiers"]:
            lost = n * (1 - bound)
            for name, more in (("at", F(0)), ("under", F(1, 10**6)), ("over", -F(1, 10**6))):
                case, rest = new(f"{name}-{float(bound * 100):g}"), lost + more
                failing(terms, period, case, period.slices[7:7 + floor(rest)])
                failing(terms, period, case, [period.slices[3]], rest - floor(rest))
        failing(terms, period, new("all"), period.slices)
    else:
        limit, k = percent(terms["bad"]), max(interesting(terms, period)[:6][-1], 2 * terms.get("run", 1))
        for name, rate in (("rate-at", limit), ("rate-over", limit + F(1, 1000)), ("rate-under", limit - F(1, 1000))):
            if 0 <= rate <= 1:
                failing(terms, period, new(name), middle(period, k), rate)
        # Everything fails for a customer who came for the last two days.
        if "hours" not in terms:
            start = instant(period.local(period.end).replace(tzinfo=None).replace(tzinfo=period.zone) - timedelta(days=2))
            failing(terms, period, new("all", start=start), [s for s in period.slices if s >= start])
        if terms.get("requests", 1) > 1:
            few = new("few")
            for s in middle(period, k):
                put(terms, few, s, 500, terms["requests"] - 1)
        if terms["measure"] == "downtime":
            run = terms["run"] // terms["slice"]
            for name, length in (("short-runs", run - 1), ("runs", run), ("long-runs", run + 1)):
                case, s = new(name), period.slices
                for i in range(0, min(max(300, 2 * k), n // 2), length + 1):
                    failing(terms, period, case, s[100 + i:100 + i + length])
            # Over midnight, and over both ends of the period.
            inner = (i for i in range(2500, n) if s[i - 1] + terms["slice"] == s[i])
            night = next(i for i in inner if period.local(s[i]).strftime("%H:%M") == "00:00")
            failing(terms, period, new("night"), period.slices[night - 95:night + 95])
            failing(terms, period, new("ends"), period.slices[:70] + period.slices[-130:])
            if terms.get("over_ends"):
                first, last = period.slices[0], period.slices[-1]
                for i, minutes in enumerate((
                    [first - 1, first], [last, last + 1], [first], [last], [first - 1, first + 1], [last - 1, last + 1],
                    [first - 2, first - 1], [last + 1, last + 2], [first - 1, first, first + 1, last - 1, last, last + 1],
                )):
                    failing(terms, period, new(f"over ends {i}"), minutes)
            # Steps that begin and end on other days, also with half a step from before.
            if "steps" in terms:
                per = terms["steps"]["per"]
                late = period.slices[night - 20:night - 20 + max(run, per + 1) + per // 2]
                failing(terms, period, new("late"), late)
                early = period.slices[night - 2000:night - 2000 + run + per // 2]
                failing(terms, period, new("early and late"), early + late)

    def failed(k):
        return compute(terms, period, failing(terms, period, Case("", "1", plan=terms.get("plan")), middle(period, k)))

    missed = [k for k in interesting(terms, period) if k > 2 and failed(k).share]
    if not missed:
        return
    lost = middle(period, missed[0])
    begin, end = lost[0], lost[-1] + terms["slice"]
    for status in (404, 408, 429, 403, 499, 501, 503, 599, 302):
        case = new(f"status-{status}")
        for s in lost:
            put(terms, case, s, status, terms.get("requests", 1))
    # What is not valid changes no rate.
    case = new("diluted")
    for s in lost:
        for status, requests in ((500, 1), (401, 9), (403, 5), (404, 3), (200, 1)):
            put(terms, case, s, status, requests * terms.get("requests", 1))
    for category, rule in [*terms["exclusions"].items(), ("Other", {})]:
        failing(terms, period, new(f"{category}"), lost).exclude(category, begin, end, rule.get("told", 0) + 1)
        failing(terms, period, new(f"{category} in part"), lost).exclude(category, begin + 1, end, rule.get("told", 0) + 1)
        if "told" in rule:
            for told in (rule["told"], max(rule["told"], 0) - 1, None):
                failing(terms, period, new(f"{category} told {told}"), lost).exclude(category, begin, end, told)
        if "most" in rule:
            most = rule["most"][0]
            for more in (-1, 0, 1):
                # As much as is allowed, and as much again as is just credited.
                case = failing(terms, period, new(f"{category} {more} over"), middle(period, most + missed[0] + more))
                case.exclude(category, begin, begin + most + missed[0] + more, rule.get("told", 0))
            # What was used before: half of it, all of it, and all of it before the period.
            told, used = rule.get("told", 0), begin - 60
            for name, start, end_ in (
                ("half used", used - most // 2, used), ("used up", used - most, used),
                ("used up before", period.start - most - 60, period.start - 60),
            ):
                case = failing(terms, period, new(f"{category} {name}"), lost)
                case.exclude(category, start, end_, told).exclude(category, begin, end, told)
    share = failed(missed[0]).share
    for currency, least in terms.get("least", {}).items():
        for amount in (F(least), F(least) - F(1, 100), F(least) - F(4, 1000), F(least) - F(6, 1000), F(least) + F(1, 100)):
            fee = rounded(amount / share, 4, "half-even")
            failing(terms, period, new(f"pays-{float(amount)}", f"{float(fee):.4f}"), lost)
    if terms.get("vouchers"):
        for paid in ("0.01", "999.99", "1000"):
            failing(terms, period, new(f"vouchers-{paid}", "1000"), lost).vouchers = paid
    if "members" in terms:
        cases_of_members(terms, period, new, missed[0])
    if "plan" in terms:
        cases_of_plans(terms, period, new, missed[0])
    # Half a cent, to even.
    for cents in (1, 2, 3):
        fee = F(2 * cents + 1, 200) / share / len(period.judged)
        if (fee * 10**6).denominator == 1:
            failing(terms, period, new(f"half-{cents}", f"{float(fee):.6f}"), lost)


def cases_of_members(terms, period, new, enough):
    """One fails, or both at other times; `enough` slices of both are just credited."""
    one, other = terms["members"]
    lost = middle(period, 2 * enough)

    def add(name, *parts):
        case = new(name)
        for endpoint, status, slices in parts:
            for s in slices:
                case.add(s, status, endpoint=endpoint)
        return case

    add("one fails", (one, 500, lost), (other, 200, lost))
    add("the other fails", (one, 200, lost), (other, 500, lost))
    add("one after the other", (one, 500, lost[:enough]), (other, 200, lost[:enough]), (one, 200, lost[enough:]),
        (other, 500, lost[enough:]))
    for both in (enough - 1, enough):
        first, second = lost[:enough], lost[enough - both:2 * enough - both]
        add(f"{both} together", (one, 500, first), (other, 200, [s for s in first if s not in second]), (other, 500, second),
            (one, 200, [s for s in second if s not in first]))
    add("one fails, the other is silent", (one, 500, lost))
    add("one fails, the other nearly", (one, 500, lost), (other, 500, lost * 999), (other, 200, lost))
    # Who is not in the agreement counts nowhere, up or down.
    add("both fail, not a third", (one, 500, lost), (other, 500, lost), ("us-east-1c", 200, lost))
    add("a third fails", (one, 200, lost), (other, 200, lost), ("us-east-1c", 500, lost))
    add("one and a third fail", (one, 500, lost), (other, 200, lost), ("us-east-1c", 500, lost))


def cases_of_plans(terms, period, new, enough):
    """Who pays for another plan, for none, or changes within the month."""
    own = terms["plan"]
    for plan in terms["others"]:
        failing(terms, period, new(f"plan {plan}"), middle(period, enough)).spells = [Spell(plan, "100")]
    failing(terms, period, new("no fee"), middle(period, enough)).spells = []
    # Three parts of the month that begin at midnight, with a fee for each.
    days = [period.start + (period.end - period.start) // DAY * part // 3 * DAY for part in range(4)]
    parts = [[s for s in period.slices if start <= s < end] for start, end in zip(days, days[1:])]
    for other in terms["others"]:
        for name, plans, tiers in (
            ("left", [own, other, other], terms["tiers"][:1]), ("came", [other, own, own], terms["tiers"][:1]),
            ("back", [own, other, own], terms["tiers"]),
        ):
            spells = [Spell(plans[i], fee, days[i], days[i + 1]) for i, fee in enumerate(("70.10", "80", "90.30"))]
            mine = [s for plan, part in zip(plans, parts) if plan == own for s in part]
            theirs = [s for plan, part in zip(plans, parts) if plan != own for s in part]
            # What fails under the other plan does not count here.
            failing(terms, period, new(f"{name}, {other}, fails there"), theirs[-enough:]).spells = spells
            for _, bound, *_ in tiers if other == terms["others"][0] else tiers[:1]:
                for more in (0, 1):
                    lost = mine[-5 - floor(len(mine) * (1 - bound)) - more:-5]
                    case = failing(terms, period, new(f"{name}, {other}, {float(bound * 100):g} {more} over"), lost)
                    failing(terms, period, case, theirs[:9]).spells = spells


def cases_of_several(terms, period, made):
    """Several metrics at once, and what only some of them count."""
    metrics = [own for own, _ in each_metric(terms)]

    def new(name):
        made.append(Case(name, FEES[len(made) % len(FEES)]))
        return made[-1]

    def missing(case, own, tier):
        """As much as just misses a tier, in hours of its own."""
        first = 100 * (1 + metrics.index(own))
        lost = floor(len(period.slices) * (1 - own["tiers"][tier][1])) + 1
        return failing(own, period, case, period.slices[first:first + lost])

    for one, other in permutations(metrics, 2):
        for tiers in ((1, 0), (0, 0), (1, 1)):
            case = new(f"{one['name']} {tiers[0]}, {other['name']} {tiers[1]}")
            missing(missing(case, one, tiers[0]), other, tiers[1])
    for tier in (0, 1):
        case = new(f"all {tier}")
        for own in metrics:
            missing(case, own, tier)
    lost = middle(period, 9)
    for status, cause, slow in (
        (429, "rate_limited", False), (500, "rate_limited", False), (429, "other", False), (200, "rate_limited", True),
        (500, "", True), (404, "", True), (429, "", True), (302, "", True), (200, "", None), (500, "", None),
    ):
        case = new(f"{status} {cause} {slow}")
        for s in lost:
            case.add(s, status, cause=cause, slow=slow)
    # Requests without a latency are not slower, and count.
    for slow in (2, 3):
        case = new(f"{slow} of 200 slow, half without a latency")
        for s in lost:
            case.add(s, 200, 100 - slow).add(s, 200, slow, slow=True).add(s, 201, 100, slow=None)
    # Just above 1 % of the successful requests is not of all requests.
    for failed in (0, 100):
        case = new(f"2 of 100 slow beside {failed} that failed")
        for s in lost:
            case.add(s, 200, 98).add(s, 200, 2, slow=True).add(s, 503, failed)


class Wrong(Exception):
    pass


def nines(binary, store, *args):
    done = subprocess.run([binary, "--store", str(store), *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise Wrong(f"{' '.join(map(str, args))}: {done.stdout}{done.stderr}")
    return done.stdout


@cache
def date_of(day):
    return (EPOCH + day * timedelta(days=1)).strftime("%Y-%m-%d")


def stamp(minute):
    hour, minute = divmod(minute, HOUR)
    return f"{date_of(hour // 24)}T{hour % 24:02}:{minute:02}:00Z"


def number(text):
    """None where Nines says that a figure could not be worked out."""
    return F(text) if text else None


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def request_rows(terms, service, customer, case):
    """Rows of requests, with exact counts of those that were within a limit of time."""
    keys = defaultdict(lambda: defaultdict(int))
    for row, requests in case.rows.items():
        keys[row[:4]][row.slow] += requests
    for (minute, status, endpoint, cause), counts in keys.items():
        within = [{"le": terms["limit"], "count": counts[False]}] if "limit" in terms and None not in counts else None
        row = [stamp(minute), service, customer, status, endpoint, cause, sum(counts.values())]
        yield [*row, json.dumps(within) if within else ""]


def compare(binary, folder, path, terms):
    """How many credits of one agreement are the same."""
    store, service, compared = folder / "store", terms["service"], 0
    folder.mkdir()
    requests, fees, exclusions, gauges, expected = [], [], [], [], {}
    text, copies = path.read_text(), []
    for name in terms["periods"]:
        period = Period(terms, name)
        all_cases = cases(terms, period)
        if "probed" in terms:
            all_cases = [case for case in all_cases if case.name.split("-")[0] in PROBED or case.name.startswith("over ends")]
        results = {case.name: compute(terms, period, case) for case in all_cases}
        for own, prefix in each_metric(terms):
            # Each bound has a customer on each side: neighbours of one slice more or less.
            pairs = [(f"{prefix}fails-{k}", f"{prefix}fails-{k + 1}") for k in interesting(own, period)]
            flips = {(results[k].tier, results[more].tier) for k, more in pairs if more in results}
            wanted = {(i - 1 if i else None, i) for i in range(len(own.get("tiers", [])))}
            if period.start == period.begin and not wanted <= flips:
                raise Wrong(f"{path.name}, {name}: no customer on each side of {prefix}{wanted - flips}")
        for case in all_cases:
            customer = f"{name} {case.name}"
            if results[case.name]:
                expected[name, customer] = results[case.name]
            service = terms["service"]
            if "probed" in terms:
                copy = f"{service}-{len(copies)}"
                copies.append(text.replace(service, copy))
                gauges += ([stamp(at), f"{copy}-checks", terms["probed"], value] for at, value in probes(period, case))
                service = copy
            else:
                requests += request_rows(terms, service, customer, case)
            for month in period.months if case.start is None else period.months[-1:]:
                for i, spell in enumerate(case.spells):
                    since, until = ("" if at is None else stamp(at) for at in (spell.start, spell.end))
                    paid = [month, customer, service, terms.get("currency", "USD"), spell.fee, case.vouchers]
                    fees.append([*paid, since, until, i if len(case.spells) > 1 else "", spell.plan or ""])
            for i, (start, end, category, told) in enumerate(case.exclusions):
                told = "" if told is None else stamp(told)
                exclusions.append([f"{customer} {i}", service, customer, category, stamp(start), stamp(end), told])
    for table, header, rows in (
        ("requests", "time,service,customer,status,endpoint,cause,requests,latency_le", requests),
        ("fees", "period,customer,service,currency,amount,voucher_amount,active_from,active_until,span,plan", fees),
        ("exclusions", "id,service,customer,category,started,ended,announced", exclusions),
        ("gauges", "time,service,name,value", gauges),
    ):
        if rows:
            nines(binary, store, "ingest", table, write(folder / f"{table}.csv", header, rows))
    if copies:
        path = folder / path.name
        path.write_text("\n---\n".join(copies))
    if "write" in terms:
        # As the comment of the file says that it is to be written.
        path = folder / path.name
        for old, new in terms["write"].items():
            if text.count(old) != 1:
                raise Wrong(f"{path.name} has not one '{old}'")
            text = text.replace(old, new)
        path.write_text(text)
    nines(binary, store, "apply", path, *(DATA / "agreements" / other for other in terms.get("along", [])))
    select = "SELECT * FROM credits('{}') WHERE service LIKE '{}%'"
    for name in terms["periods"]:
        credits = list(csv.DictReader(io.StringIO(nines(binary, store, "sql", "--format", "csv", select.format(name, terms["service"])))))
        credits = [row for row in credits if row["customer"].startswith(name)]
        for row in credits if copies else []:
            row["agreement"] = row["agreement"].replace(row["service"], terms["service"])
        credits = [row for row in credits if row["agreement"] == terms.get("agreement", row["agreement"])]
        here = {key: value for key, value in expected.items() if key[0] == name}
        if {(name, row["customer"]) for row in credits} != set(here) or len(credits) != len(here):
            raise Wrong(f"{path.name}, {name}: {len(credits)} credits, not {len(here)}")
        for row in credits:
            want, what = here[name, row["customer"]], f"{path.name}, {row['customer']}"
            # Where several metrics credit as much, any may be shown.
            shown = next((own for own in want.figures if own.name in (None, row["figure"]) and own.share == want.share), want)
            for key, found, wanted in (
                ("figure", row["figure"] or None, shown.name),
                ("availability", number(row["availability_exact"]), shown.availability),
                ("percent of the fee", number(row["credit_percent"]), rounded(want.share * 100, 6, "half-even")),
                ("amount", number(row["amount"]), want.amount),
                ("to be claimed by", row["claim_by"], stamp(want.claim) if want.claim else ""),
            ):
                if found != wanted:
                    raise Wrong(f"{what}: {key} is {found} by Nines, {wanted} here")
            compared += 1
    return compared


def of_terms(path, i):
    # Millions of rows of plain values: nothing refers back.
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        return compare(sys.argv[1], Path(folder) / "of", path, TERMS[path.name][i])


def main():
    paths = [*sorted((DATA / "agreements").glob("*.yaml")), DATA / "definitions" / "gateway-agreement.yaml"]
    total = 0

    # Processes, not threads: a fifth of the time is spent on fractions here.
    with ProcessPoolExecutor(2) as pool:
        try:
            unknown = {path.name for path in paths} ^ set(TERMS)
            if unknown:
                raise Wrong(f"terms or a file are missing: {', '.join(sorted(unknown))}")
            # Gauges of each minute take longest: they do not come last, alone.
            probed = {path: any("probed" in terms for terms in TERMS[path.name]) for path in paths}
            counts = {
                path: [pool.submit(of_terms, path, i) for i in range(len(TERMS[path.name]))]
                for path in sorted(paths, key=probed.get, reverse=True)
            }
            for path in paths:
                count = sum(future.result() for future in counts[path])
                print(f"{path.stem}: {count} credits", flush=True)
                total += count
        except Wrong as wrong:
            pool.shutdown(wait=False, cancel_futures=True)
            print(wrong, file=sys.stderr)
            sys.exit(1)
    print(f"{total} credits of {sum(map(bool, TERMS.values()))} agreements are the same")


main()
