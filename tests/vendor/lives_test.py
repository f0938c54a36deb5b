#!/usr/bin/env python3
"""Random sequences of what happens to a lake in its life, with a printed seed each; then one calm sync.

A step is a sync of some days and symbols, one that is killed, interrupted or meets faults, a refetch, a `--gaps-file`, a
`--retry-failed`, an import of a file bought elsewhere, a `clean` (killed or not), files deleted, cut or put in place of others, the ledger deleted or
rebuilt, the lake moved, a vendor that revises days, loses them for a while or refuses them. After each: no cell claims to
be complete wrongly. At last, after one sync: bronze byte for byte that of a lake that was synced once from the vendor as it
stands then, the same cells in the same states, verify finds nothing, a rebuilt ledger equals the one there was, no file that
nothing names, and another sync has nothing to do. So ledger = lake = expected.

  lives_test.py --lode build/release/lode --sim build/release/lode_vendor_sim --preload build/release/libsyscall_fault.so
  … --seeds 100 --seed 7    … --replay 1234567   (one sequence again, as printed with a failure)
"""
import argparse
import base64
import concurrent.futures
import datetime
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
import urllib.request

import simulator
import sync_lakes
from sync_lakes import Failure, lakes

IN_FLIGHT = 4
VENDORS = ("databento", "databento", "databento", "polygon", "tardis", "fred", "polygon_rest")
# What a vendor does on a bad day; by `probability`, so that some of a run gets through.
FAULTS = ({"status": 500}, {"status": 429, "retry_after": 0}, {"status": 503}, {"status": 404}, {"status": 422},
          {"truncate_at": 300}, {"truncate_at": 2000, "framing": "length"}, {"reset_at": 0}, {"reset_at": 700}, {"delay_ms": 30},
          {"html": True}, {"empty": True})
FLIP = {"flip_at": 100}  # JSON has no checksum: a wrong digit is a digit
EXIT_CODES = {0, 3, 4, 5}  # of a sync that meets a vendor's bad day


def day_of(text):
    return datetime.date.fromisoformat(text)


class Sequence:
    """One lake's life."""

    def __init__(self, test, seed):
        self.choice = random.Random(seed)
        self.test = test
        self.vendor_name = self.choice.choice(VENDORS) if test.arguments.vendor is None else test.arguments.vendor
        self.vendor = sync_lakes.VENDORS[self.vendor_name]
        self.sim = simulator.Simulator(test.arguments.sim, "--today", self.vendor.today, "--seed", 5, *self.vendor.simulator)
        self.folder = test.folder / str(seed)
        self.lake = sync_lakes.SyncLake(self.folder / "life", test.arguments.lode, self.sim, self.vendor_name)
        self.starts = {name: day_of(re.search(r"^start = (\S+)", text, re.M)[1])
                       for name, text in self.lake.datasets.items()}
        self.faults = FAULTS if self.vendor_name in ("fred", "polygon_rest") else (*FAULTS, FLIP)
        self.steps, self.revisions = [], 0
        self.expired = False
        self.restore = []  # what the vendor must be told at the end

    # The vendor.

    def some_days(self, most=4):
        last = day_of(self.vendor.last)
        days = {last - datetime.timedelta(days=self.choice.randrange(25)) for _ in range(self.choice.randint(1, most))}
        return sorted(day.isoformat() for day in days)

    def revise(self):
        days = self.some_days()
        if self.vendor_name == "databento":
            # The vendor tells revisions apart by their date alone.
            self.revisions += 1
            modified = day_of(self.vendor.today) + datetime.timedelta(days=self.revisions)
            self.sim.control("revise", {"dataset": "GLBX.MDP3", "days": days, "last_modified_date": modified.isoformat()})
        elif self.vendor_name == "polygon":
            self.sim.control("flatfiles", {"flat_file": "us_stocks_sip/day_aggs_v1", "revise": days})
        elif self.vendor_name == "fred" and self.revisions == 0:  # a vintage is a date too
            self.revisions += 1
            self.sim.control("fred", {"series_id": "UNRATE", "dates": ["2022-03-01"]})
        else:
            return None
        return days

    def lose_days(self):
        days = self.some_days(2)
        if self.vendor_name == "databento":
            state = self.choice.choice(("missing", "pending"))
            self.sim.control("condition", {"dataset": "GLBX.MDP3", "days": days, "condition": state})
            self.restore.append(("condition", {"dataset": "GLBX.MDP3", "days": days, "condition": "available"}))
        elif self.vendor_name == "polygon":
            kind = self.choice.choice(("us_stocks_sip/day_aggs_v1", "us_stocks_sip/trades_v1"))
            self.sim.control("flatfiles", {"flat_file": kind, "remove": days})
            self.restore.append(("flatfiles", {"flat_file": kind, "restore": days}))
        elif self.vendor_name == "tardis":
            self.sim.control("tardis", {"exported_until": days[0]})
            self.restore.append(("tardis", {"exported_until": None}))
        else:
            return None
        return days

    def refuse(self):
        if self.vendor_name == "polygon":
            self.sim.control("flatfiles", {"entitled_from": self.some_days(1)[0]})
            self.restore.append(("flatfiles", {"entitled_from": "2003-01-01"}))
        elif self.vendor_name == "tardis":
            self.sim.control("tardis", {"plan_from": "2024-01-02"})
            self.restore.append(("tardis", {"plan_from": None}))
        else:
            return None
        return "refuse"

    # Runs.

    def range_words(self):
        """Of one dataset, or all; never from before its first day, where the last sync does not look."""
        names = list(self.lake.datasets)
        name = self.choice.choice(names) if self.choice.random() < 0.6 else None
        starts = [self.starts[one] for one in names if name in (None, one)]
        words = [name] if name else []
        if self.choice.random() < 0.6:
            first, last = max(starts), day_of(self.vendor.last)
            days = sorted(first + datetime.timedelta(days=self.choice.randint(0, (last - first).days)) for _ in range(2))
            words += ["-s", days[0].isoformat()] if self.choice.random() < 0.8 else []
            return [*words, "-e", days[1].isoformat()]
        return [*words, "-e", self.vendor.last]

    def run(self, *words, codes=EXIT_CODES, env=None):
        done = self.lake.run("sync", "--max-cost", 1000, "--max-concurrent", IN_FLIGHT, *words, env=env)
        if done.returncode not in codes:
            raise Failure(f"sync {' '.join(map(str, words))} exits {done.returncode}: {done.stderr.strip()[-500:]}")
        return words, done.returncode

    def sync(self):
        return self.run(*self.range_words(), *(["--refetch"] if self.choice.random() < 0.15 else []))

    def retry(self):
        return self.run("--retry-failed", "-e", self.vendor.last)

    def faulty_sync(self):
        rules = []
        for _ in range(self.choice.randint(1, 2)):
            action = self.choice.choice(self.faults)
            # What tells what there is and answers 404 knows no such dataset or exchange: a mistake in lode.toml.
            paths = (self.vendor.data,) if action.get("status") in (404, 422) else (self.vendor.data, self.vendor.data, self.vendor.free)
            rules.append({"path": self.choice.choice(paths), "probability": self.choice.choice((0.1, 0.3, 1)), "action": action})
        self.sim.faults(*rules, seed=self.choice.randrange(1 << 31))
        try:
            return rules, self.run(*self.range_words())
        finally:
            self.sim.faults()

    def killed_sync(self):
        words = self.range_words()
        if self.choice.random() < 0.6:
            at = int(10 ** self.choice.uniform(1, 3.4))
            mode = self.choice.choice(("kill-before", "kill-after"))
            env = lakes.fault_environment(self.test.arguments.preload, self.lake.path, mode, at)
            return mode, at, self.run(*words, codes=EXIT_CODES | {-9}, env=env)
        process = subprocess.Popen(
            self.lake.command("sync", "--max-cost", 1000, "--quiet", "--max-concurrent", IN_FLIGHT, *words),
            env=self.lake.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        name = self.choice.choice(("SIGINT", "SIGTERM", "SIGKILL"))
        try:
            process.communicate(timeout=self.choice.uniform(0.02, 0.4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.Signals[name])
            process.communicate(timeout=sync_lakes.TIMEOUT_S)
        # Before lode has set up its handler, a signal does what the system does.
        if process.returncode not in EXIT_CODES | {130, -9, -2, -15}:
            raise Failure(f"a sync ended by {name} exits {process.returncode}")
        return name, words

    def gaps_file(self):
        if not (self.lake.path / ".lode" / "ledger.sqlite").exists():
            return None
        file = self.folder / "gaps.json"
        done = self.lake.run("gaps", "-o", file)
        if done.returncode not in (0, 4):
            raise Failure(f"gaps exits {done.returncode}: {done.stderr.strip()[-300:]}")
        return self.run("--gaps-file", file)

    def import_file(self):
        """A file that was bought elsewhere: some months of daily bars of one root."""
        if self.vendor_name != "databento":
            return None
        symbol = self.choice.choice(("ZL.FUT", "NQ.FUT"))
        first = datetime.date(2022, self.choice.randint(6, 12), 1)
        form = urllib.parse.urlencode({
            "dataset": "GLBX.MDP3", "schema": "ohlcv-1d", "symbols": symbol, "stype_in": "parent", "stype_out": "instrument_id",
            "start": first.isoformat(), "end": (first + datetime.timedelta(days=20)).isoformat(), "encoding": "dbn",
            "compression": "zstd"}).encode()
        request = urllib.request.Request(f"{self.sim.url}/v0/timeseries.get_range", data=form)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.sim.key}:".encode()).decode())
        file = self.folder / f"{symbol}-{first}.dbn.zst"
        with urllib.request.urlopen(request, timeout=30) as answer:
            file.write_bytes(answer.read())
        done = self.lake.run("import", file, "--dataset", "daily")
        # A lost file of bronze whose landing was cleaned is the vendor's to bring again: import says so and takes nothing in.
        is_cleaned = any(name == "clean" for name, _ in self.steps)
        if done.returncode == 4 and is_cleaned and "cannot be written again without landing" in done.stderr:
            return "refused"
        if done.returncode != 0:
            raise Failure(f"import exits {done.returncode}: {done.stderr.strip()[-500:]}")
        return file.name

    # Somebody's hands in the lake.

    def bronze_files(self):
        return sorted(path for path in (self.lake.path / "bronze").rglob("*") if path.is_file())

    def delete_files(self):
        files = self.bronze_files()
        gone = self.choice.sample(files, min(len(files), self.choice.choice((1, 1, 2, 5))))
        for path in gone:
            path.unlink()
        return [path.name for path in gone]

    def cut_file(self):
        files = self.bronze_files()
        if not files:
            return None
        path = self.choice.choice(files)
        path.write_bytes(path.read_bytes()[: self.choice.randrange(path.stat().st_size)])
        return path.name

    def delete_ledger(self):
        for path in (self.lake.path / ".lode").glob("ledger.sqlite*"):
            path.unlink()
        return "gone"

    def rebuild(self):
        if not (self.lake.path / "receipts").exists():
            return None
        self.lake.must("ledger", "rebuild")
        return "rebuilt"

    def clean(self):
        """Of a layer all that is old, and here all is: landing, or bronze, which the last sync then fetches again."""
        # A snapshot cannot be had a second time.
        layers = ("landing",) if self.vendor_name == "polygon_rest" else ("landing", "bronze")
        layer, env = self.choice.choice(layers), None
        if not self.lake.path.exists():
            return None
        if self.choice.random() < 0.5:
            mode = self.choice.choice(("kill-before", "kill-after"))
            env = lakes.fault_environment(self.test.arguments.preload, self.lake.path, mode, self.choice.randint(1, 120))
        done = self.lake.run("clean", "--layer", layer, "--keep-days", 1, env=env)
        if done.returncode not in ({0, -9} if env else {0}):
            raise Failure(f"clean exits {done.returncode}: {done.stderr.strip()[-500:]}")
        self.expired = self.expired or layer == "bronze"
        return layer, done.returncode

    def move(self):
        if not self.lake.path.exists():
            return None
        other = self.lake.path.with_name("moved" if self.lake.path.name == "lake" else "lake")
        self.lake.path.rename(other)
        text = self.lake.config.read_text().replace(f'root = "{self.lake.path}"', f'root = "{other}"')
        self.lake.config.write_text(text)
        self.lake.path = other
        return other.name

    # All of it.

    def run_steps(self):
        steps = (self.sync, self.sync, self.sync, self.retry, self.faulty_sync, self.faulty_sync, self.killed_sync,
                 self.killed_sync, self.gaps_file, self.import_file, self.delete_files, self.delete_files, self.cut_file,
                 self.delete_ledger, self.rebuild, self.clean, self.clean, self.move, self.revise, self.lose_days, self.refuse)
        for _ in range(self.choice.randint(3, 8)):
            step = self.choice.choice(steps)
            what = step()
            if what is not None:
                self.steps.append((step.__name__, what))
                self.test.count(step.__name__)

    @staticmethod
    def settled(lake):
        """States of cells. Of a root before it lists the vendor says so when it is asked for nothing else, and sends no
        record when it is asked for others too."""
        return {cell: "empty" if state == "not_listed" else state for cell, state in lake.cells().items()}

    def finish(self):
        self.sim.faults()
        for action, body in self.restore:
            self.sim.control(action, body)
        # A refusal is settled until it is asked for again.
        for words in (("--refetch",) if self.expired else (), (), ("--retry-failed",)):
            done = self.lake.sync(*words)
            if done.returncode != 0:
                raise Failure(f"the last sync exits {done.returncode}: {done.stderr.strip()[-600:]}")
        fresh = sync_lakes.SyncLake(self.folder / "fresh", self.test.arguments.lode, self.sim, self.vendor_name)
        done = fresh.sync()
        if done.returncode != 0:
            raise Failure(f"the undisturbed sync exits {done.returncode}: {done.stderr.strip()[-600:]}")
        self.lake.check_end(fresh.bronze())
        states, wanted = self.settled(self.lake), self.settled(fresh)
        # The day beside a listing that speaks for those beyond it is the last one of the days a run was about.
        beside = self.lake.cells("not_listed")
        states = {cell: state for cell, state in states.items() if cell in wanted or cell not in beside}
        # A file that was imported speaks of every day of its range; the vendor's list leaves Saturdays out.
        if any(name == "import_file" for name, _ in self.steps):
            states = {cell: state for cell, state in states.items() if state != "empty" or cell in wanted}
        if states != wanted:
            raise Failure(f"cells differ: {sorted(set(states.items()) ^ set(wanted.items()))[:6]}")
        self.lake.check_claims(fresh.sums())
        gaps = self.lake.run("gaps", "--json")
        if gaps.returncode not in (0, 4):
            raise Failure(f"gaps exits {gaps.returncode}")
        rows = lakes.ledger_rows(self.lake.path)
        self.lake.must("ledger", "rebuild")
        if lakes.ledger_rows(self.lake.path) != rows:
            raise Failure("the rebuilt ledger differs")
        self.lake.check_idle()
        self.lake.check_secret()

    def live(self):
        try:
            self.run_steps()
            self.finish()
        except Exception as error:
            error.steps = [self.vendor_name, *self.steps]
            raise
        finally:
            self.sim.__exit__()
            if not self.test.arguments.keep:
                shutil.rmtree(self.folder, ignore_errors=True)


class SequencesTest:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.lock = threading.Lock()
        self.tally = {}

    def count(self, name):
        with self.lock:
            self.tally[name] = self.tally.get(name, 0) + 1

    def run(self, seeds):
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = {pool.submit(lambda seed: Sequence(self, seed).live(), seed): seed for seed in seeds}
            for future in concurrent.futures.as_completed(futures):
                try:
                    future.result()
                except Exception as error:
                    failed += 1
                    what = str(error) if isinstance(error, Failure) else traceback.format_exc()
                    print(f"FAILED {futures[future]}: {what}\n  steps: {getattr(error, 'steps', [])}\n  replay: --replay "
                          f"{futures[future]}", flush=True)
        return failed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--lode", "--sim", "--preload"):
        parser.add_argument(name, required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--vendor", choices=sync_lakes.VENDORS, help="only this one; changes what a seed does")
    parser.add_argument("--seeds", type=int, default=20, help="sequences")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--replay", type=int, action="append", help="the seed of a sequence")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    return arguments


def main():
    arguments = parse_arguments()
    folder = lakes.work_folder()
    began = time.monotonic()
    try:
        test = SequencesTest(arguments, folder)
        choice = random.Random(arguments.seed)
        seeds = arguments.replay or [choice.randrange(1 << 31) for _ in range(arguments.seeds)]
        failed = test.run(seeds)
        print(f"summary: seed {arguments.seed}, {len(seeds)} sequences, {sum(test.tally.values())} steps "
              f"{dict(sorted(test.tally.items()))}, {time.monotonic() - began:.1f} s")
        print(f"{len(seeds) - failed} passed, {failed} failed")
        return 1 if failed else 0
    finally:
        if arguments.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
