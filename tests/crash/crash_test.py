#!/usr/bin/env python3
"""Kills lode at every system call that changes the lake, and at random times; makes disks full and read-only.

After a kill: no partition is half written, `verify` finds no damage, and running again gives bronze byte for byte as an
undisturbed run, nothing in .lode/tmp, and a ledger that a rebuild makes equal. After a failure: exit 6 with bronze as it
was, but for units that were over (or the run recovered), and a later run succeeds.

  crash_test.py --lode build/release/lode --fixtures build/release/lode_fixtures --preload build/release/libsyscall_fault.so
  crash_test.py --lode build/release/publish_probe --probe --preload …        (publish alone, no decoders)
  … --sample 200 --random 50 --seed 7        a seeded sample instead of everything
  … --replay second:kill-before:117          one case again, as printed with a failure
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

import lakes
from lakes import Failure

PHASES = ("first", "second")
KILLS = ("kill-before", "kill-after")
# mode, errno, sticky: what a full or a dying disk does.
FAULTS = (("error", "ENOSPC", False), ("error", "ENOSPC", True), ("error", "EIO", False), ("error", "EROFS", True),
          ("short", "", False))
EXIT_STORAGE = 6


class CrashTest:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        if arguments.probe:
            inputs = lakes.make_probe_input(folder / "input")
        elif arguments.first:
            inputs = (arguments.first.resolve(), arguments.second.resolve())
        else:
            inputs = lakes.make_fixture_input(arguments.fixtures, folder / "input", arguments.seed)
        self.lode = lakes.Lode(arguments.lode, *inputs)
        self.base = {"first": folder / "base-first", "second": folder / "base-second"}
        self.reference = {}
        self.base_tree = {}
        self.calls = {}
        self.seconds = {}
        self.local = threading.local()
        self.lanes = 0

    def prepare(self):
        """The lakes every case starts from, the bronze it must end with, and the number of calls of each import."""
        lake = self.base["first"]
        self.lode.must(lake, "init")
        for phase in PHASES:
            self.base_tree[phase] = lakes.tree(lake / "bronze")
            counted = self.folder / "counted"
            lakes.copy_lake(lake, counted)
            began = time.monotonic()
            self.lode.must(counted, *self.lode.import_words(phase))
            self.seconds[phase] = time.monotonic() - began
            self.reference[phase] = lakes.tree(counted / "bronze")
            if self.reference[phase] == self.base_tree[phase]:
                raise Failure(f"the {phase} import changes nothing: the test is void")
            lakes.check_lake(self.lode, counted, self.reference[phase])
            before = lakes.snapshot(counted)
            self.lode.must(counted, *self.lode.import_words(phase))
            if lakes.snapshot(counted) != before:
                raise Failure("the same import again wrote into the lake")
            if phase == "first":
                lakes.copy_lake(counted, self.base["second"])
            lakes.copy_lake(self.base[phase], counted)
            count = self.folder / "count"
            env = lakes.fault_environment(self.arguments.preload, counted, "count", count=count)
            done = self.lode.run(counted, *self.lode.import_words(phase), env=env)
            self.calls[phase] = lakes.read_count(count)
            if done.returncode != 0 or self.calls[phase] < 10:
                raise Failure(f"counting calls of {phase}: exit {done.returncode}, {self.calls[phase]} calls")
            count.unlink()
            lake = self.base["second"]
        replaced = [p for p in self.base_tree["second"] if self.base_tree["second"][p] != self.reference["second"].get(p)]
        if not replaced:
            raise Failure("the second import replaces no partition: the test is void")

    def cases(self):
        kills = [f"{phase}:{mode}:{n}" for phase in PHASES for n in range(1, self.calls[phase] + 1) for mode in KILLS]
        faults = [":".join(filter(None, (phase, mode, str(n), error, "sticky" if sticky else "")))
                  for phase in PHASES for n in range(1, self.calls[phase] + 1) for mode, error, sticky in FAULTS]
        choice = random.Random(self.arguments.seed)
        if self.arguments.sample is not None:
            kills = choice.sample(kills, min(self.arguments.sample, len(kills)))
        wanted = self.arguments.sample if self.arguments.faults is None else self.arguments.faults
        if wanted is not None:
            faults = choice.sample(faults, min(wanted, len(faults)))
        times = [f"{phase}:time:{choice.uniform(0, 1.1 * self.seconds[phase]):.6f}"
                 for phase in choice.choices(PHASES, k=self.arguments.random)]
        return kills + faults + times

    def lane(self):
        """A folder of this thread's own."""
        if not hasattr(self.local, "folder"):
            self.lanes += 1
            self.local.folder = self.folder / f"lane-{threading.get_ident()}"
            self.local.folder.mkdir()
        return self.local.folder

    def run_case(self, case):
        phase, mode, at, *rest = case.split(":")
        lake = self.lane() / "lake"
        lakes.copy_lake(self.base[phase], lake)
        words = self.lode.import_words(phase)
        if mode == "time":
            code = self.run_and_kill(lake, words, float(at))
        else:
            error = rest[0] if rest else "ENOSPC"
            env = lakes.fault_environment(self.arguments.preload, lake, mode, at, error, "sticky" in rest)
            done = self.lode.run(lake, *words, env=env)
            code = done.returncode
            if mode in KILLS and code != -9:
                raise Failure(f"exit {code} instead of a kill: {done.stderr.strip()[-300:]}")
            if mode == "short" and code != 0:
                raise Failure(f"exit {code} after a short write: {done.stderr.strip()[-300:]}")
            if mode == "error":
                self.check_failed_run(phase, lake, done, case)
        self.check_between(phase, lake)
        self.lode.must(lake, *words)
        lakes.check_lake(self.lode, lake, self.reference[phase])
        return code

    def run_and_kill(self, lake, words, seconds):
        process = subprocess.Popen(self.lode.command(lake, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def check_failed_run(self, phase, lake, done, case):
        bronze = lakes.tree(lake / "bronze")
        if done.returncode == 0:
            if bronze != self.reference[phase]:
                raise Failure(f"exit 0 and bronze differs: {lakes.difference(bronze, self.reference[phase])}")
            return
        if done.returncode != EXIT_STORAGE:
            raise Failure(f"exit {done.returncode}, not {EXIT_STORAGE}: {done.stderr.strip()[-300:]}")
        if not done.stderr.strip():
            raise Failure("exit 6 without a word")
        # A disk that turns read-only between two renames lets nobody take the first one back. Units that were over
        # before the failure stay.
        published = lakes.published(lake)
        changed = [name for name, sha256 in bronze.items() if self.base_tree[phase].get(name) != sha256]
        unpublished = [name for name in changed if (name, bronze[name]) not in published]
        lost = [name for name in self.base_tree[phase] if name not in bronze]
        if "EROFS" not in case and unpublished + lost:
            raise Failure(f"exit 6 and bronze changed without receipt: {unpublished + lost}")

    def check_between(self, phase, lake):
        """Before anybody repairs: each partition is one whole version, and verification neither writes nor panics."""
        for name, sha256 in lakes.tree(lake / "bronze").items():
            if sha256 not in (self.base_tree[phase].get(name), self.reference[phase].get(name)):
                raise Failure(f"{name} is no whole version")
        before = lakes.snapshot(lake)
        self.lode.must(lake, "verify")
        if lakes.snapshot(lake) != before:
            raise Failure("verify wrote into a lake a killed run left")

    def run(self, cases):
        failures, done = [], 0
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = {pool.submit(self.run_case, case): case for case in cases}
            for future in concurrent.futures.as_completed(futures):
                done += 1
                try:
                    future.result()
                except (Failure, subprocess.TimeoutExpired) as failure:
                    failures.append(futures[future])
                    print(f"FAILED {futures[future]}: {failure}\n  replay: --seed {self.arguments.seed} "
                          f"--replay {futures[future]}", flush=True)
                    if len(failures) >= self.arguments.max_failures:
                        pool.shutdown(cancel_futures=True)
                        break
        return failures, done


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=pathlib.Path)
    parser.add_argument("--preload", required=True, type=pathlib.Path, help="libsyscall_fault.so")
    parser.add_argument("--probe", action="store_true", help="--lode is publish_probe")
    parser.add_argument("--fixtures", type=pathlib.Path, help="lode_fixtures, makes the input")
    parser.add_argument("--first", type=pathlib.Path, help="input of the first import instead of --fixtures")
    parser.add_argument("--second", type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="this many kills (and faults) instead of all")
    parser.add_argument("--faults", type=int, help="this many full and dying disks; default as --sample")
    parser.add_argument("--random", type=int, default=0, help="kills at this many random times")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-failures", type=int, default=10)
    parser.add_argument("--replay", action="append", help="PHASE:MODE:N[:ERRNO[:sticky]]")
    parser.add_argument("--keep", action="store_true", help="keep the folder for temporaries")
    arguments = parser.parse_args()
    if not (arguments.probe or arguments.fixtures or (arguments.first and arguments.second)):
        parser.error("give --probe, --fixtures, or --first and --second")
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    return arguments


def main():
    arguments = parse_arguments()
    folder = lakes.work_folder()
    began = time.monotonic()
    try:
        test = CrashTest(arguments, folder)
        test.prepare()
        cases = arguments.replay or test.cases()
        failures, done = test.run(cases)
        calls = ", ".join(f"{phase} import {test.calls[phase]} calls" for phase in PHASES)
        kinds = {}
        for case in cases:
            mode = case.split(":")[1]
            kinds[mode] = kinds.get(mode, 0) + 1
        print(f"crash test: seed {arguments.seed}, {calls}; {done} cases {kinds}, {len(failures)} failed, "
              f"{time.monotonic() - began:.1f} s")
        return 1 if failures else 0
    except Failure as failure:
        print(f"crash test: seed {arguments.seed}: {failure}")
        return 1
    finally:
        if arguments.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
