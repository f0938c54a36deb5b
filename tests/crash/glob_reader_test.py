#!/usr/bin/env python3
"""A reader that globs bronze in a loop while imports rewrite its partitions never sees a wrong row count.

A dry pass gives the legal versions: SHA-256 of every partition file and (files, rows, sum of volume) of the whole glob
after each import. Then the same imports run in a fresh lake while readers loop: one opens each file once and hashes all
of it, one asks an engine (DuckDB, else pyarrow, when --python has one) for rows and sum over the glob. An engine's query
may fail while its file is replaced and is then repeated; a number outside the legal ones is a failure. `lode verify`
loops too and must not take a publish for damage.

  glob_reader_test.py --lode build/release/lode --fixtures build/release/lode_fixtures [--python PYTHON] [--imports 12]
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import threading

import lakes
from lakes import Failure

# Runs under --python: loops over the glob, prints "OK [rows, sum]" or "RETRY reason" for each query.
ENGINE = r'''
import sys
pattern, column = sys.argv[1], sys.argv[2]
try:
    import duckdb
    connection = duckdb.connect()
    connection.execute("SET enable_external_file_cache=false")
    def query():
        return connection.execute(f"SELECT count(*), sum({column})::BIGINT FROM read_parquet(?)", [pattern]).fetchone()
except ImportError:
    import glob
    import pyarrow.compute
    import pyarrow.parquet
    def query():
        tables = [pyarrow.parquet.read_table(name, columns=[column], partitioning=None) for name in glob.glob(pattern, recursive=True)]
        if not tables:
            raise OSError("no files")
        return sum(t.num_rows for t in tables), sum(pyarrow.compute.sum(t[column]).as_py() or 0 for t in tables)
print("READY", flush=True)
while True:
    try:
        print("OK", list(query()), flush=True)
    except Exception as error:
        print("RETRY", str(error).splitlines()[0], flush=True)
'''

COLUMN = "volume"


class Engine:
    """The engine's process; collects what it answers."""

    def __init__(self, python, lake):
        pattern = str(lake / "bronze" / lakes.DATASET / "**" / "*.parquet")
        self.process = subprocess.Popen([python, "-c", ENGINE, pattern, COLUMN], stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        self.ready = self.process.stdout.readline().strip() == "READY"
        self.answers, self.retries = [], 0
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "OK" and rest.startswith("["):
                self.answers.append(tuple(json.loads(rest)))
            else:
                self.retries += 1

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()


class ByteReader:
    """Opens every file once and reads all of it, again and again."""

    def __init__(self, lake):
        self.bronze = lake / "bronze"
        self.stopped = threading.Event()
        self.seen, self.passes = set(), 0
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        while not self.stopped.is_set():
            self.seen.update(lakes.tree(self.bronze).items())
            self.passes += 1

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Verifier:
    """Runs `lode verify` again and again: a publish that goes on meanwhile is not damage."""

    def __init__(self, lode, lake):
        self.lode, self.lake = lode, lake
        self.stopped = threading.Event()
        self.runs, self.problem = 0, None
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        while not self.stopped.is_set() and self.problem is None:
            done = self.lode.run(self.lake, "verify")
            self.runs += 1
            if done.returncode != 0:
                self.problem = f"verify during an import exits {done.returncode}: {(done.stdout + done.stderr).strip()[-400:]}"

    def stop(self):
        self.stopped.set()
        self.thread.join()


def one_answer(python, lake):
    """The engine's answer on a lake at rest."""
    engine = Engine(python, lake)
    while not engine.answers and engine.process.poll() is None:
        engine.thread.join(0.05)
    engine.stop()
    if not engine.answers:
        raise Failure("the engine cannot read a lake at rest")
    return engine.answers[0]


def make_inputs(fixtures, folder, seed, imports):
    """Deliveries of two days each that all go into one month."""
    inputs = []
    for i in range(imports):
        target = folder / f"delivery-{i:02}"
        subprocess.run([fixtures, "delivery-dbn", target, "--seed", str(seed), "--schema", "ohlcv-1m", "--bars", "60",
                        "--split", "day", "--pending", "0", "--days", "2", "--start", f"2024-03-{1 + 2 * i:02}"],
                       check=True, stdout=subprocess.DEVNULL)
        inputs.append(target)
    return inputs


def has_engine(python):
    probe = "try:\n import duckdb\nexcept ImportError:\n import pyarrow.parquet"
    return python and subprocess.run([python, "-c", probe], stderr=subprocess.DEVNULL).returncode == 0


def run(arguments, folder):
    inputs = make_inputs(arguments.fixtures, folder, arguments.seed, arguments.imports)
    lode = lakes.Lode(arguments.lode, None, None)
    python = arguments.python if has_engine(arguments.python) else None
    versions, totals = set(), set()
    dry = folder / "dry"
    lode.must(dry, "init")
    for delivery in inputs:
        lode.must(dry, "import", delivery, "--dataset", lakes.DATASET)
        versions.update(lakes.tree(dry / "bronze").items())
        if python:
            totals.add(one_answer(python, dry))
    if len(versions) < arguments.imports:
        raise Failure(f"only {len(versions)} versions in {arguments.imports} imports: the test is void")
    lake = folder / "lake"
    lode.must(lake, "init")
    reader, verifier = ByteReader(lake), Verifier(lode, lake)
    engine = Engine(python, lake) if python else None
    try:
        for delivery in inputs:
            lode.must(lake, "import", delivery, "--dataset", lakes.DATASET)
    finally:
        reader.stop()
        verifier.stop()
        if engine:
            engine.stop()
    if verifier.problem:
        raise Failure(f"seed {arguments.seed}: {verifier.problem}")
    wrong = reader.seen - versions
    if wrong:
        raise Failure(f"seed {arguments.seed}: bytes that are no version: {sorted(wrong)}")
    if engine and set(engine.answers) - totals:
        raise Failure(f"seed {arguments.seed}: wrong totals {set(engine.answers) - totals}, legal {totals}")
    asked = f"{len(engine.answers)} queries ({len(set(engine.answers))} totals seen, {engine.retries} repeated)" if engine \
        else "no engine found: bytes only"
    print(f"glob reader: seed {arguments.seed}, {arguments.imports} rewrites, {reader.passes} passes "
          f"({len(reader.seen)} of {len(versions)} versions seen), {verifier.runs} verifications, {asked}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=pathlib.Path)
    parser.add_argument("--fixtures", required=True, type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="a python with duckdb or pyarrow")
    parser.add_argument("--imports", type=int, default=12, choices=range(2, 16))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments = parser.parse_args()
    folder = lakes.work_folder()
    try:
        run(arguments, folder)
        return 0
    except Failure as failure:
        print(f"glob reader: {failure}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
