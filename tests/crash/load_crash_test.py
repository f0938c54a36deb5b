#!/usr/bin/env python3
"""`lode load --to duckdb`, killed with SIGKILL at random times and repeated: the tables equal the lake, the load state
equals the ledger.

A lake gets deliveries of daily, hourly and minute bars and of statistics. Its warehouse is loaded once undisturbed: the
reference, checked against bronze by SQL of its own. Then every trial starts without lake.duckdb, or with one that was
loaded before the last imports (partitions that changed, are new, are gone), and loads under kills. After each kill every
partition is in the tables and in the load state, or in neither; after the last run all is as in the reference.

  load_crash_test.py --lode build/release/lode --fixtures build/release/lode_fixtures [--kills 20] [--seed N]
"""
import argparse
import hashlib
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import lakes
from lakes import Failure

DAILY, HOURLY = "market_data.databento_futures_ohlcv_1d", "market_data.databento_futures_ohlcv_1h"
MINUTE = "market_data.databento_futures_ohlcv_1m"
TABLES = {DAILY: "collection_timestamp", HOURLY: "collection_timestamp", MINUTE: "collection_timestamp",
          "raw.databento_futures_ohlcv_1d": "ingested_at", "raw.databento_futures_ohlcv_1h": "ingested_at",
          "raw.databento_options_ohlcv_1d": "ingested_at",
          "ops.databento_load_state": "started_at, finished_at, attempt"}
BRONZE = {DAILY: "daily", HOURLY: "hourly", MINUTE: "minute"}
PLAIN = "publisher_id, instrument_id, symbol, root, is_spread, ts_event, open, high, low, close, volume"
STATISTICS_HEADER = ("ts_recv,ts_event,rtype,publisher_id,instrument_id,ts_ref,price,quantity,sequence,ts_in_delta,"
                     "stat_type,channel_id,update_action,stat_flags")


class LoadCrashTest:
    def __init__(self, arguments, folder):
        self.random = random.Random(arguments.seed)
        self.arguments, self.folder = arguments, folder
        self.lode = lakes.Lode(arguments.lode, None, None)
        self.lake = folder / "lake"
        self.database = self.lake / "lake.duckdb"
        self.kills = 0

    def query(self, sql):
        """Rows of the last statement; lake.duckdb is attached as w."""
        words = f"ATTACH '{self.database}' AS w (READ_ONLY); {sql}"
        return self.lode.must(self.lake, "query", "--csv", words).stdout

    def deliver(self, name, schema, start, days, dataset, *more):
        target = self.folder / name
        subprocess.run([self.arguments.fixtures, "delivery-dbn", target, "--seed", str(self.arguments.seed), "--schema",
                        schema, "--start", start, "--days", str(days), "--pending", "0", *more], check=True,
                       stdout=subprocess.DEVNULL)
        self.lode.must(self.lake, "import", target, "--dataset", dataset)

    def deliver_statistics(self, day, dates):
        """Settlement and open interest of `dates`, received on `day`."""
        instruments = self.lode.must(self.lake, "query", "--csv", "SELECT DISTINCT instrument_id FROM daily ORDER BY 1")
        lines, sequence = [STATISTICS_HEADER], 0
        for instrument in instruments.stdout.split()[1:]:
            for date in dates:
                for stat_type in (3, 9):
                    sequence += 1
                    price, quantity = (f"{sequence}.250000000", "") if stat_type == 3 else ("", str(sequence))
                    lines.append(f"{day}T20:00:00.000000000Z,{day}T20:00:00.000000000Z,24,1,{instrument},"
                                 f"{date}T00:00:00.000000000Z,{price},{quantity},{sequence},0,{stat_type},0,1,0")
        path = self.folder / f"glbx-mdp3-{day.replace('-', '')}.statistics.csv"
        path.write_text("\n".join(lines) + "\n")
        self.lode.must(self.lake, "import", path, "--dataset", "stats")

    def prepare(self):
        self.lode.must(self.lake, "init")
        self.deliver("daily", "ohlcv-1d", "2022-06-01", 560, "daily", "--split", "year")
        self.deliver("hourly", "ohlcv-1h", "2023-12-15", 30, "hourly", "--split", "month")
        self.deliver("minute", "ohlcv-1m", "2023-12-22", 14, "minute", "--bars", "20")
        self.deliver_statistics("2023-10-10", ["2023-10-09", "2022-12-30"])
        self.lode.must(self.lake, "load", "--to", "duckdb")
        self.older = self.folder / "older.duckdb"
        shutil.copy(self.database, self.older)
        # Some partitions change, some are new, one is gone.
        self.deliver("daily_revised", "ohlcv-1d", "2022-06-01", 300, "daily", "--split", "year", "--revised")
        self.deliver("minute_next", "ohlcv-1m", "2024-01-03", 33, "minute", "--bars", "20")
        self.deliver_statistics("2023-10-11", ["2023-10-09", "2023-10-10"])
        (self.lake / "bronze" / "hourly" / "year=2023" / "data.parquet").unlink()
        self.database.unlink()
        began = time.monotonic()
        self.lode.must(self.lake, "load", "--to", "duckdb")
        self.load_seconds = time.monotonic() - began
        self.reference = self.dump()
        self.check_against_bronze()
        self.check_state()

    def dump(self):
        """What every table holds, the times of loading left out: (table, rows, sum of the rows' hashes)."""
        parts = [f"SELECT '{table}' AS name, count(*) AS rows, sum(hash(t)::HUGEINT) AS hashes FROM "
                 f"(SELECT * EXCLUDE ({stamps}) FROM w.{table}) AS t" for table, stamps in TABLES.items()]
        return self.query(" UNION ALL ".join(parts) + " ORDER BY name").splitlines()

    def check_against_bronze(self):
        for table, view in BRONZE.items():
            difference = self.query(f"(SELECT {PLAIN} FROM w.{table} EXCEPT ALL SELECT {PLAIN} FROM {view}) UNION ALL "
                                    f"(SELECT {PLAIN} FROM {view} EXCEPT ALL SELECT {PLAIN} FROM w.{table})")
            rows = int(self.query(f"SELECT count(*) FROM w.{table}").split()[1])
            if len(difference.splitlines()) != 1 or rows == 0:
                raise Failure(f"{table} ({rows} rows) differs from bronze: {difference[:400]}")
        # The front contract, told another way: no outright of the day has more volume, and there is one row a day.
        wrong = self.query(f"""
            SELECT count(*) FROM w.raw.databento_futures_ohlcv_1d AS f JOIN w.{DAILY} AS b
              ON b.root = f.symbol AND b.date = f.as_of_date AND NOT b.is_spread AND b.volume > f.volume""")
        missing = self.query(f"""
            SELECT count(*) FROM (SELECT DISTINCT root, date FROM w.{DAILY} WHERE NOT is_spread
              EXCEPT ALL SELECT symbol, as_of_date FROM w.raw.databento_futures_ohlcv_1d)""")
        settled = self.query(f"SELECT count(settle) FROM w.{DAILY}")
        if wrong.split()[1] != "0" or missing.split()[1] != "0" or settled.split()[1] == "0":
            raise Failure(f"front rows: {wrong} wrong, {missing} missing, {settled} settled")

    def check_state(self):
        """The load state names exactly the ledger's partitions that are in the lake."""
        db = sqlite3.connect(f"file:{self.lake}/.lode/ledger.sqlite?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        names = {row["id"]: row["name"] for row in db.execute("SELECT * FROM dataset")}
        wanted = {(f"bronze/{names[row['dataset']]}/{row['path']}", row["sha256"], row["size"])
                  for row in db.execute("SELECT * FROM partition")
                  if (self.lake / "bronze" / names[row["dataset"]] / row["path"]).exists()}
        db.close()
        lines = self.query("SELECT file_name, sha256, size_bytes, status FROM w.ops.databento_load_state").splitlines()
        found = {(name, sha256, int(size)) for name, sha256, size, status in (line.split(",") for line in lines[1:])
                 if status == "done"}
        if found != wanted:
            raise Failure(f"load state and ledger differ: {sorted(found ^ wanted)[:4]}")

    def check_between(self):
        """A partition's rows and its load state came together, whatever point the run was killed at."""
        if not self.database.exists():
            return
        tables = self.query("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'w' AND schema_name <> 'main'")
        if tables.split()[1] == "0":  # killed before the first transaction was over
            return
        parts = [f"""
            SELECT '{table}', coalesce(s.file_name, r.file_name), s.rows_merged, r.rows
            FROM (FROM w.ops.databento_load_state WHERE dataset = '{dataset}' AND rows_merged > 0) AS s
              FULL JOIN (SELECT concat('bronze/', lake_dataset, '/', bronze_file) AS file_name, count(*) AS rows
                         FROM w.{table} GROUP BY ALL) AS r USING (file_name)
            WHERE s.rows_merged IS DISTINCT FROM r.rows""" for table, dataset in BRONZE.items()]
        wrong = self.query(" UNION ALL ".join(parts))
        if len(wrong.splitlines()) != 1:
            raise Failure(f"rows and load state do not match after a kill: {wrong}")

    def start(self, older):
        for path in self.lake.glob("lake.duckdb*"):
            path.unlink()
        if older:
            shutil.copy(self.older, self.database)

    def killed(self, seconds):
        """Whether a load was still at work after this time, and was killed."""
        process = subprocess.Popen(self.lode.command(self.lake, "load", "--to", "duckdb"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True

    def trial(self):
        """Loads that are killed one after the other, each after less time, because less is left to do; then a whole one."""
        older = self.random.random() < 0.5
        self.start(older)
        most, first = self.load_seconds, self.kills
        last = min(self.arguments.kills, first + self.random.randint(2, 5))
        while self.kills < last and self.killed(self.random.uniform(0.05, most)):
            self.kills += 1
            self.check_between()
            most *= 0.75
        self.lode.must(self.lake, "load", "--to", "duckdb")
        kills = range(first + 1, self.kills + 1)
        found = self.dump()
        wrong = [line for line in found if line not in self.reference]
        if wrong:
            raise Failure(f"{wrong} differ after kills {list(kills)} ({'older' if older else 'no'} lake.duckdb)")
        self.check_state()

    def check_again(self):
        """A load of a loaded lake changes nothing."""
        before = hashlib.sha256(self.database.read_bytes()).hexdigest()
        again = [json.loads(line) for line in self.lode.must(self.lake, "--json", "load", "--to", "duckdb").stdout.splitlines()]
        changed = [event for event in again if any(event.get(key) for key in ("loaded", "removed", "inserted", "updated", "deleted"))]
        if changed or hashlib.sha256(self.database.read_bytes()).hexdigest() != before:
            raise Failure(f"a load of a loaded lake changes something: {changed}")

    def run(self):
        self.prepare()
        trials = 0
        while self.kills < self.arguments.kills:
            self.trial()
            trials += 1
        self.check_again()
        return trials


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=pathlib.Path)
    parser.add_argument("--fixtures", required=True, type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments = parser.parse_args()
    folder = lakes.work_folder()
    began = time.monotonic()
    test = LoadCrashTest(arguments, folder)
    try:
        trials = test.run()
        print(f"load crash test: seed {arguments.seed}, {test.kills} kills in {trials} "
              f"loads of {test.load_seconds:.1f} s, 0 failed, {time.monotonic() - began:.1f} s")
        print(f"{test.kills} passed, 0 failed")
        return 0
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"load crash test: seed {arguments.seed}: {failure}")
        print(f"{max(test.kills - 1, 0)} passed, 1 failed")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
