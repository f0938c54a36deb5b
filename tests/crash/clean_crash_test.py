#!/usr/bin/env python3
"""`lode clean`, killed at every system call that changes the lake; and on disks that fail.

After a kill: verification finds no damage and writes nothing, no partition that the ledger names is lost, and cleaning
again gives landing and bronze as an undisturbed run, with a ledger that a rebuild makes equal. After a failed call: exit
6 or 0, and the same.

  clean_crash_test.py --lode build/release/lode --fixtures build/release/lode_fixtures --preload build/release/libsyscall_fault.so
  … --sample 40 --seed 7             a seeded sample of the cases instead of all
  … --replay bronze:kill-before:12   one case again, as printed with a failure
"""
import argparse
import concurrent.futures
import datetime
import json
import pathlib
import random
import shutil
import sys
import threading
import time

import lakes
from lakes import Failure

LAYERS = ("landing", "bronze")
KILLS = ("kill-before", "kill-after")
FAULTS = (("error", "ENOSPC", ""), ("error", "EIO", ""), ("error", "EROFS", "sticky"))
# The partition month=2024-01 is old, month=2024-02 is not; of landing, the files of January and the first of February.
KEEP_FROM = {"landing": datetime.date(2024, 2, 3), "bronze": datetime.date(2024, 2, 1)}


def words(layer):
    days = (datetime.datetime.now(datetime.timezone.utc).date() - KEEP_FROM[layer]).days
    return ["clean", "--layer", layer, "--keep-days", days]


class CleanCrashTest:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        first, second = lakes.make_fixture_input(arguments.fixtures, folder / "input", arguments.seed)
        self.lode = lakes.Lode(arguments.lode, first, second)
        self.base, self.reference, self.calls = folder / "base", {}, {}
        self.local = threading.local()

    def prepare(self):
        self.lode.must(self.base, "init")
        for phase in ("first", "second"):
            self.lode.must(self.base, *self.lode.import_words(phase))
        before = self.files(self.base)
        for layer in LAYERS:
            lake, count = self.folder / layer, self.folder / "count"
            lakes.copy_lake(self.base, lake)
            env = lakes.fault_environment(self.arguments.preload, lake, "count", count=count)
            done = self.lode.run(lake, *words(layer), env=env)
            self.calls[layer] = lakes.read_count(count)
            count.unlink()
            if done.returncode != 0 or self.calls[layer] < 10:
                raise Failure(f"clean of {layer}: exit {done.returncode}, {self.calls[layer]} calls: {done.stderr}")
            self.reference[layer] = self.files(lake)
            other = LAYERS[1 - LAYERS.index(layer)]
            if self.reference[layer][layer] == before[layer] or self.reference[layer][other] != before[other]:
                raise Failure(f"clean of {layer} did not remove files of {layer} alone")
            if not self.reference[layer][layer]:
                raise Failure(f"clean of {layer} removed all: the test is void")
            lakes.check_lake(self.lode, lake, self.reference[layer]["bronze"])

    @staticmethod
    def files(lake):
        return {layer: lakes.tree(lake / layer) for layer in LAYERS}

    def cases(self):
        kills = [f"{layer}:{mode}:{n}" for layer in LAYERS for n in range(1, self.calls[layer] + 1) for mode in KILLS]
        faults = [":".join(filter(None, (layer, mode, str(n), error, sticky)))
                  for layer in LAYERS for n in range(1, self.calls[layer] + 1) for mode, error, sticky in FAULTS]
        cases = kills + faults
        if self.arguments.sample is None:
            return cases
        return random.Random(self.arguments.seed).sample(cases, min(self.arguments.sample, len(cases)))

    def run_case(self, case):
        layer, mode, at, *rest = case.split(":")
        if not hasattr(self.local, "folder"):
            self.local.folder = self.folder / f"lane-{threading.get_ident()}"
            self.local.folder.mkdir()
        lake = self.local.folder / "lake"
        lakes.copy_lake(self.base, lake)
        env = lakes.fault_environment(self.arguments.preload, lake, mode, at, (rest + ["ENOSPC"])[0], "sticky" in rest)
        done = self.lode.run(lake, *words(layer), env=env)
        allowed = (-9,) if mode in KILLS else (0, 6)
        if done.returncode not in allowed:
            raise Failure(f"exit {done.returncode}, not one of {allowed}: {done.stderr.strip()[-300:]}")
        self.check_between(lake)
        self.lode.must(lake, *words(layer))
        for name, wanted in self.reference[layer].items():
            found = lakes.tree(lake / name)
            if found != wanted:
                raise Failure(f"{name} differs from an undisturbed run: {lakes.difference(found, wanted)}")
        lakes.check_lake(self.lode, lake, self.reference[layer]["bronze"])

    def check_between(self, lake):
        """Before anybody finishes it: what the ledger names is there, and verification neither writes nor complains."""
        before = lakes.snapshot(lake)
        self.lode.must(lake, "verify")
        for line in self.lode.must(lake, "status", "--json").stdout.splitlines():
            lost = json.loads(line).get("partitions_lost", 0)
            if lost:
                raise Failure(f"{lost} partitions are gone that the ledger names")
        if lakes.snapshot(lake) != before:
            raise Failure("looking at a lake that a killed run left wrote into it")

    def run(self, cases):
        failures = 0
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = {pool.submit(self.run_case, case): case for case in cases}
            for future in concurrent.futures.as_completed(futures):
                try:
                    future.result()
                except Failure as failure:
                    failures += 1
                    print(f"FAILED {futures[future]}: {failure}\n  replay: --seed {self.arguments.seed} "
                          f"--replay {futures[future]}", flush=True)
        return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=pathlib.Path)
    parser.add_argument("--fixtures", required=True, type=pathlib.Path, help="lode_fixtures, makes the input")
    parser.add_argument("--preload", required=True, type=pathlib.Path, help="libsyscall_fault.so")
    parser.add_argument("--sample", type=int, help="this many cases instead of all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", action="append", help="LAYER:MODE:N[:ERRNO[:sticky]]")
    arguments = parser.parse_args()
    folder, began = lakes.work_folder(), time.monotonic()
    try:
        test = CleanCrashTest(arguments, folder)
        test.prepare()
        cases = arguments.replay or test.cases()
        failures = test.run(cases)
        calls = ", ".join(f"{layer} {test.calls[layer]} calls" for layer in LAYERS)
        print(f"summary: clean: seed {arguments.seed}, {calls}, {time.monotonic() - began:.1f} s")
        print(f"{len(cases) - failures} passed, {failures} failed")
        return 1 if failures else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
