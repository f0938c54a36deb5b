#!/usr/bin/env python3
"""Ends `lode sync` in the middle, by SIGKILL at random times and at chosen system calls, and by Ctrl-C; syncs again.

After each end: no cell claims to be complete wrongly. At last: bronze byte for byte that of an undisturbed lake, verify
finds nothing, no file that nothing names (.lode/fetch and .lode/tmp included), another sync has nothing to do.

Bought twice. A delivery is finished when lode has written down that it has the bytes: its sidecar stands in .lode/fetch
beside bytes of the size it says, or the ledger holds its cells. What was finished when the end came is held, and no later
run may have a cell of it delivered again. What the vendor had sent but lode had not finished may be asked for once more:
that is at most the requests in flight, so that N ends cost at most N × --max-concurrent requests more than none; of a vendor
that answers in pages, as many chains of them; of one whose small files come into memory, as many again that wait to be written.

  sync_kills_test.py --lode build/release/lode --sim build/release/lode_vendor_sim --preload build/release/libsyscall_fault.so
  … --kills 30 --seed 7    … --replay 1234567   (one case again, as printed with a failure)
"""
import argparse
import concurrent.futures
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

import simulator
import sync_lakes
from sync_lakes import Failure, lakes

IN_FLIGHT = 4
DELAYS = ({"every": 2, "action": {"delay_ms": 12}}, {"every": 3, "action": {"drip": 100_000}})
MODES = ("time", "time", "call", "call", "interrupt")


def held_cells(lake):
    """Cells whose bytes lode has finished with, however little of the rest."""
    held = set(lake.cells("complete", "empty"))
    for sidecar in (lake.path / ".lode" / "fetch").rglob("*.json"):
        try:
            fetched = json.loads(sidecar.read_text())
        except ValueError:
            raise Failure(f"{sidecar.name} is no whole sidecar")
        data = sidecar.with_suffix(".data")
        if not data.exists() or data.stat().st_size != fetched["size"]:
            raise Failure(f"{sidecar.name} speaks of bytes that are not there")
        held |= {(sidecar.parent.name, symbol, day[0]) for symbol in fetched["symbols"] for day in fetched["days"]}
    for journal in (lake.path / ".lode" / "fetch").rglob("kept.ndjson"):
        for fetched in map(json.loads, journal.read_text().splitlines()):
            data = journal.with_name(fetched["id"] + ".data")
            if data.exists() and data.stat().st_size == fetched["size"]:
                held |= {(journal.parent.name, symbol, day[0]) for symbol in fetched["symbols"] for day in fetched["days"]}
    return held


class KillsTest:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.vendor = sync_lakes.VENDORS[arguments.vendor]
        self.local = threading.local()
        self.sims = []
        self.tally = {}

    def prepare(self):
        """The lake that nothing disturbs, and how long and how many system calls it takes."""
        lake = self.lane()
        began = time.monotonic()
        done = lake.sync("--max-concurrent", IN_FLIGHT)
        self.seconds = time.monotonic() - began
        if done.returncode != 0:
            raise Failure(f"the undisturbed sync exits {done.returncode}: {done.stderr[-600:]}")
        self.bronze, self.sums, self.cells = lake.bronze(), lake.sums(), lake.cells()
        self.requests = lake.sim.counts()["data_requests"]
        lake.check_end(self.bronze)
        lake.check_idle()
        lake = self.lane()
        count = self.folder / "count"
        lake.sync("--max-concurrent", IN_FLIGHT,
                  env=lakes.fault_environment(self.arguments.preload, lake.path, "count", count=count))
        self.calls = lakes.read_count(count)
        if self.calls < 100 or self.requests < 3 * IN_FLIGHT:
            raise Failure(f"{self.calls} system calls and {self.requests} requests: the test is void")

    def close(self):
        for sim in self.sims:
            sim.__exit__()

    def lane(self):
        if not hasattr(self.local, "sim"):
            self.local.sim = simulator.Simulator(self.arguments.sim, "--today", self.vendor.today, "--seed", 5,
                                                 *self.vendor.simulator)
            self.sims.append(self.local.sim)
        sim = self.local.sim
        sim.faults(*({"path": self.vendor.data, **rule} for rule in DELAYS))
        sim.clear_counts()
        return sync_lakes.SyncLake(self.folder / f"lane-{threading.get_ident()}", self.arguments.lode, sim,
                                   self.arguments.vendor)

    def delivered(self, sim):
        """{cell: times it was delivered whole}, once the vendor has stopped sending to the dead."""
        before = None
        while True:
            counts = sim.counts(full=True)
            if counts == before:
                break
            before = counts
            time.sleep(0.15)  # a dripped answer may count up to 0.1 s after its last byte
        times = {(self.vendor.of_schema[schema], symbol, day): number for schema, cells in counts["cells"].items()
                 for symbol, cell in cells.items() for day, number in cell["by_day"].items()}
        return times, counts["data_requests"]

    def end_one(self, lake, choice):
        """A sync that ends in the middle, or not; how."""
        mode = choice.choice(MODES)
        env, wait = None, None
        if mode == "call":
            env = lakes.fault_environment(self.arguments.preload, lake.path, choice.choice(("kill-before", "kill-after")),
                                          choice.randint(1, self.calls))
        else:
            wait = choice.uniform(0, self.seconds)
        process = subprocess.Popen(lake.command("sync", "-e", self.vendor.last, "--max-cost", 1000, "--quiet",
                                                "--max-concurrent", IN_FLIGHT),
                                   env=lake.environment(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            output, _ = process.communicate(timeout=wait or sync_lakes.TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT if mode == "interrupt" else signal.SIGKILL)
            output, _ = process.communicate(timeout=sync_lakes.TIMEOUT_S)
        lake.output.append(output)
        code = process.returncode
        if code not in ((0, 130) if mode == "interrupt" else (0, -9)):
            # Before lode has set up its handler, Ctrl-C is the system's.
            if not (mode == "interrupt" and code == -signal.SIGINT):
                raise Failure(f"exit {code} of mode {mode}: {output.strip()[-400:]}")
        return f"{mode} {'ended' if code == 0 else 'killed' if code < 0 else 'stopped'}"

    def case(self, seed):
        choice = random.Random(seed)
        lake = self.lane()
        delivered, ends = {}, choice.choice((1, 1, 2, 4))
        for last in [False] * ends + [True]:
            held = held_cells(lake)
            before = delivered
            if last:
                done = lake.sync("--max-concurrent", IN_FLIGHT)
                if done.returncode != 0:
                    raise Failure(f"the sync after exits {done.returncode}: {done.stderr.strip()[-600:]}")
            else:
                how = self.end_one(lake, choice)
                self.tally[how] = self.tally.get(how, 0) + 1
            delivered, requests = self.delivered(lake.sim)
            again = sorted(cell for cell in held if delivered.get(cell, 0) > before.get(cell, 0))
            if again:
                raise Failure(f"{len(again)} cells that were held were bought again: {again[:4]}")
            lake.check_claims(self.sums)
        # Of free ones 8 MiB may wait to be written: here, all.
        may_be_lost = self.requests if self.vendor.in_memory else IN_FLIGHT * self.vendor.pages
        if requests > self.requests + ends * may_be_lost:
            raise Failure(f"{requests} data requests with {ends} ends, {self.requests} without any")
        if lake.cells() != self.cells:
            raise Failure(f"cells differ: {sorted(set(lake.cells().items()) ^ set(self.cells.items()))[:4]}")
        lake.check_end(self.bronze)
        lake.check_idle()
        lake.check_secret()

    def run(self, seeds):
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = {pool.submit(self.case, seed): seed for seed in seeds}
            for future in concurrent.futures.as_completed(futures):
                try:
                    future.result()
                except Exception as error:
                    failed += 1
                    what = str(error) if isinstance(error, Failure) else traceback.format_exc()
                    print(f"FAILED {futures[future]}: {what}\n  replay: --vendor {self.arguments.vendor} "
                          f"--replay {futures[future]}", flush=True)
        return failed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--lode", "--sim", "--preload"):
        parser.add_argument(name, required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--vendor", choices=sync_lakes.VENDORS, default="databento")
    parser.add_argument("--kills", type=int, default=20, help="cases; a case ends one to four syncs")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--replay", type=int, action="append", help="the seed of a case")
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
    test = None
    try:
        test = KillsTest(arguments, folder)
        test.prepare()
        choice = random.Random(arguments.seed)
        cases = arguments.replay or [choice.randrange(1 << 31) for _ in range(arguments.kills)]
        failed = test.run(cases)
        print(f"summary: {arguments.vendor}, seed {arguments.seed}, {test.requests} requests and {test.calls} system calls a sync, "
              f"{sum(test.tally.values())} ends {dict(sorted(test.tally.items()))}, {time.monotonic() - began:.1f} s")
        print(f"{len(cases) - failed} passed, {failed} failed")
        return 1 if failed else 0
    finally:
        if test is not None:
            test.close()
        if arguments.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
