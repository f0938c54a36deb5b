#!/usr/bin/env python3
"""`lode sync` against a vendor that fails: each fault alone, and seeded mixes of them that change from run to run.

After every run: no cell claims to be complete, or empty, wrongly. When the vendor has calmed down one run finishes, and
then bronze is byte for byte that of a lake that never saw a fault, verify finds nothing, nothing is left over, another
sync asks for no data and writes nothing. The vendor's books at the end: no symbol's day was delivered whole twice, and
what was delivered in part is no more than the faults destroyed. The key is in no file, in no output, on no other host.

  sync_faults_test.py --lode build/release/lode --sim build/release/lode_vendor_sim [--mixes 12] [--seed N]
  … --only redirect        single faults by part of their name
  … --replay 1234567       one mix again, as printed with a failure
"""
import argparse
import concurrent.futures
import pathlib
import random
import shutil
import sys
import threading
import time
import traceback

import simulator
import sync_lakes
from sync_lakes import Failure

BODY = "The server is on fire. " * 8
# What one request meets, by name. Those that only make it slow, or answer what the client cannot tell from success, are
# not here. `{foreign}` is the port of another host.
TRANSIENT = {
    "429": {"status": 429},
    "429 seconds": {"status": 429, "retry_after": 1},
    "429 date": {"status": 429, "retry_after": "date:1"},
    "429 date past": {"status": 429, "retry_after": "date:-100"},
    "429 nonsense": {"status": 429, "headers": {"Retry-After": "soon"}},
    "500": {"status": 500},
    "500 after": {"status": 500, "when": "after"},
    "502": {"status": 502, "body": "<html>bad gateway</html>", "content_type": "text/html"},
    "503": {"status": 503, "body": BODY},
    "504": {"status": 504},
    "504 after": {"status": 504, "when": "after"},
    "408": {"status": 408},
    "reset": {"reset_at": 0},
    "reset after": {"reset_at": 0, "when": "after"},
    "reset at byte": {"reset_at": 150},
    "cut chunk": {"truncate_at": 200},
    "end chunk": {"truncate_at": 200, "framing": "end_chunk"},
    "length": {"truncate_at": 200, "framing": "length"},
    "short length": {"truncate_at": 200, "framing": "short_length"},
    "corrupt head": {"flip_at": 1},
    "corrupt middle": {"flip_at": 120},
    "corrupt end": {"flip_at": -2},
    "html": {"html": True},
    "empty": {"empty": True},
    "twice": {"duplicate": True},
    "other content": {"status": 200, "body": "[]"},
    "other text": {"status": 200, "body": BODY, "content_type": "application/octet-stream"},
    "hang": {"hang": True},
    "hang at byte": {"hang": 100},
}
# What ends a request, or the run; the code of the run that meets it in time series.
FINAL = {
    "400": ({"status": 400}, 3),
    "401": ({"status": 401}, 5),
    "402": ({"status": 402}, 5),
    "404": ({"status": 404}, 3),
    "404 html": ({"status": 404, "body": "<html>no page</html>", "content_type": "text/html"}, 3),
    "409": ({"status": 409}, 3),
    "422": ({"status": 422}, 3),
    "422 end": ({"status": 422, "body": {"detail": {"case": "data_end_after_available_end", "message": "too late",
                                                    "payload": {"available_end": "2023-01-31T00:00:00.000000000Z"}}}}, None),
    "redirect": ({"redirect": "http://127.0.0.1:{foreign}/v0/timeseries.get_range"}, 3),
    "redirect 302": ({"status": 302, "redirect": "http://127.0.0.1:{foreign}/elsewhere"}, 3),
    "redirect 308": ({"status": 308, "redirect": "/elsewhere"}, 3),
}
# Where a vendor's own words change that: a 401 of Tardis' beside a key that it knows means a plan that ends, and the
# other cells come.
FINAL_OF = {"tardis": {"401": ({"status": 401}, 0), "403": ({"status": 403}, 0)}}
# A sound answer to another question, and the code of the run that meets it. What it holds is delivered as far as the
# vendor's books go.
OTHER = {
    "databento": {"symbol": ({"form": {"symbols": "ZC.FUT"}}, 3),
                  "days": ({"form": {"start": "2022-06-06", "end": "2022-06-10"}}, 3),
                  "schema": ({"form": {"schema": "ohlcv-1h"}}, 3)},
    "polygon": {},  # a market day's file is asked for by its name
    # A page says which question it answers and is asked for again; a series without vintages is refused then.
    "fred": {"days": ({"form": {"observation_end": "2021-06-30"}}, None),
             "real time": ({"form": {"realtime_start": "2000-01-01"}}, None)},
    "polygon_rest": {},
    # Of another symbol or exchange the first row tells (these files have some): asked for again, and then it is right.
    "tardis": {"symbol": ({"path": "/v1/deribit/trades/2024/01/02/ETH-28JUN24.csv.gz"}, 0),
               "exchange": ({"path": "/v1/bitmex/trades/2024/01/02/XBTUSD.csv.gz"}, 0),
               "day": ({"path": "/v1/deribit/trades/2023/12/20/BTC-PERPETUAL.csv.gz"}, 3),
               "data type": ({"path": "/v1/deribit/quotes/2024/01/02/BTC-PERPETUAL.csv.gz"}, 3)},
}
# Slow or odd, and right all the same: the first run does it.
HARMLESS = {
    "drip": {"drip": 3000},
    "delay": {"delay_ms": 300},
    "clock ahead": {"clock_skew_s": 86400},
    "clock behind": {"clock_skew_s": -86400},
    "warning": {"warning": "DeprecationWarning: this will go away"},
    "budget": {"budget": 100},
    "small budget": {"budget": 10, "status": 504},
}
# Nothing but the connection protects a listing.
NOT_EARLY = {"databento": ("twice",), "polygon": ("twice", "corrupt"), "tardis": ("twice",), "fred": (), "polygon_rest": ("",)}
# Found out when the file is decoded, so that the next run asks for it again: a body that goes on after its end; of a
# flat file also a wrong bit, while one that is too long or too short is known by the listed size.
LATE = {"databento": ("twice",), "polygon": ("corrupt",), "tardis": (), "fred": (), "polygon_rest": ()}
# What happens depends on the byte: JSON has no checksum, a wrong bit may break it, or show as a bad record.
EITHER = {"fred": ("corrupt",)}
# A wrong bit in a name or a title is a name or a title: only the connection (TLS) can tell, which loopback has not.
UNSEEN = {"polygon_rest": ("corrupt",)}
MOST_RUNS = 8  # a calm one included


class FaultsTest:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.vendor_name, self.vendor = arguments.vendor, sync_lakes.VENDORS[arguments.vendor]
        self.paths = (self.vendor.data,) * 3 + tuple(self.vendor.free.split("|")) + (".",)
        self.final, self.other = {**FINAL, **FINAL_OF.get(self.vendor_name, {})}, OTHER[self.vendor_name]
        # Files by name cannot be asked for in smaller pieces.
        self.harmless = {name: action for name, action in HARMLESS.items()
                         if self.vendor_name == "databento" or "budget" not in action}
        self.local = threading.local()
        self.sims = []

    def prepare(self):
        """The lake that never sees a fault."""
        sim = self.start_simulator()
        lake = sync_lakes.SyncLake(self.folder / "reference", self.arguments.lode, sim, self.vendor_name)
        done = lake.sync()
        if done.returncode != 0:
            raise Failure(f"the undisturbed sync exits {done.returncode}: {done.stderr[-600:]}")
        self.bronze, self.sums, self.cells = lake.bronze(), lake.sums(), lake.cells()
        self.counts = sim.counts()
        self.check_reference(lake)
        lake.check_end(self.bronze)
        lake.check_idle()
        lake.check_claims(self.sums)
        lake.check_secret()

    def check_reference(self, lake):
        complete = lake.cells("complete")
        names = {name for name, _, _ in complete}
        if names != set(lake.datasets) or len(self.bronze) < 4 or self.counts["cells_repeated"]:
            raise Failure(f"the undisturbed lake is too poor: {len(complete)} cells of {sorted(names)}, "
                          f"{len(self.bronze)} files, {self.counts['cells_repeated']} cells twice")
        if set(self.sums) != set(complete):
            raise Failure(f"rows and complete cells differ: {sorted(set(self.sums) ^ set(complete))[:4]}")

    def start_simulator(self):
        sim = simulator.Simulator(self.arguments.sim, "--today", self.vendor.today, "--seed", 5, *self.vendor.simulator)
        self.sims.append(sim)
        return sim

    def close(self):
        for sim in self.sims:
            sim.__exit__()

    def lane(self):
        """A simulator of this thread's own, fresh, and a lake that asks it."""
        if not hasattr(self.local, "sim"):
            self.local.sim = self.start_simulator()
        sim = self.local.sim
        sim.faults()
        sim.clear_counts()
        return sync_lakes.SyncLake(self.folder / f"lane-{threading.get_ident()}", self.arguments.lode, sim, self.vendor_name)

    def rule(self, sim, action, **conditions):
        if "redirect" in action:
            action = dict(action, redirect=action["redirect"].replace("{foreign}", str(sim.foreign_port)))
        return {"action": action, **conditions}

    def run_and_check(self, lake, *words):
        done = lake.sync(*words)
        # 2 and 4: a refusal of metadata, such as "no such dataset".
        if done.returncode not in (0, 2, 3, 4, 5):
            raise Failure(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
        if done.returncode != 0 and "error: " not in done.stderr:
            raise Failure(f"exit {done.returncode} without a word")
        lake.check_claims(self.sums)
        return done

    def check_calm(self, lake, destroyed, answered_others=False):
        """The vendor is well again: one run is enough, and its books are in order."""
        lake.sim.faults()
        self.run_and_check(lake, "--retry-failed")  # what was refused is not asked for again by itself
        done = self.run_and_check(lake)
        if done.returncode != 0:
            raise Failure(f"exit {done.returncode} of a vendor without faults: {done.stderr.strip()[-600:]}")
        # Asked for alone, a symbol that is not listed yet is refused; among others it merely has no rows.
        alike = {"not_listed": "empty"}
        cells = {cell: alike.get(state, state) for cell, state in lake.cells().items()}
        differ = sorted(set(cells.items()) ^ {(cell, alike.get(state, state)) for cell, state in self.cells.items()})
        if differ:
            raise Failure(f"cells differ from the undisturbed lake's: {differ[:4]}")
        lake.check_end(self.bronze)
        lake.check_idle()
        lake.check_secret()
        counts = lake.sim.counts()
        if counts["cells_repeated"] and not answered_others:
            twice = {symbol: cell["repeated"][:3] for cells in counts["cells"].values() for symbol, cell in cells.items()
                     if cell["repeated"]}
            raise Failure(f"{counts['cells_repeated']} cells were delivered whole twice: {twice}")
        lost = counts["data_requests"] - counts["whole_responses"]
        if lost > destroyed:
            raise Failure(f"{lost} paid answers were lost, and {destroyed} faults destroyed one")

    def destroyed(self, sim):
        """Faults that struck since the script was loaded."""
        return sum(rule["applied"] for rule in sim.counts()["faults"])

    # ---- single faults ----

    def single(self, name):
        lake = self.lane()
        kind, fault = name.split(": ")
        if kind == "final":
            action, code = self.final[fault]
            lake.sim.faults(self.rule(lake.sim, action, path=self.vendor.data, first=2))
        elif kind == "other":
            action, code = self.other[fault]
            conditions = {"path": self.vendor.data, **(self.vendor.one_cell if "path" in action else {}), "first": 2}
            lake.sim.faults(self.rule(lake.sim, action, **conditions))
        elif kind == "harmless":
            action, code = self.harmless[fault], 0
            lake.sim.faults(self.rule(lake.sim, action, path="." if "budget" not in action else self.vendor.data))
        else:
            action, code = TRANSIENT[fault], 3 if fault.startswith(LATE[self.vendor_name]) else 0
            if fault.startswith(EITHER.get(self.vendor_name, ())):
                code = None
            lake.sim.faults(self.rule(lake.sim, action, path=self.vendor.data, first=2))
        if kind == "lasting":  # it does not end within the run
            code = 3
            lake.sim.faults(self.rule(lake.sim, action, **{"path": self.vendor.data, **self.vendor.one_cell}))
        if kind == "early":
            code = 0
            lake.sim.faults(self.rule(lake.sim, action, path=self.vendor.free, first=2))
        done = self.run_and_check(lake)
        destroyed = self.destroyed(lake.sim)
        if destroyed == 0:
            raise Failure("the fault struck nothing: the test is void")
        if code is not None and done.returncode != code:
            raise Failure(f"exit {done.returncode}, not {code}: {done.stderr.strip()[-600:]}")
        if kind == "final" and "foreign" in str(action) and lake.sim.counts()["foreign_requests"]:
            raise Failure("a redirect to another host was followed")
        self.check_calm(lake, destroyed, answered_others=kind == "other")

    def singles(self):
        names = [f"transient: {name}" for name in TRANSIENT] + [f"final: {name}" for name in self.final]
        names += [f"other: {name}" for name in self.other] + [f"harmless: {name}" for name in self.harmless]
        names += [f"lasting: {name}" for name in TRANSIENT if "hang" not in name]
        names += [f"early: {name}" for name in TRANSIENT if not name.startswith(NOT_EARLY[self.vendor_name])]
        return [name for name in names if not any(part in name for part in UNSEEN.get(self.vendor_name, ()))]

    # ---- mixes ----

    def random_rule(self, choice, sim):
        actions = {**TRANSIENT, **{name: action for name, (action, _) in self.final.items()}, **self.harmless,
                   "403": {"status": 403}}
        unseen = UNSEEN.get(self.vendor_name, ())
        actions = {name: action for name, action in actions.items() if not any(part in name for part in unseen)}
        name = choice.choice(sorted(actions))
        conditions = {"name": name, "path": choice.choice(self.paths), "probability": choice.choice((0.03, 0.1, 0.3, 0.7))}
        if "hang" in name:
            conditions.update(path=self.vendor.data, times=1)
        elif "retry_after" in actions[name]:
            conditions["times"] = 2
        elif choice.random() < 0.5:
            conditions["times"] = choice.randint(1, 20)
        if choice.random() < 0.2:
            conditions["after"] = choice.randint(1, 20)
        action = dict(actions[name])
        for key in ("truncate_at", "reset_at", "flip_at"):
            if action.get(key, 0) > 1:
                action[key] = choice.choice((1, 3, 20, 60, 110, 300, 900, 2500))
        if "drip" in action:
            action["drip"] = 6000
        return self.rule(sim, action, **conditions)

    def mix(self, seed):
        choice = random.Random(seed)
        lake = self.lane()
        runs, destroyed = choice.randint(1, MOST_RUNS - 2), 0
        for _ in range(runs):
            lake.sim.faults(*(self.random_rule(choice, lake.sim) for _ in range(choice.randint(1, 4))), seed=seed)
            self.run_and_check(lake, *choice.choice(((), (), ("--max-concurrent", 3), ("--retry-failed",))))
            destroyed += self.destroyed(lake.sim)
        self.check_calm(lake, destroyed)

    def run(self, cases):
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = {pool.submit(self.mix if isinstance(case, int) else self.single, case): case for case in cases}
            for future in concurrent.futures.as_completed(futures):
                case = futures[future]
                try:
                    future.result()
                except Exception as error:
                    failed += 1
                    what = str(error) if isinstance(error, Failure) else traceback.format_exc()
                    replay = f"--vendor {self.vendor_name} " + (f"--replay {case}" if isinstance(case, int) else f"--only '{case}'")
                    print(f"FAILED {case}: {what}\n  replay: {replay}", flush=True)
        return failed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--sim", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--vendor", choices=sync_lakes.VENDORS, default="databento")
    parser.add_argument("--mixes", type=int, default=12)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="single faults whose name contains this, and no mixes")
    parser.add_argument("--replay", type=int, action="append", help="the seed of a mix")
    parser.add_argument("--sample", type=int, help="that many single faults, by the seed, instead of all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    return arguments


def main():
    arguments = parse_arguments()
    folder = sync_lakes.lakes.work_folder()
    began = time.monotonic()
    test = None
    try:
        test = FaultsTest(arguments, folder)
        test.prepare()
        choice = random.Random(arguments.seed)
        singles = [name for name in test.singles() if arguments.only in name]
        if arguments.sample is not None:
            singles = choice.sample(singles, min(arguments.sample, len(singles)))
        mixes = [] if arguments.only else [choice.randrange(1 << 31) for _ in range(arguments.mixes)]
        cases = arguments.replay or singles + mixes
        failed = test.run(cases)
        print(f"summary: {arguments.vendor}, seed {arguments.seed}, {len(cases) - len(mixes)} single faults, {len(mixes)} mixes, "
              f"{time.monotonic() - began:.1f} s")
        print(f"{len(cases) - failed} passed, {failed} failed")
        return 1 if failed or not cases else 0
    finally:
        if test is not None:
            test.close()
        if arguments.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
