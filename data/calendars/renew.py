#!/usr/bin/env python3
"""Makes the calendars of this folder anew (docs/calendars.md).

    data/calendars/renew.py --export FOLDER   the lists of the two packages into FOLDER, one CSV a list
    data/calendars/renew.py FOLDER            the calendars from such a folder

The export needs `pip install exchange_calendars==4.13.2 pandas_market_calendars==5.5.0`; versions named here are those in
EXPORTED below. xc_NAME.csv is exchange_calendars' NAME, pmc_NAME.csv is pandas_market_calendars'; a line is a session's
day, its instants in UTC and whether it closes early. A calendar becomes its week, its usual hours and one line for each
exception; what a calendar cannot say stops the program. Afterwards renew the reference that the test compares with:

    src/lode/calendar/testing/reference.py FOLDER

Needs Python 3.9 and a time zone database.
"""
import csv
import datetime
import pathlib
import sys
from zoneinfo import ZoneInfo

HERE = pathlib.Path(__file__).resolve().parent
DAY = datetime.timedelta(days=1)
EXPORTED = {"xc": "exchange_calendars 4.13.2", "pmc": "pandas_market_calendars 5.5.0"}
FIRST, LAST = "2000-01-01", "2027-12-31"
# Lists that begin on another day: pandas_market_calendars' NYSE has late openings before, which are no hours of the kind.
FIRST_OF = {"xc_XNYS": "1990-01-01", "pmc_NYSE": "2010-01-01"}
PACKAGE_NAMES = {"xc_24_7": "24/7", "pmc_CMEGlobex_FixedIncome": "CME Globex Fixed Income",
                 "pmc_CMEGlobex_Crypto": "CME Globex Crypto"}

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"
# A calendar: the lists that it holds, the first of which makes it and its name; the title, the zone, other names
# (vendors' datasets too) and the roots of futures that trade by it.
CALENDARS = [
    (["xc_XNYS", "pmc_NYSE"], "US equities: New York Stock Exchange", NEW_YORK,
     "us_equities NYSE XNAS XASE ARCX DBEQ.BASIC EQUS.MINI EQUS.SUMMARY XNAS.BASIC XNAS.ITCH XNYS.PILLAR XASE.PILLAR "
     "ARCX.PILLAR XBOS.ITCH XPSX.ITCH BATS.PITCH BATY.PITCH EDGA.PITCH EDGX.PITCH IEXG.TOPS MEMX.MEMOIR EPRL.DOM", ""),
    (["pmc_CBOE_Equity_Options"], "US options on stocks and funds", CHICAGO, "us_options OPRA.PILLAR", ""),
    (["pmc_CBOE_Index_Options"], "US options on indices: Cboe", CHICAGO, "us_index_options", ""),
    (["xc_CMES"], "CME Globex, generic", CHICAGO, "cme_globex GLBX.MDP3", ""),
    (["xc_us_futures"], "US futures, generic: no early closes", CHICAGO, "", ""),
    (["pmc_CME_Equity"], "CME Globex: stock indices", CHICAGO, "cme_equity",
     "ES MES NQ MNQ RTY M2K YM MYM EMD NKD NIY"),
    (["pmc_CMEGlobex_FixedIncome"], "CME Globex: interest rates", CHICAGO, "cme_rates",
     "ZB ZN ZF ZT UB TN Z3N TWE ZQ SR1 SR3 GE 2YY 5YY 10Y 30Y"),
    (["pmc_CMEGlobex_FX"], "CME Globex: currencies", CHICAGO, "cme_fx",
     "6A 6B 6C 6E 6J 6L 6M 6N 6R 6S 6Z CNH E7 J7 M6A M6B M6E MCD MJY MSF"),
    (["pmc_CMEGlobex_Energy", "pmc_CMEGlobex_CrudeAndRefined", "pmc_CMEGlobex_NatGas", "pmc_CMEGlobex_Metals",
      "pmc_CMEGlobex_PreciousMetals"], "CME Globex: energy and metals", CHICAGO, "cme_energy cme_metals",
     "CL MCL QM BZ HO RB QH QU NG MNG QG GC MGC QO SI SIL QI HG MHG QC PL PA ALI"),
    (["pmc_CMEGlobex_Grains"], "CME Globex: grains and oilseeds, no early closes listed", CHICAGO, "cme_grains",
     "ZC ZS ZW ZL ZM ZO ZR KE XC XK XW"),
    (["pmc_CMEGlobex_Livestock"], "CME Globex: livestock", CHICAGO, "cme_livestock", "LE GF HE"),
    (["pmc_CME_Agriculture"], "CME: agriculture, with early closes", CHICAGO, "cme_agriculture", ""),
    (["pmc_CMEGlobex_Crypto"], "CME Globex: cryptocurrencies", CHICAGO, "cme_crypto", "BTC MBT ETH MET"),
    (["pmc_ICEUS"], "ICE Futures US", NEW_YORK, "IFUS.IMPACT", "KC CC SB CT OJ DX"),
    (["xc_IEPA"], "ICE Futures US, as exchange_calendars has it", NEW_YORK, "", ""),
    (["pmc_CBOE_Futures"], "Cboe Futures Exchange: regular hours", CHICAGO, "CFE XCBF.PITCH", "VX VXM"),
    (["xc_XCBF"], "Cboe Futures Exchange, as exchange_calendars has it", CHICAGO, "", ""),
    (["xc_XLON"], "London Stock Exchange", "Europe/London", "LSE", ""),
    (["xc_24_7"], "every day, all day", "UTC", "24/7 always", ""),
]

SPECIAL_US = {  # closures that no rule gives
    "1994-04-27": "Mourning of President Nixon",
    "2001-09-11": "Attacks of September 11", "2001-09-12": "Attacks of September 11",
    "2001-09-13": "Attacks of September 11", "2001-09-14": "Attacks of September 11",
    "2004-06-11": "Mourning of President Reagan", "2007-01-02": "Mourning of President Ford",
    "2012-10-29": "Hurricane Sandy", "2012-10-30": "Hurricane Sandy",
    "2018-12-05": "Mourning of President G. H. W. Bush", "2025-01-09": "Mourning of President Carter",
}
SPECIAL_UK = {
    "2002-06-03": "Golden Jubilee", "2002-06-04": "Spring Bank Holiday", "2011-04-29": "Royal wedding",
    "2012-06-04": "Spring Bank Holiday", "2012-06-05": "Diamond Jubilee", "2020-05-08": "Early May Bank Holiday",
    "2022-06-02": "Spring Bank Holiday", "2022-06-03": "Platinum Jubilee", "2022-09-19": "State funeral of the Queen",
    "2023-05-08": "Coronation",
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


def us_holidays(year):
    """By day, with the days they are moved to."""
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


def uk_holidays(year):
    found = {
        easter(year) - 2 * DAY: "Good Friday", easter(year) + DAY: "Easter Monday",
        nth(year, 5, 0, 1): "Early May Bank Holiday", nth(year, 5, 0, -1): "Spring Bank Holiday",
        nth(year, 8, 0, -1): "Summer Bank Holiday",
    }
    for month, number, name in ((1, 1, "New Year's Day"), (12, 25, "Christmas Day"), (12, 26, "Boxing Day")):
        day = datetime.date(year, month, number)
        while day.weekday() > 4 or day in found:  # to the next working day
            found.setdefault(day, name)
            day += DAY
        found[day] = name
    return found


class Names:
    """Why a day is closed, or short."""

    def __init__(self, zone):
        self.special, self.holidays = (SPECIAL_UK, uk_holidays) if zone == "Europe/London" else (SPECIAL_US, us_holidays)

    def of(self, day):
        return self.special.get(day.isoformat()) or self.holidays(day.year).get(day)

    def of_early_close(self, day):
        """Early closes lie on, before or after a holiday."""
        for near, text in ((day, "{}"), (day + DAY, "Before {}"), (day - DAY, "After {}"),
                           (day + 2 * DAY, "Before {}"), (day + 3 * DAY, "Before {}")):
            if name := self.of(near):
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
        self.days = {}  # day: open, close, break's start and end, in local time; whether it closes early
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                row = {key.removeprefix("market_"): text for key, text in row.items()}
                day = datetime.date.fromisoformat(row["session"])
                begin, end = row.get("break_start"), row.get("break_end")
                if begin == end:
                    begin = end = ""
                times = [local(text, day, ZoneInfo(zone)) for text in (row["open"], row["close"], begin, end)]
                self.days[day] = (*times, row["early_close"] == "1")
        self.first, self.last = min(self.days), max(self.days)

    def usual_hours(self):
        """Periods of equal (open, close, break) over the sessions that close as usual."""
        periods = []
        for day in sorted(self.days):
            *hours, early = self.days[day]
            if not early and (not periods or periods[-1][1] != hours):
                periods.append((day, hours))
        return periods

    def shared_with(self, other):
        first, last = max(self.first, other.first), min(self.last, other.last)
        return {day: facts for day, facts in self.days.items() if first <= day <= last}


def texts(words):
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def calendar_text(sessions, version, title, zone, names, roots):
    week = sorted({day.weekday() for day in sessions.days})
    lines = [f'title = "{title}"', f'version = "{version}"']
    if names:
        lines.append(f"names = {texts(names)}")
    if roots:
        lines.append(f"roots = {texts(roots)}")
    lines.append(f'zone = "{zone}"')
    if len(week) < 7:  # a market that never closes has no ends either
        lines += [f"first = {sessions.first}", f"last = {sessions.last}"]
    lines.append("week = " + texts(["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day] for day in week))
    for begin, (opens, closes, break_start, break_end) in sessions.usual_hours():
        lines += ["", "[[hours]]"]
        if begin != sessions.first:
            lines.append(f"from = {begin}")
        lines += [f'open = "{opens}"', f'close = "{closes}"']
        if break_start:
            lines += [f'break_start = "{break_start}"', f'break_end = "{break_end}"']
    why = Names(zone)
    holidays, early = [], []
    day = sessions.first
    while day <= sessions.last:
        if day.weekday() in week and day not in sessions.days:
            holidays.append(f'{day} = "{why.of(day) or "Closed"}"')
        elif day in sessions.days and sessions.days[day][4]:
            early.append(f'{day} = "{sessions.days[day][1]} {why.of_early_close(day)}"')
        day += DAY
    if holidays:
        lines += ["", "[holidays]"] + holidays
    if early:
        lines += ["", "[early_closes]  # local time, then why"] + early
    return "\n".join(lines) + "\n"


def make(folder):
    for lists, title, zone, names, roots in CALENDARS:
        sessions, *others = [Sessions(folder / f"{name}.csv", zone) for name in lists]
        for name, other in zip(lists[1:], others):
            if sessions.shared_with(other) != other.shared_with(sessions):
                raise SystemExit(f"{name} is not {lists[0]}: give it a calendar of its own")
        package, name = lists[0].split("_", 1)
        names = names.split() + [other.split("_", 1)[1] for other in lists[1:]]
        text = calendar_text(sessions, EXPORTED[package], title, zone, list(dict.fromkeys(names)), roots.split())
        (HERE / f"{name}.toml").write_text(text)


def rows_of(name):
    """A package's list: title line and rows."""
    package, known_as = name.split("_", 1)
    known_as = PACKAGE_NAMES.get(name, known_as)
    first = FIRST_OF.get(name, FIRST)
    if package == "xc":
        import exchange_calendars
        calendar = exchange_calendars.get_calendar(known_as, start=first, end=LAST)
        schedule, early = calendar.schedule, set(calendar.early_closes)
    else:
        import pandas_market_calendars
        calendar = pandas_market_calendars.get_calendar(known_as)
        schedule = calendar.schedule(first, LAST)
        early = set(calendar.early_closes(schedule).index)
    yield ["session", *schedule.columns, "early_close"]
    for day, instants in schedule.iterrows():
        clocks = ["" if instant != instant else f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in instants]
        yield [f"{day:%Y-%m-%d}", *clocks, int(day in early)]


def export(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for lists, *_ in CALENDARS:
        for name in lists:
            with open(folder / f"{name}.csv", "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows_of(name))


if len(sys.argv) == 3 and sys.argv[1] == "--export":
    export(pathlib.Path(sys.argv[2]))
elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
    make(pathlib.Path(sys.argv[1]))
else:
    raise SystemExit(__doc__)
