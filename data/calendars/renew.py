#!/usr/bin/env python3
"""Makes the calendars of this folder from session lists, and the sample that calendar_test compares them with.

    data/calendars/renew.py FOLDER

FOLDER holds one CSV a calendar as exchange_calendars knows it (xc_XNYS.csv …): `session,open,break_start,break_end,
close,early_close`, days as YYYY-MM-DD and instants in UTC, as written by

    calendar = exchange_calendars.get_calendar("XNYS", start="2000-01-01")
    calendar.schedule  # open, break_start, break_end, close; + calendar.early_closes

A calendar becomes its week, its hours and one line for each exception. Needs Python 3.9 and a time zone database.
"""
import csv
import datetime
import pathlib
import sys
from zoneinfo import ZoneInfo

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "src" / "lode" / "calendar" / "testing" / "sessions_sample.csv"
DAY = datetime.timedelta(days=1)
SOURCE = "exchange_calendars 4.13"

# file of the list, name, other names, title, zone; `endless`: the rule holds before and after the list too
CALENDARS = [
    ("xc_XNYS", "XNYS", ["us_equities"], "US equities: New York Stock Exchange", "America/New_York", False),
    ("xc_CMES", "CMES", ["cme_globex"], "CME Globex, generic", "America/Chicago", False),
    ("xc_24_7", "24_7", ["24/7", "always"], "every day, all day", "UTC", True),
]

SPECIAL = {  # closures that no rule gives, of US exchanges
    "1994-04-27": "Mourning of President Nixon",
    "2001-09-11": "Attacks of September 11", "2001-09-12": "Attacks of September 11",
    "2001-09-13": "Attacks of September 11", "2001-09-14": "Attacks of September 11",
    "2004-06-11": "Mourning of President Reagan", "2007-01-02": "Mourning of President Ford",
    "2012-10-29": "Hurricane Sandy", "2012-10-30": "Hurricane Sandy",
    "2018-12-05": "Mourning of President G. H. W. Bush", "2025-01-09": "Mourning of President Carter",
}


def easter(year):
    """Gregorian Easter Sunday (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    n = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * n) // 451
    month, day = divmod(h + n - 7 * m + 114, 31)
    return datetime.date(year, month, day + 1)


def nth(year, month, weekday, n):
    """The n-th weekday (Monday 0) of a month; n = -1: the last."""
    days = [datetime.date(year, month, 1) + DAY * i for i in range(31)]
    days = [day for day in days if day.month == month and day.weekday() == weekday]
    return days[n - 1] if n > 0 else days[n]


def names(year):
    """US holidays of a year by day, with the days they are moved to."""
    fixed = {(1, 1): "New Year's Day", (6, 19): "Juneteenth", (7, 4): "Independence Day", (12, 25): "Christmas Day"}
    found = {
        nth(year, 1, 0, 3): "Martin Luther King Jr. Day", nth(year, 2, 0, 3): "Presidents' Day",
        easter(year) - 2 * DAY: "Good Friday", nth(year, 5, 0, -1): "Memorial Day", nth(year, 9, 0, 1): "Labor Day",
        nth(year, 11, 3, 4): "Thanksgiving Day",
    }
    for (month, number), name in fixed.items():
        day = datetime.date(year, month, number)
        found[day] = name
        if day.weekday() == 6:
            found[day + DAY] = name
        if day.weekday() == 5:
            found[day - DAY] = name
    return found


def name_of(day):
    return SPECIAL.get(day.isoformat()) or names(day.year).get(day) or "Closed"


def eve_name(day):
    """Early closes lie on, before or after a holiday."""
    for near, text in ((day, "{}"), (day + DAY, "Before {}"), (day - DAY, "After {}"),
                       (day + 2 * DAY, "Before {}"), (day + 3 * DAY, "Before {}")):
        name = names(near.year).get(near)
        if name:
            return text.format(name)
    return "Early close"


def local(instant, session, zone):
    """"17:00", "-1 17:00" (the day before) or "24:00", relative to the session's day."""
    if not instant:
        return ""
    moment = datetime.datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(zone)
    days = (moment.date() - session).days
    clock = moment.strftime("%H:%M")
    if days == 1 and clock == "00:00":
        return "24:00"
    if days not in (0, -1):
        raise SystemExit(f"{session}: {moment} is not on its day or the day before")
    return ("-1 " if days else "") + clock


class Sessions:
    def __init__(self, path, zone):
        self.days = {}
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                day = datetime.date.fromisoformat(row["session"])
                times = [local(row[key], day, ZoneInfo(zone)) for key in ("open", "break_start", "break_end", "close")]
                self.days[day] = (*times, row["early_close"] == "1", row["open"], row["close"])
        self.first, self.last = min(self.days), max(self.days)

    def usual_hours(self):
        """Periods of equal (open, break, close) over the sessions that close as usual."""
        periods = []
        for day in sorted(self.days):
            *hours, early, _, _ = self.days[day]
            if not early and (not periods or periods[-1][1] != hours):
                periods.append((day, hours))
        return periods


def calendar_text(sessions, name, aliases, title, zone, endless):
    week = sorted({day.weekday() for day in sessions.days})
    lines = [f'title = "{title}"', f'version = "{SOURCE}"',
             "names = [" + ", ".join(f'"{n}"' for n in aliases) + "]", f'zone = "{zone}"']
    if not endless:
        lines += [f"first = {sessions.first}", f"last = {sessions.last}"]
    short = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    lines.append("week = [" + ", ".join(f'"{short[d]}"' for d in week) + "]")
    for begin, (opens, break_start, break_end, closes) in sessions.usual_hours():
        lines += ["", "[[hours]]"]
        if begin != sessions.first or not endless:
            lines.append(f"from = {begin}")
        lines += [f'open = "{opens}"', f'close = "{closes}"']
        if break_start and break_start != break_end:
            lines += [f'break_start = "{break_start}"', f'break_end = "{break_end}"']
    holidays, early = [], []
    day = sessions.first
    while day <= sessions.last:
        if day.weekday() in week and day not in sessions.days:
            holidays.append(f'{day} = "{name_of(day)}"')
        elif day in sessions.days and sessions.days[day][4]:
            early.append(f'{day} = "{sessions.days[day][3]} {eve_name(day)}"')
        day += DAY
    if holidays:
        lines += ["", "[holidays]"] + holidays
    if early:
        lines += ["", "[early_closes]  # local time, then why"] + early
    return "\n".join(lines) + "\n"


def sample(sessions, name):
    """Days around changes of clocks, holidays and early closes in a few years; closed days have no instants."""
    chosen = set()
    for year in (2000, 2006, 2007, 2012, 2018, 2021, 2024, 2027):
        for day in (nth(year, 3, 6, 2), nth(year, 3, 6, -1), nth(year, 4, 6, 1), nth(year, 10, 6, -1),
                    nth(year, 11, 6, 1)):
            chosen |= {day + DAY * i for i in range(-3, 3)}
        for day, facts in sessions.days.items():
            if day.year == year and facts[4]:
                chosen |= {day - DAY, day, day + DAY}
    for day in sorted(chosen):
        if sessions.first <= day <= sessions.last:
            *_, early, opens, closes = sessions.days.get(day, (False, "", ""))
            yield f"{name},{day},{opens},{closes},{int(early)}"


def main(folder):
    rows = ["calendar,session,open,close,early_close"]
    for source, name, aliases, title, zone, endless in CALENDARS:
        sessions = Sessions(pathlib.Path(folder) / f"{source}.csv", zone)
        (HERE / f"{name}.toml").write_text(calendar_text(sessions, name, aliases, title, zone, endless))
        rows += sample(sessions, name)
    SAMPLE.write_text("\n".join(rows) + "\n")


if len(sys.argv) != 2:
    raise SystemExit(__doc__)
main(sys.argv[1])
