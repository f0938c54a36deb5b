"""What the tests of `lode sync` share: lakes that ask a simulator, and what their rows are, read by DuckDB.

Runs in third_party/oracle's Python: DuckDB is the judge of rows, sqlite3 reads the ledger.
"""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import duckdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "crash"))
import lakes  # noqa: E402
from lakes import Failure  # noqa: E402, F401

# Three tries, waits of a few ms; a server may be silent for 1.5 s: a busy machine must not look like a vendor that hangs.
# A vendor's limit of requests a minute would make the tests last for hours.
WAITS = "4,2,20,1500,1000"
TIMEOUT_S = 300

CONFIG = """[lake]
root = "{lake}"
[sources.databento]
base_url = "{url}/v0"
key = "env:DATABENTO_API_KEY"
[sources.polygon]
base_url = "{url}"
s3_endpoint = "{url}"
[sources.fred]
base_url = "{url}/fred"
key = "env:FRED_API_KEY"
[sources.tardis]
api_url = "{url}/v1"
datasets_url = "{url}/v1"
"""


class Vendor:
    """What the tests must know of a vendor. A vendor adds one below."""

    def __init__(self, datasets, data, free, labels, one_cell, of_schema, last="2023-02-03", today="2023-02-06", pages=1,
                 in_memory=False, simulator=()):
        self.datasets = datasets    # {name: declaration}
        self.data = data            # paths of requests that bring data
        self.free = free            # paths of those that tell what there is
        self.labels = labels        # {dataset: SQL of (symbol as asked for, day)}
        self.one_cell = one_cell    # conditions of a fault that strikes one cell's request only
        self.of_schema = of_schema  # {schema of the simulator's books: dataset}
        self.pages = pages          # answers that one delivery consists of, at most
        self.in_memory = in_memory  # small deliveries, which cost nothing, wait in memory to be written
        self.simulator = simulator  # further options of lode_vendor_sim
        self.last, self.today = last, today


# Small, with every shape: parents that share requests and partitions of years, bars of a minute by rank across a
# month's end, and events, which are numbered.
DATABENTO = {
    "daily": """source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["ZL.FUT", "ZS.FUT", "NQ.FUT", "RTY.FUT", "LBR.FUT"]
start = 2022-06-01
chunk = { symbols = 2, days = 120 }
""",
    "minutes": """source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1m"
stype_in = "continuous"
symbols = ["ES.v.0", "ZL.c.0"]
start = 2023-01-29
chunk = { symbols = 1, days = 1 }
""",
    "statistics": """source = "databento"
dataset = "GLBX.MDP3"
schema = "statistics"
stype_in = "parent"
symbols = ["ZL.FUT", "YM.FUT"]
start = 2023-01-31
chunk = { days = 1 }
""",
}
# A market day a file: bars that share a month's partition, bars of a day's own, and events.
POLYGON = {name: f'source = "polygon"\nflat_file = "{flat_file}"\nstart = {start}\n' for name, flat_file, start in (
    ("stocks", "us_stocks_sip/day_aggs_v1", "2023-01-17"), ("options", "us_options_opra/minute_aggs_v1", "2023-01-30"),
    ("trades", "us_stocks_sip/trades_v1", "2023-01-31"))}
# Series with and without vintages, of several pages; cells are years.
FRED = {
    "rates": """source = "fred"
series = ["SOFR", "UNRATE", "VIXCLS", "GDP"]
start = 2021-01-01
""",
}
# Tables of Polygon's REST API: chains of pages, a partition a year and a month; of the whole market and of tickers.
POLYGON_REST = {name: f'source = "polygon"\nrest = "{name}"\nstart = {start}\n' for name, start in (
    ("dividends", "2022-12-15"), ("short_volume", "2023-01-23"), ("news", "2023-01-20"), ("aggregates_hour", "2023-01-17"))}
POLYGON_REST["aggregates_hour"] += 'symbols = ["AAPL", "NA"]\n'
# Files of one symbol and day: named ones and grouped ones, many days without rows, one that lists in the middle, a layout
# where two symbols share a partition.
TARDIS = {
    "trades": """source = "tardis"
exchange = "deribit"
data_type = "trades"
symbols = ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-29MAR24-150-C"]
start = 2023-12-29
""",
    "chain": """source = "tardis"
exchange = "deribit"
data_type = "options_chain"
symbols = ["OPTIONS"]
start = 2023-12-31
""",
    "liquidations": """source = "tardis"
exchange = "binance-futures"
data_type = "liquidations"
symbols = ["PERPETUALS", "btcusdt"]
start = 2023-12-30
layout = "{day}.parquet"
""",
}
VENDORS = {
    "polygon_rest": Vendor(
        POLYGON_REST, data="^/(v2|v3|stocks)/", free="none there is", one_cell={"path": "news"},
        of_schema={f"polygon/{name}": name for name in POLYGON_REST},
        labels={"dividends": "'ALL_SYMBOLS', strftime(ex_dividend_date, '%Y-%m-%d')",
                "short_volume": "'ALL_SYMBOLS', strftime(date, '%Y-%m-%d')",
                "news": "'ALL_SYMBOLS', strftime(published_utc, '%Y-%m-%d')",
                "aggregates_hour": "ticker, strftime(session_date, '%Y-%m-%d')"},
        pages=8, simulator=("--polygon-page", 15)),
    "fred": Vendor(
        FRED, data="observations", free="series$|vintagedates", one_cell={"parameters": {"series_id": "SOFR"}},
        of_schema={"fred/observations": "rates"}, labels={"rates": "series_id, year(date) || '-01-01'"},
        pages=10, simulator=("--fred-page", 80)),
    "databento": Vendor(
        DATABENTO, data="timeseries", free="metadata|symbology", one_cell={"symbols": ["ZL.FUT"]},
        of_schema={"ohlcv-1d": "daily", "ohlcv-1m": "minutes", "statistics": "statistics"},
        labels={"daily": "root || '.FUT', strftime(ts_event, '%Y-%m-%d')", "minutes": "symbol, strftime(ts_event, '%Y-%m-%d')",
                # Events have no column for the root; those here have two letters.
                "statistics": "left(symbol, 2) || '.FUT', strftime(ts_recv, '%Y-%m-%d')"}),
    "polygon": Vendor(
        POLYGON, in_memory=True, data="^/flatfiles/us_", free="^/flatfiles/?$", one_cell={"path": "2023-01-31"},
        of_schema={"us_stocks_sip/day_aggs_v1": "stocks", "us_options_opra/minute_aggs_v1": "options",
                   "us_stocks_sip/trades_v1": "trades"},
        labels=dict.fromkeys(POLYGON, "'ALL_SYMBOLS', strftime(session_date, '%Y-%m-%d')")),
    "tardis": Vendor(
        TARDIS, in_memory=True, data="csv.gz", free="v1/exchanges", one_cell={"path": "trades/.*/BTC-PERPETUAL"},
        of_schema={"tardis/trades": "trades", "tardis/options_chain": "chain", "tardis/liquidations": "liquidations"},
        labels=dict.fromkeys(TARDIS, "substr(source_file, 5), strftime(local_timestamp, '%Y-%m-%d')"),
        last="2024-01-04", today="2024-01-07"),
}


class SyncLake:
    """A lake below `folder` that asks `sim`."""

    def __init__(self, folder, lode, sim, vendor="databento"):
        self.folder = pathlib.Path(folder)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self.path = self.folder / "lake"
        self.lode, self.sim = str(lode), sim
        self.vendor = VENDORS[vendor]
        self.datasets = self.vendor.datasets
        self.duckdb = duckdb.connect(config={"threads": 1})
        self.output = []  # of all runs: no key may be in it
        self.config = self.folder / "lode.toml"
        self.config.write_text(CONFIG.format(lake=self.path, url=sim.url)
                               + "".join(f"[datasets.{name}]\n{text}" for name, text in self.datasets.items()))

    def environment(self, more=None):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("LODE_", "DATABENTO_", "FRED_", "POLYGON_", "TARDIS_"))}
        return {**kept, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "DATABENTO_API_KEY": self.sim.key,
                "FRED_API_KEY": self.sim.fred_key, "POLYGON_API_KEY": self.sim.key, "POLYGON_S3_KEY_ID": "flat-files-key-id",
                "POLYGON_S3_SECRET": self.sim.key, "TARDIS_API_KEY": self.sim.key,
                "LODE_HTTP_WAITS": WAITS, **(more or {})}

    def command(self, *words):
        return [self.lode, "--config", str(self.config), *map(str, words)]

    def run(self, *words, env=None, key=None):
        more = dict(env or {}, **({"DATABENTO_API_KEY": key} if key else {}))
        done = subprocess.run(self.command(*words), env=self.environment(more), capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT_S)
        self.output.append(done.stdout + done.stderr)
        return done

    def sync(self, *words, **more):
        return self.run("sync", "-e", self.vendor.last, "--max-cost", "1000", "--verbose", *words, **more)

    def must(self, *words, code=0):
        done = self.run(*words)
        if done.returncode != code:
            raise Failure(f"`{' '.join(map(str, words))}` exits {done.returncode}, not {code}: {done.stderr.strip()[-600:]}")
        return done

    def bronze(self):
        return lakes.tree(self.path / "bronze")

    def cells(self, *states):
        """{(dataset, symbol, day): state} as the ledger has it; what is no whole lake has none."""
        file = self.path / ".lode" / "ledger.sqlite"
        if not file.exists():
            return {}
        # A killed run may have left a journal, which a reader must not roll back in the lake itself.
        copy = self.folder / "ledger-copy"
        copy.mkdir(exist_ok=True)
        for old in copy.iterdir():
            old.unlink()
        for name in ("ledger.sqlite", "ledger.sqlite-journal"):
            if (file.parent / name).exists():
                shutil.copyfile(file.parent / name, copy / name)
        db = sqlite3.connect(copy / "ledger.sqlite")
        try:
            rows = db.execute("SELECT d.name, c.symbol, date(c.day * 86400, 'unixepoch'), c.state FROM cell c JOIN dataset d "
                              "ON d.id = c.dataset").fetchall()
        except sqlite3.OperationalError:  # a run was killed before it had made the tables
            return {}
        finally:
            db.close()
        return {tuple(row[:3]): row[3] for row in rows if not states or row[3] in states}

    def sums(self):
        """{(dataset, symbol, day): (rows, hash of them)}, by the symbol that was asked for."""
        sums = {}
        for name in self.datasets:
            files = str(self.path / "bronze" / name / "**" / "*.parquet")
            if not list((self.path / "bronze" / name).rglob("*.parquet")):
                continue
            query = (f"SELECT {self.vendor.labels[name]}, count(*), sum(hash(rows)::HUGEINT)::VARCHAR "
                     f"FROM read_parquet('{files}', hive_partitioning = false) AS rows GROUP BY ALL")
            for symbol, day, count, sha in self.duckdb.execute(query).fetchall():
                sums[name, symbol, day] = (count, sha)
        return sums

    def check_claims(self, reference):
        """No cell says complete and has other rows than the undisturbed lake; none says empty and has some there."""
        sums = self.sums()
        for cell, state in self.cells("complete", "empty").items():
            want = reference.get(cell, (0, "0"))
            got = sums.get(cell, (0, "0"))
            if got != want or (state == "empty") != (want[0] == 0):
                raise Failure(f"{' '.join(cell)} claims to be {state} with {got[0]} rows; {want[0]} are right")
        # Not complete, and rows all the same: a reader of the files would see them.
        for cell in sums:
            if cell not in reference:
                raise Failure(f"{' '.join(cell)} has rows and should not")

    def check_secret(self, foreign=True):
        for key in (self.sim.key, self.sim.fred_key):
            for path in self.folder.rglob("*"):
                if path.is_file() and key.encode() in path.read_bytes():
                    raise Failure(f"the key is in {path}")
            if any(key in text for text in self.output):
                raise Failure("the key is in lode's output")
        if foreign and self.sim.counts()["foreign_authorized"]:
            raise Failure("the key went to another host")

    def orphans(self):
        """Files that nothing names: fetched and left over, temporaries, landed bytes of no receipt."""
        found = [str(path.relative_to(self.path)) for name in ("fetch", "tmp")
                 for path in (self.path / ".lode" / name).rglob("*") if not path.is_dir()]
        landed, bronze = set(), set()
        for receipt in (json.loads(path.read_text()) for path in (self.path / "receipts").rglob("*.json")):
            landed |= {raw["landed"] for raw in receipt["raw_files"]}
            bronze |= {f"bronze/{receipt['dataset']}/{partition['path']}" for partition in receipt["partitions"]}
        for top, named in (("landing", landed), ("bronze", bronze)):
            for path in (self.path / top).rglob("*"):
                name = str(path.relative_to(self.path))
                if path.is_file() and name not in named:
                    found.append(name)
        return found

    def check_end(self, reference_bronze):
        """As a lake that nothing disturbed, and with nothing left to do."""
        bronze = self.bronze()
        if bronze != reference_bronze:
            raise Failure(f"bronze differs: {lakes.difference(bronze, reference_bronze)}")
        self.must("verify", "--quiet")
        self.check_landing()
        if self.orphans():
            raise Failure(f"orphans: {self.orphans()[:5]}")

    def check_landing(self):
        landed = {}
        for receipt in (json.loads(path.read_text()) for path in sorted((self.path / "receipts").rglob("*.json"))):
            landed.update({raw["landed"]: raw["sha256"] for raw in receipt["raw_files"]})
            for removal in receipt.get("removed", ()):
                landed.pop(removal["path"], None)
        for name, sha256 in landed.items():
            if hashlib.sha256((self.path / name).read_bytes()).hexdigest() != sha256:
                raise Failure(f"{name} is not what its receipt says")

    def check_idle(self):
        """One more sync asks for no data and writes nothing."""
        before, asked = lakes.snapshot(self.path), self.sim.counts()["data_requests"]
        done = self.sync()
        if done.returncode != 0:
            raise Failure(f"a sync without work exits {done.returncode}: {done.stderr[-300:]}")
        if self.sim.counts()["data_requests"] != asked:
            raise Failure("a sync without work asked for data")
        logs = str(self.path / ".lode" / "logs")
        changed = [new for new in set(lakes.snapshot(self.path)) ^ set(before) if not new[0].startswith(logs)]
        if changed:
            raise Failure(f"a sync without work wrote: {changed[:3]}")
