#!/usr/bin/env python3
"""The vendor's own client, tardis-dev (PyPI), against the simulator: what it downloads, and that lode has the same.

The client takes other hosts by its `endpoint` arguments; nothing of it is replaced.

usage: tardis_client_test.py --sim PROGRAM --lode PROGRAM [--seed N] [--only PART]
"""
import argparse
import csv
import gzip
import io
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error

import duckdb
import tardis_dev

import simulator

FIRST = "exchange,symbol,timestamp,local_timestamp"
TYPES = {
    "trades": ("deribit", "BTC-PERPETUAL", ",id,side,price,amount"),
    "incremental_book_L2": ("deribit", "BTC-PERPETUAL", ",is_snapshot,side,price,amount"),
    "book_snapshot_5": ("binance-futures", "BTCUSDT", None),
    "book_snapshot_25": ("binance-futures", "btcusdt", None),
    "quotes": ("okex-swap", "BTC-USDT-SWAP", ",ask_amount,ask_price,bid_price,bid_amount"),
    "book_ticker": ("binance", "BTCUSDT", ",ask_amount,ask_price,bid_price,bid_amount"),
    "derivative_ticker": ("bitmex", "XBTUSD", ",funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,"
                                              "index_price,mark_price"),
    "liquidations": ("binance-futures", "PERPETUALS", ",id,side,price,amount"),
    "options_chain": ("deribit", "OPTIONS", ",type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,"
                                            "ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price,delta,"
                                            "gamma,vega,theta,rho"),
}
DAYS = ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]  # to_date is exclusive


def header_of(data_type):
    own = TYPES[data_type][2]
    if own is None:
        levels = range(int(data_type.rsplit("_", 1)[1]))
        own = "".join(f",{side}[{n}].price,{side}[{n}].amount" for n in levels for side in ("asks", "bids"))
    return FIRST + own


class Case:
    def __init__(self, sim, arguments):
        self.sim, self.arguments = sim, arguments
        self.url = sim.url + "/v1"
        sim.faults()
        sim.control("tardis", {"exported_until": None, "plan_from": None})

    def download(self, folder, data_type, key=simulator.KEY, first=DAYS[0], end="2024-03-02", **more):
        exchange, symbol, _ = TYPES[data_type]
        tardis_dev.download_datasets(exchange, [data_type], [symbol], first, end, api_key=key, download_dir=str(folder),
                                     endpoint=self.url, **more)

    def rows(self, file):
        data = pathlib.Path(file).read_bytes()
        text = gzip.decompress(data).decode() if data else ""
        return list(csv.reader(io.StringIO(text)))

    def has_rows(self, data_type):
        with tempfile.TemporaryDirectory() as folder:
            self.download(folder, data_type)
            return any(len(self.rows(name)) > 1 for name in pathlib.Path(folder).iterdir())

    def case_exchange(self):
        """Details of an exchange, zipped as the client asks for them."""
        details = tardis_dev.get_exchange_details("deribit", endpoint=self.url)
        assert details["id"] == "deribit" and details["datasets"]["exportedUntil"] == "2024-03-04T00:00:00.000Z", details["datasets"]
        files = {symbol["id"]: symbol for symbol in details["datasets"]["symbols"]}
        assert "options_chain" in files["OPTIONS"]["dataTypes"] and "options_chain" not in files["BTC-PERPETUAL"]["dataTypes"]
        types = {symbol["type"] for symbol in details["availableSymbols"]}
        assert types == {"spot", "perpetual", "future", "option", "combo"}, types
        try:
            tardis_dev.get_exchange_details("nowhere", endpoint=self.url)
            raise AssertionError("an exchange that is none")
        except urllib.error.HTTPError as error:
            assert error.code == 404

    def case_instruments(self):
        """Terms, filters and single instruments; a key is needed."""
        ask = dict(api_key=simulator.KEY, endpoint=self.url)
        every = tardis_dev.get_instrument_info("deribit", **ask)
        combos = tardis_dev.get_instrument_info("deribit", filter={"type": "combo"}, **ask)
        assert len(every) > 40 and {one["contractType"] for one in combos} == {"spread"}
        one = tardis_dev.get_instrument_info("deribit", symbol="BTC-29MAR24-50000-C", **ask)
        assert (one["strikePrice"], one["optionType"], one["expiry"]) == (50000, "call", "2024-03-29T08:00:00.000Z"), one
        found = tardis_dev.find_instrument_symbols(["binance-futures"], {"baseCurrency": ["BTC", "ETH"], "type": "perpetual"},
                                                   selector="datasetId", **ask)
        assert found == [{"exchange": "binance-futures", "symbols": ["BTCUSDT", "ETHUSDT"]}], found
        try:
            tardis_dev.get_instrument_info("deribit", endpoint=self.url)
            raise AssertionError("instruments without a key")
        except urllib.error.HTTPError as error:
            assert error.code == 401

    def case_files(self):
        """Every data type: the vendor's columns, sorted days, the client's names; empty days are files too."""
        for data_type in TYPES:
            exchange, symbol, _ = TYPES[data_type]
            with tempfile.TemporaryDirectory() as folder:
                self.download(folder, data_type)
                names = sorted(os.listdir(folder))
                assert names == [f"{exchange}_{data_type}_{day}_{symbol.upper()}.csv.gz" for day in DAYS], names
                filled = 0
                for day, name in zip(DAYS, names):
                    rows = self.rows(pathlib.Path(folder) / name)
                    if rows:
                        assert ",".join(rows[0]) == header_of(data_type), name
                    for row in rows[1:]:
                        assert row[0] == exchange and len(row) == len(rows[0])
                        moment = duckdb.execute("SELECT make_timestamp(?)::DATE::VARCHAR", [int(row[3])]).fetchone()[0]
                        assert moment == day, f"{name}: {moment}"
                    filled += len(rows) > 1
                assert filled, data_type

    def case_keys(self):
        """The first day of a month is free; others are refused without a key, and the client does not try again."""
        with tempfile.TemporaryDirectory() as folder:
            self.download(folder, "trades", key="", first="2024-03-01")
            assert len(os.listdir(folder)) == 1
            for key in ("", "wrong"):
                self.sim.clear_counts()
                try:
                    self.download(folder, "trades", key=key, first="2024-02-28", end="2024-03-01")
                    raise AssertionError("a file without a key")
                except urllib.error.HTTPError as error:
                    assert error.code == 401 and "code" in error.msg, error.msg
                assert self.sim.counts()["requests"]["tardis/file"] == {"401": 1}

    def case_days(self):
        """A day that is not exported is refused, and so is one before a symbol was listed."""
        for first, end in (("2024-03-04", "2024-03-05"), ("2018-01-02", "2018-01-03")):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    self.download(folder, "trades", first=first, end=end)
                    raise AssertionError(f"a file of {first}")
                except urllib.error.HTTPError as error:
                    assert error.code == 400, error.code

    def case_same_as_lode(self):
        """What lode syncs is, row by row, what the client saved and lode imports, and the bytes are the vendor's."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            config = [f'[sources.tardis]\napi_url = "{self.url}"\ndatasets_url = "{self.url}"\n']
            for data_type, (exchange, symbol, _) in TYPES.items():
                self.download(folder / data_type, data_type)
                for prefix in ("wire", "file"):
                    config.append(f'[datasets.{prefix}_{data_type.lower()}]\nsource = "tardis"\nexchange = "{exchange}"\n'
                                  f'data_type = "{data_type}"\nsymbols = ["{symbol}"]\nstart = {DAYS[0]}\n')
            (folder / "lode.toml").write_text(f'[lake]\nroot = "{folder}/lake"\n' + "".join(config))
            environment = {**os.environ, "TARDIS_API_KEY": simulator.KEY}

            def lode(*words):
                done = subprocess.run([self.arguments.lode, "--config", folder / "lode.toml", "--quiet", *words], env=environment,
                                      capture_output=True, text=True, timeout=120)
                assert done.returncode == 0, done.stderr

            lode("sync", "-e", DAYS[-1], *(f"wire_{name.lower()}" for name in TYPES))
            for data_type, (exchange, symbol, _) in TYPES.items():
                lode("import", folder / data_type, "--dataset", f"file_{data_type.lower()}")
                files = {prefix: f"{folder}/lake/bronze/{prefix}_{data_type.lower()}/**/*.parquet" for prefix in ("wire", "file")}
                table = "(SELECT * EXCLUDE (source_file, source_row) FROM read_parquet('{}', hive_partitioning = false))"
                wire, file = (table.format(files[prefix]) for prefix in ("wire", "file"))
                counts = duckdb.execute(f"SELECT (SELECT count(*) FROM {wire}), (SELECT count(*) FROM {file}), "
                                        f"(SELECT count(*) FROM ({wire} EXCEPT ALL {file}))").fetchone()
                saved = sum(max(len(self.rows(name)) - 1, 0) for name in (folder / data_type).iterdir())
                assert counts == (saved, saved, 0) and saved, f"{data_type}: {counts}, {saved}"
                for name in (folder / data_type).iterdir():
                    landed = folder / "lake" / "landing" / f"wire_{data_type.lower()}" / "api" / name.name
                    assert landed.read_bytes() == name.read_bytes(), name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--sim", "--lode"):
        parser.add_argument(name, required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    for seed in itertools.count(arguments.seed % 1000 + 1):
        with simulator.Simulator(arguments.sim, "--today", "2024-03-05", "--seed", seed) as sim:
            if not Case(sim, arguments).has_rows("liquidations"):
                continue  # a third of its days are empty, so now and then all of them
            names = [name for name in dir(Case) if name.startswith("case_")]
            cases = [(name, lambda name=name: getattr(Case(sim, arguments), name)()) for name in names]
            return simulator.run_cases(cases, arguments.only)


if __name__ == "__main__":
    sys.exit(main())
