#!/usr/bin/env python3
"""The client that people use for FRED, fredapi (PyPI), against the simulator: what it reads, and that lode has the same.

The client takes another host by its `root_url`; nothing else of it is replaced. It asks for XML, lode for JSON.

usage: fred_client_test.py --sim PROGRAM --lode PROGRAM [--seed N] [--only PART]
"""
import argparse
import csv
import io
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import fredapi

import simulator

VINTAGES = ["GDP", "UNRATE", "ICSA", "SOFR"]  # quarterly, monthly, weekly, daily with days that have no value
ENDLESS, BARE = "DGS10", "VIXCLS"             # more vintages than one request may ask for; none at all
AS_OF = ["2009-06-30", "2020-03-16", "2024-03-05"]


def text_of(value):
    """A day, a number or none, of the client or of lode's CSV, as one text."""
    if value != value:  # NaN, which the client may turn into a day that is none
        return ""
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d")
    return value if isinstance(value, str) and (not value or "-" in value[1:]) else repr(float(value))


def rows(frame, *columns):
    return sorted(zip(*([text_of(value) for value in frame[column]] for column in columns)))


def series_rows(series):
    return rows(series.rename("value").rename_axis("date").reset_index(), "date", "value")


class Case:
    def __init__(self, sim, lode):
        self.sim, self.lode = sim, lode
        self.client = fredapi.Fred(api_key=simulator.FRED_KEY)
        self.client.root_url = sim.url + "/fred"

    def ours(self, sql):
        table = csv.reader(io.StringIO(self.lode("query", "--csv", sql)))
        return sorted(tuple(map(text_of, row)) for row in list(table)[1:])

    def refused(self, words, call, *arguments, **more):
        try:
            call(*arguments, **more)
        except ValueError as error:
            assert words in str(error), error
        else:
            raise AssertionError(f"not refused: {words}")

    def case_as_it_stands(self):
        """Observations as they stand today, of a range too, and of a series without vintages."""
        for name in [*VINTAGES, ENDLESS, BARE]:
            ours = self.ours(f"SELECT date, value FROM rates WHERE series_id = '{name}' AND realtime_end IS NULL")
            assert ours and series_rows(self.client.get_series(name)) == ours, name
            assert series_rows(self.client.get_series_latest_release(name)) == ours, name
        part = self.client.get_series("SOFR", observation_start="2019-12-30", observation_end="2020-02-03")
        assert series_rows(part) == self.ours("SELECT date, value FROM rates WHERE series_id = 'SOFR' AND realtime_end IS NULL "
                                              "AND date BETWEEN '2019-12-30' AND '2020-02-03'")
        assert any(math.isnan(value) for value in self.client.get_series("SOFR")), "no day without a value"

    def case_all_releases(self):
        """Every vintage of every observation."""
        revised = set()
        for name in VINTAGES:
            theirs = rows(self.client.get_series_all_releases(name), "date", "realtime_start", "value")
            ours = self.ours(f"SELECT date, realtime_start, value FROM rates WHERE series_id = '{name}'")
            assert theirs == ours, f"{name}: {set(theirs) ^ set(ours)}"
            if len(theirs) > len(self.client.get_series(name)):
                revised.add(name)
        # Weekly claims are corrected so seldom that some seeds have none.
        assert revised >= set(VINTAGES) - {"ICSA"}, f"{set(VINTAGES) - revised}: nothing was revised"

    def case_first_release(self):
        for name in VINTAGES:
            assert series_rows(self.client.get_series_first_release(name)) == self.ours(
                f"SELECT date, arg_min_null(value, realtime_start) FROM rates WHERE series_id = '{name}' GROUP BY date"), name

    def case_as_of(self):
        """What was known on a day: the client gives all releases until then, of which the last one of each date counted."""
        for name in VINTAGES:
            for day in AS_OF:
                known = self.client.get_series_as_of_date(name, day)
                theirs = rows(known.groupby("date").tail(1), "date", "value") if len(known) else []
                assert theirs == self.ours(f"SELECT date, value FROM rates WHERE series_id = '{name}' AND realtime_start <= '{day}' "
                                           f"AND coalesce(realtime_end, '9999-12-31') >= '{day}'"), f"{name} {day}"

    def case_more_vintages_than_one_request_may_have(self):
        """The client must be told windows, whose ends cut periods; lode has the periods whole."""
        self.refused("maximum number of vintage dates", self.client.get_series_all_releases, ENDLESS)
        vintages = [day.strftime("%Y-%m-%d") for day in self.client.get_series_vintage_dates(ENDLESS)]
        assert len(vintages) > 4000, len(vintages)
        for at in range(0, len(vintages), 2000):
            first, last = vintages[at], vintages[min(at + 1999, len(vintages) - 1)]
            theirs = rows(self.client.get_series_all_releases(ENDLESS, first, last), "date", "realtime_start", "value")
            assert theirs == self.ours(
                f"SELECT date, greatest(realtime_start, '{first}'::DATE), value FROM rates WHERE series_id = '{ENDLESS}' AND "
                f"realtime_start <= '{last}' AND coalesce(realtime_end, '9999-12-31') >= '{first}'"), f"{first} {last}"

    def case_info(self):
        """First and last observation, the last update, and the vintage dates."""
        for name in VINTAGES:
            info = self.client.get_series_info(name)
            assert [(info["observation_start"], info["observation_end"], info["last_updated"][:10])] == self.ours(
                f"SELECT min(date), max(date), max(realtime_start) FROM rates WHERE series_id = '{name}'"), info
            theirs = [(day.strftime("%Y-%m-%d"),) for day in self.client.get_series_vintage_dates(name)]
            assert theirs == self.ours(f"SELECT DISTINCT realtime_start FROM rates WHERE series_id = '{name}'"), name

    def case_refusals(self):
        self.refused("does not exist in ALFRED", self.client.get_series_all_releases, BARE)
        self.refused("The series does not exist.", self.client.get_series, "COPPER")
        stranger = fredapi.Fred(api_key="f" * 32)
        stranger.root_url = self.client.root_url
        self.refused("is not registered", stranger.get_series, "GDP")

    def case_revised(self):
        """A revision is a new vintage for both, once lode has synced again."""
        before = len(self.client.get_series_all_releases("UNRATE"))
        self.sim.control("fred", {"series_id": "UNRATE", "dates": ["2023-06-01", "2024-01-01"]})
        self.lode("sync")
        theirs = rows(self.client.get_series_all_releases("UNRATE"), "date", "realtime_start", "value")
        assert len(theirs) == before + 2
        assert theirs == self.ours("SELECT date, realtime_start, value FROM rates WHERE series_id = 'UNRATE'")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--sim", "--lode"):
        parser.add_argument(name, required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    with (simulator.Simulator(arguments.sim, "--today", "2024-03-05", "--seed", arguments.seed % 1000 + 1) as sim,
          tempfile.TemporaryDirectory() as folder):
        names = ", ".join(f'"{name}"' for name in [*VINTAGES, ENDLESS, BARE])
        pathlib.Path(folder, "lode.toml").write_text(f'[lake]\nroot = "{folder}/lake"\n[sources.fred]\nbase_url = "{sim.url}/fred"\n'
                                                     f'[datasets.rates]\nsource = "fred"\nseries = [{names}]\n')

        def lode(*words):
            done = subprocess.run([arguments.lode, "--config", folder + "/lode.toml", "--quiet", *words], text=True, timeout=300,
                                  env={**os.environ, "FRED_API_KEY": simulator.FRED_KEY}, capture_output=True)
            assert done.returncode == 0, done.stderr
            return done.stdout

        lode("sync")
        cases = [(name, getattr(Case(sim, lode), name)) for name in dir(Case) if name.startswith("case_")]
        return simulator.run_cases(cases, arguments.only)


if __name__ == "__main__":
    sys.exit(main())
