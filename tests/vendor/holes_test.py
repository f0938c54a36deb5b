#!/usr/bin/env python3
"""A year of three vendors' data with seeded holes: `gaps` names exactly these, and one `sync` fills exactly those that can be.

Holes: days that the vendor says are missing or not ready, files it does not list, a request that fails, files deleted from
the lake, revised days, a wrong calendar (a holiday that is a session, a session that is a holiday). No holes, and so in no
answer: half days, weekends and holidays, contracts before they list and after they end, ranges that the plan does not cover.
What is expected is worked out here, by other means than lode's: from the vendor's own answers and a list of holidays.

  holes_test.py --lode build/release/lode --sim build/release/lode_vendor_sim [--seed 7]
"""
import argparse
import base64
import datetime
import json
import pathlib
import random
import shutil
import sys
import time
import urllib.request

import simulator
import sync_lakes
from sync_lakes import Failure, lakes

FIRST, LAST = datetime.date(2023, 1, 1), datetime.date(2023, 12, 31)
YEAR = [FIRST + datetime.timedelta(days=number) for number in range(365)]
# nyse.com/markets/hours-calendars; the 3rd of July and the 24th of November are half days.
NYSE_HOLIDAYS = {datetime.date.fromisoformat(f"2023-{day}") for day in (
    "01-02", "01-16", "02-20", "04-07", "05-29", "06-19", "07-04", "09-04", "11-23", "12-25")}
HALF_DAYS = [datetime.date(2023, 7, 3), datetime.date(2023, 11, 24)]
SESSIONS = [day for day in YEAR if day.weekday() < 5 and day not in NYSE_HOLIDAYS]
# What somebody wrote into a calendar of his own.
NO_SESSION, NO_HOLIDAY = datetime.date(2023, 7, 4), datetime.date(2023, 3, 8)
STOCKS, OPTIONS = "us_stocks_sip/day_aggs_v1", "us_options_opra/day_aggs_v1"
ALL = "ALL_SYMBOLS"
GE_ENDS = datetime.date(2023, 4, 16)  # the simulator's last day of Eurodollar futures
LISTS = datetime.date(2023, 7, 3)  # the simulator's BTC-29MAR24: 270 days before it ends

DATASETS = {
    "futures": """source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["ZL.FUT", "ES.FUT", "GE.FUT"]
start = 2023-01-01
layout = "month={yyyy}-{mm}/data.parquet"
""",
    "statistics": """source = "databento"
dataset = "GLBX.MDP3"
schema = "statistics"
stype_in = "parent"
symbols = ["ZL.FUT"]
start = 2023-01-01
""",
    "stocks": f'source = "polygon"\nflat_file = "{STOCKS}"\nstart = 2023-01-01\ncalendar = "mine"\n',
    "options": f'source = "polygon"\nflat_file = "{OPTIONS}"\nstart = 2023-01-01\n',
    "perpetuals": """source = "tardis"
exchange = "deribit"
data_type = "trades"
symbols = ["BTC-PERPETUAL", "BTC-29MAR24"]
start = 2023-01-01
""",
}
sync_lakes.VENDORS["year"] = sync_lakes.Vendor(
    DATASETS, data="", free="", labels={}, one_cell={}, last=LAST.isoformat(), today="2024-01-08",
    of_schema={"ohlcv-1d": "futures", "statistics": "statistics", STOCKS: "stocks", OPTIONS: "options", "tardis/trades": "perpetuals"})


class YearOfHoles:
    def __init__(self, arguments, folder):
        self.random = random.Random(arguments.seed)
        self.sim = simulator.Simulator(arguments.sim, "--today", "2024-01-08", "--seed", 5)
        self.lake = sync_lakes.SyncLake(folder, arguments.lode, self.sim, "year")
        self.calendar = folder / "calendars" / "mine.toml"
        self.calendar.parent.mkdir()
        self.calendar.write_text(f'base = "XNYS"\n[holidays]\n{NO_HOLIDAY} = "somebody\'s mistake"\n'
                                 f'[sessions]\n{NO_SESSION} = "another"\n')
        self.lake.config.write_text('[calendars]\nfolder = "calendars"\n' + self.lake.config.read_text())

    def pick(self, days, count):
        return sorted(self.random.sample(days, count))

    # What the vendor says, asked without lode.

    def condition(self):
        request = urllib.request.Request(
            f"{self.sim.url}/v0/metadata.get_dataset_condition?dataset=GLBX.MDP3&start_date={FIRST}&end_date={LAST}")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.sim.key}:".encode()).decode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {datetime.date.fromisoformat(day["date"]): day["condition"] for day in json.load(answer)}

    # What lode says.

    def gaps(self, *words):
        """{(dataset, symbol, day): state}, its ranges taken apart by the days that this test expects."""
        done = self.lake.run("gaps", "-s", FIRST, "-e", LAST, "--json", *words)
        if done.returncode not in (0, 4):
            raise Failure(f"gaps exits {done.returncode}: {done.stderr.strip()[-400:]}")
        found = {}
        for gap in map(json.loads, done.stdout.splitlines()):
            if gap["type"] != "gap":
                continue
            start, end = map(datetime.date.fromisoformat, (gap["start"], gap["end"]))
            days = [day for day in self.expected[gap["dataset"]] if start <= day <= end]
            if len(days) != gap["trading_days"] or (end - start).days + 1 != gap["days"]:
                raise Failure(f"a gap that does not count its days: {gap}")
            found |= {(gap["dataset"], gap["symbol"], day): gap["state"] for day in days}
        if (done.returncode == 4) != bool(found):
            raise Failure(f"gaps exits {done.returncode} with {len(found)} cells missing")
        return found

    @staticmethod
    def compare(what, found, wanted):
        if found != wanted:
            extra = sorted(set(found.items()) - set(wanted.items()))
            lacks = sorted(set(wanted.items()) - set(found.items()))
            raise Failure(f"{what}: {len(extra)} too many {[tuple(map(str, one)) for one in extra[:4]]}, "
                          f"{len(lacks)} not named {[tuple(map(str, one)) for one in lacks[:4]]}")

    def delivered(self):
        """Cells that the vendor delivered since the last time, and how often."""
        cells = {}
        for schema, symbols in self.sim.counts(full=True)["cells"].items():
            dataset = self.lake.vendor.of_schema[schema]
            for symbol, cell in symbols.items():
                for day, number in cell["by_day"].items():
                    cells[dataset, symbol, datetime.date.fromisoformat(day)] = number
        self.sim.clear_counts()
        return cells

    # The year.

    def seed_holes(self):
        trading = [day for day, state in self.condition().items() if state != "missing"]
        self.missing = self.pick(trading, 6)
        self.pending = self.pick([day for day in trading if day not in self.missing], 2)
        for days, state in ((self.missing, "missing"), (self.pending, "pending")):
            self.sim.control("condition", {"dataset": "GLBX.MDP3", "days": list(map(str, days)), "condition": state})
        self.entitled = self.random.choice(SESSIONS[5:30])
        self.sim.control("flatfiles", {"entitled_from": str(self.entitled)})
        covered = [day for day in SESSIONS if day >= self.entitled and day != NO_HOLIDAY]
        self.unlisted = {STOCKS: self.pick(covered, 4), OPTIONS: self.pick(covered, 3)}
        for kind, days in self.unlisted.items():
            self.sim.control("flatfiles", {"flat_file": kind, "remove": list(map(str, days))})
        self.plan_from = self.random.choice(YEAR[10:40])
        self.sim.control("tardis", {"plan_from": str(self.plan_from)})
        self.failed = self.random.choice([day for day in YEAR if day > self.plan_from])
        self.sim.faults({"path": f"deribit/trades/{self.failed:%Y/%m/%d}/BTC-PERPETUAL", "action": {"status": 500}})

    def expect(self):
        listed = sorted(self.condition())
        self.expected = {"futures": listed, "statistics": listed, "options": SESSIONS, "perpetuals": YEAR,
                         "stocks": sorted({*SESSIONS, NO_SESSION})}

    def holes(self):
        holes = {}
        for symbol in ("ZL.FUT", "ES.FUT", "GE.FUT"):
            for days, state in ((self.missing, "missing"), (self.pending, "pending")):
                for day in days:
                    if symbol != "GE.FUT" or day <= GE_ENDS:
                        holes["futures", symbol, day] = state
                    if symbol == "ZL.FUT":
                        holes["statistics", symbol, day] = state
        for dataset, kind in (("stocks", STOCKS), ("options", OPTIONS)):
            holes |= {(dataset, ALL, day): "missing" for day in self.unlisted[kind]}
        holes["stocks", ALL, NO_SESSION] = "missing"
        holes["perpetuals", "BTC-PERPETUAL", self.failed] = "failed"
        return holes

    def delete_files(self):
        """Deletes some; the cells that had rows in them."""
        complete = self.lake.cells("complete")
        lost = set()
        month = f"2023-{self.random.randint(1, 12):02}"
        (self.lake.path / "bronze" / "futures" / f"month={month}" / "data.parquet").unlink()
        lost |= {cell for cell in complete if cell[0] == "futures" and cell[2].startswith(month)}
        month = f"2023-{self.random.randint(4, 12):02}"
        (self.lake.path / "bronze" / "stocks" / f"month={month}" / "data.parquet").unlink()
        lost |= {cell for cell in complete if cell[0] == "stocks" and cell[2].startswith(month)}
        for dataset in ("statistics", "options", "perpetuals"):
            for cell in self.random.sample(sorted(cell for cell in complete if cell[0] == dataset), 3):
                names = {"perpetuals": f"day={cell[2]}/{cell[1]}.parquet"}
                (self.lake.path / "bronze" / dataset / names.get(dataset, f"day={cell[2]}/data.parquet")).unlink()
                lost.add(cell)
        return {(dataset, symbol, datetime.date.fromisoformat(day)) for dataset, symbol, day in lost}

    def run(self):
        self.expect()
        self.seed_holes()
        # Listed days that the vendor calls missing are expected all the same.
        self.expect()
        done = self.lake.sync()
        if done.returncode != 3:
            raise Failure(f"the first sync exits {done.returncode}, not 3: {done.stderr.strip()[-500:]}")
        holes = self.holes()
        before = self.delivered()
        self.compare("after the first sync", self.gaps(), holes)
        self.check_no_holes()

        lost = self.delete_files()
        holes |= dict.fromkeys(lost, "missing")
        self.compare("with files deleted", self.gaps(), holes)
        revised = self.revise(before)
        self.compare("with days revised, as the ledger knows", self.gaps(), holes)
        stale = {cell: "stale" for cell in revised if cell not in holes}
        self.compare("with days revised, as the vendor says", self.gaps("--remote"), holes | stale)

        # The vendor mends some of it, and somebody the calendar.
        there_again = self.random.sample(self.missing, 3) + self.pending[:1]
        self.sim.control("condition", {"dataset": "GLBX.MDP3", "days": list(map(str, there_again)), "condition": "available"})
        listed_again = {kind: days[:2] for kind, days in self.unlisted.items()}
        for kind, days in listed_again.items():
            self.sim.control("flatfiles", {"flat_file": kind, "restore": list(map(str, days))})
        self.sim.faults()
        self.calendar.write_text('base = "XNYS"\n')
        self.expected["stocks"] = SESSIONS
        fillable = {cell for cell in holes if cell in lost or cell[2] in there_again and cell[0] in ("futures", "statistics")}
        fillable |= {("stocks", ALL, day) for day in listed_again[STOCKS]}
        fillable |= {("options", ALL, day) for day in listed_again[OPTIONS]}
        fillable |= {("perpetuals", "BTC-PERPETUAL", self.failed), *stale}
        rest = {cell: state for cell, state in holes.items() if cell not in fillable and cell != ("stocks", ALL, NO_SESSION)}
        self.sim.clear_counts()
        done = self.lake.sync()
        if done.returncode != 0:
            raise Failure(f"the second sync exits {done.returncode}: {done.stderr.strip()[-500:]}")
        self.compare("what the second sync was given", self.delivered(), dict.fromkeys(fillable, 1))
        self.compare("after the second sync", self.gaps(), rest)
        self.compare("after the second sync, as the vendor says", self.gaps("--remote"), rest)
        self.lake.check_idle()
        self.lake.must("verify", "--quiet")
        return len(holes) + len(stale), len(fillable), len(rest)

    def revise(self, delivered):
        """Some days that are there; the cells of them."""
        days = self.pick(sorted({day for dataset, _, day in delivered if dataset == "statistics"}), 3)
        self.sim.control("revise", {"dataset": "GLBX.MDP3", "days": list(map(str, days)), "last_modified_date": "2024-01-08"})
        files = self.pick(sorted({day for dataset, _, day in delivered if dataset == "options"}), 2)
        self.sim.control("flatfiles", {"flat_file": OPTIONS, "revise": list(map(str, files))})
        held = {(dataset, symbol, datetime.date.fromisoformat(day)) for dataset, symbol, day in self.lake.cells("complete", "empty")}
        return {cell for cell in held if cell[0] in ("futures", "statistics") and cell[2] in days
                or cell[0] == "options" and cell[2] in files}

    def check_no_holes(self):
        """What must not be named is there, or settled for a reason."""
        cells = self.lake.cells()
        # A calendar that calls a session a holiday loses nothing: the vendor lists a file.
        if cells["stocks", ALL, str(NO_HOLIDAY)] != "complete":
            raise Failure(f"{NO_HOLIDAY}, which somebody called a holiday, is {cells['stocks', ALL, str(NO_HOLIDAY)]}")
        for day in HALF_DAYS:
            if cells["options", ALL, str(day)] != "complete" and day not in self.unlisted[OPTIONS]:
                raise Failure(f"the half day {day} is {cells['options', ALL, str(day)]}")
        unentitled = {day for dataset, symbol, day in self.lake.cells("not_entitled") if dataset == "options"}
        if unentitled != {str(day) for day in SESSIONS if day < self.entitled}:
            raise Failure(f"not_entitled are {sorted(unentitled)}, entitled is from {self.entitled}")
        unpaid = {day for dataset, symbol, day in self.lake.cells("not_entitled") if dataset == "perpetuals"}
        if unpaid != {str(day) for day in YEAR if day < self.plan_from and day.day != 1}:
            raise Failure(f"not_entitled are {sorted(unpaid)}, the plan is from {self.plan_from}")
        early = {day for dataset, symbol, day in self.lake.cells() if symbol == "BTC-29MAR24" and day < str(LISTS)}
        if early - {str(LISTS - datetime.timedelta(days=1))}:
            raise Failure(f"cells of a contract before it lists: {sorted(early)[:3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--lode", "--sim"):
        parser.add_argument(name, required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    folder = lakes.work_folder()
    began = time.monotonic()
    year = YearOfHoles(arguments, folder / "year")
    try:
        holes, filled, rest = year.run()
        print(f"summary: seed {arguments.seed}, {holes} cells of holes named exactly, {filled} filled by one sync, {rest} left that "
              f"cannot be, {time.monotonic() - began:.1f} s")
        print("1 passed, 0 failed")
        return 0
    except Failure as failure:
        print(f"FAILED --seed {arguments.seed}: {failure}\n0 passed, 1 failed")
        return 1
    finally:
        year.sim.__exit__()
        if arguments.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
