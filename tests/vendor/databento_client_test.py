#!/usr/bin/env python3
"""The official `databento` client, pointed at the simulator, gets right answers for every call it has.

What is right is worked out apart from the simulator's code: bars from its trades, sizes from the client's own record types,
text from the vendor's own encoder, rolls from volumes and open interest. Needs third_party/oracle's Python (./setup --tests).

usage: databento_client_test.py --sim PROGRAM [--seed N] [--only PART]
"""
import argparse
import asyncio
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import warnings

import databento as db
import databento_dbn as dbn
import pandas as pd
import requests
import zstandard

import simulator

warnings.filterwarnings("ignore", category=pd.errors.Pandas4Warning if hasattr(pd.errors, "Pandas4Warning") else FutureWarning)

DATASET = "GLBX.MDP3"
SIZES = {"mbo": dbn.MBOMsg, "mbp-1": dbn.MBP1Msg, "mbp-10": dbn.MBP10Msg, "tbbo": dbn.MBP1Msg, "trades": dbn.TradeMsg,
         "bbo-1s": dbn.BBOMsg, "bbo-1m": dbn.BBOMsg, "ohlcv-1s": dbn.OHLCVMsg, "ohlcv-1m": dbn.OHLCVMsg,
         "ohlcv-1h": dbn.OHLCVMsg, "ohlcv-1d": dbn.OHLCVMsg, "definition": dbn.InstrumentDefMsg,
         "statistics": dbn.StatMsg, "status": dbn.StatusMsg}
WEEK = ("2024-03-03", "2024-03-09")  # Sunday to Friday


class ClientTest:
    def __init__(self, sim):
        self.sim = sim
        self.client = db.Historical(simulator.KEY)
        for name in ("metadata", "timeseries", "batch", "symbology"):
            getattr(self.client, name)._base_url = f"{sim.url}/v0/{name}"

    def cases(self):
        return [(name[5:], getattr(self, name)) for name in dir(self) if name.startswith("case_")]

    def range(self, schema, symbols, start, end, stype_in="parent", **more):
        return self.client.timeseries.get_range(DATASET, start, end, symbols=symbols, schema=schema, stype_in=stype_in, **more)

    def frame(self, *arguments, **keywords):
        frame = self.range(*arguments, **keywords).to_df()
        return frame.reset_index()

    def post(self, method, **form):
        """The wire itself, for what the client does not show."""
        return requests.post(f"{self.sim.url}/v0/{method}", data=form, auth=(simulator.KEY, ""), timeout=100)

    # --- metadata ---

    def case_list_publishers(self):
        publishers = self.client.metadata.list_publishers()
        assert {p["publisher_id"]: p["venue"] for p in publishers}[1] == "GLBX"
        for publisher in publishers:  # the client knows the same numbers
            known = db.Publisher.from_int(publisher["publisher_id"])
            assert (str(known.dataset), str(known.venue)) == (publisher["dataset"], publisher["venue"]), publisher

    def case_list_datasets(self):
        assert self.client.metadata.list_datasets()[0] == DATASET
        assert self.client.metadata.list_datasets(end_date="2011-01-01") == [DATASET]

    def case_list_schemas(self):
        assert set(self.client.metadata.list_schemas(DATASET)) == set(SIZES)
        assert "mbo" not in self.client.metadata.list_schemas("OPRA.PILLAR")

    def case_list_fields(self):
        for schema in SIZES:
            names = [field["name"] for field in self.client.metadata.list_fields(schema, "dbn")]
            assert names[:5] == ["length", "rtype", "publisher_id", "instrument_id", "ts_event"], schema
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "x.csv"
                self.range(schema, "ZL.FUT", *WEEK, limit=1).to_csv(path, map_symbols=False)
                header = path.read_text().splitlines()[0].split(",")
            assert [field["name"] for field in self.client.metadata.list_fields(schema, "csv")] == header, schema

    def case_list_unit_prices(self):
        prices = {entry["mode"]: entry["unit_prices"] for entry in self.client.metadata.list_unit_prices(DATASET)}
        assert set(prices) == {"historical", "historical-streaming", "live"}
        assert set(prices["historical"]) == set(SIZES) and all(price > 0 for price in prices["historical"].values())

    def case_get_dataset_condition(self):
        days = self.client.metadata.get_dataset_condition(DATASET, "2024-01-01", "2024-06-30")
        expected = [str(d.date()) for d in pd.date_range("2024-01-01", "2024-06-29") if d.day_name() != "Saturday"]
        assert [day["date"] for day in days] == expected
        assert days[-1]["condition"] == "pending" and {d["condition"] for d in days[:-1]} <= {"available", "degraded"}
        one = self.client.metadata.get_dataset_condition(DATASET, "2024-03-05", "2024-03-05")  # both ends inclusive
        assert [day["date"] for day in one] == ["2024-03-05"] and one[0]["last_modified_date"] == "2024-03-06"
        everything = self.client.metadata.get_dataset_condition(DATASET)
        assert everything[0]["date"] == "2010-06-06" and any(day["condition"] == "degraded" for day in everything)

    def case_get_dataset_range(self):
        answer = self.client.metadata.get_dataset_range(DATASET)
        assert answer["start"].startswith("2010-06-06T00") and answer["end"].startswith("2024-06-30T00")
        assert set(answer["schema"]) == set(SIZES)

    def case_amounts(self):
        prices = self.client.metadata.list_unit_prices(DATASET)[1]["unit_prices"]
        for schema in SIZES:
            query = dict(dataset=DATASET, start=WEEK[0], end=WEEK[1], symbols="ZS.FUT", schema=schema, stype_in="parent")
            count = self.client.metadata.get_record_count(**query)
            frame = self.frame(schema, "ZS.FUT", *WEEK)
            assert count == len(frame) > 0, (schema, count, len(frame))
            size = self.client.metadata.get_billable_size(**query)
            assert size == count * SIZES[schema].size_hint, schema
            cost = self.client.metadata.get_cost(**query)
            assert abs(cost - size / 1e9 * prices[schema]) < 1e-12, schema
            assert self.client.metadata.get_record_count(**query, limit=2) == min(2, count)

    def case_warnings_of_the_server(self):
        self.sim.faults({"path": "list_datasets", "action": {"warning": ["DeprecationWarning: old", "Warning: slow"]}})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert DATASET in self.client.metadata.list_datasets()
        self.sim.faults()
        assert {w.category.__name__: str(w.message) for w in caught} == {"BentoDeprecationWarning": "old", "BentoWarning": "slow"}
        answer = self.post("metadata.get_cost", dataset=DATASET, start=WEEK[0], symbols="ZLN4", schema="ohlcv-1d", mode="historical")
        assert answer.headers["X-Warning"].startswith('["DeprecationWarning: ') and len(answer.headers["request-id"]) == 32

    # --- symbology ---

    def resolve(self, symbols, stype_in, stype_out, start="2024-01-01", end="2024-06-01"):
        return self.client.symbology.resolve(DATASET, symbols, stype_in, stype_out, start, end)

    def case_resolve_raw_and_id(self):
        there = self.resolve("ZLN4,ESH4", "raw_symbol", "instrument_id")
        assert there["status"] == 1 and there["partial"] == ["ESH4"] and not there["not_found"]
        for symbol, intervals in there["result"].items():
            back = self.resolve(intervals[0]["s"], "instrument_id", "raw_symbol")
            assert back["result"][intervals[0]["s"]] == [{**intervals[0], "s": symbol}]

    def case_resolve_decades(self):
        both = self.resolve("NQZ0", "raw_symbol", "instrument_id", "2010-06-06", "2021-06-01")["result"]["NQZ0"]
        assert len(both) == 2 and both[0]["s"] != both[1]["s"] and both[0]["d1"] < "2011" < "2019" < both[1]["d0"]

    def case_resolve_reused_id(self):
        symbols = self.resolve("ALL_SYMBOLS", "raw_symbol", "instrument_id", "2010-06-06", "2024-06-01")["result"]
        users = {}
        for symbol, intervals in symbols.items():
            for interval in intervals:
                users.setdefault(interval["s"], set()).add(symbol)
        shared = {number: names for number, names in users.items() if len(names) > 1 and any(n.startswith("GC") for n in names)}
        assert shared, "no instrument_id of gold comes round again"

    def case_resolve_parent(self):
        answer = self.resolve("ZL.FUT", "parent", "instrument_id", "2024-03-04", "2024-03-05")
        outrights = [s for s in answer["result"] if "-" not in s]
        assert answer["status"] == 0 and len(outrights) > 5 and len(answer["result"]) > len(outrights)
        ids = self.resolve(sorted(answer["result"]), "raw_symbol", "instrument_id", "2024-03-04", "2024-03-05")["result"]
        assert ids == answer["result"]

    def case_resolve_status(self):
        assert self.resolve("ZLN4", "raw_symbol", "instrument_id", "2024-03-04", "2024-03-05")["message"] == "OK"
        some = self.resolve("ZL.FUT,VX.FUT", "parent", "instrument_id")
        assert some["not_found"] == ["VX.FUT"] and some["message"] == "Partially resolved" and some["status"] == 1
        none = self.resolve("VX.FUT", "parent", "instrument_id")
        assert (none["status"], none["message"], none["result"]) == (2, "Not found", {})
        form = dict(dataset=DATASET, stype_in="parent", stype_out="instrument_id", start_date="2024-01-01", end_date="2024-02-01")
        assert self.post("symbology.resolve", symbols="ZL.FUT,VX.FUT", **form).status_code == 206

    def case_resolve_invalid_products(self):
        roots = "VX VXM Z3N FF GD LBS MSI ZE DA KC SB CC CT OJ DX".split()
        answer = self.resolve([root + ".FUT" for root in roots], "parent", "instrument_id", "2010-06-06", "2024-06-01")
        assert answer["not_found"] == [root + ".FUT" for root in roots]
        assert self.client.symbology.resolve("XCBF.PITCH", "VX.FUT", "parent", "instrument_id", "2024-01-02", "2024-01-03")["result"]

    def case_resolve_all_valid_products(self):
        roots = ("ZL ZS ZM ZC ZW KE ZO ZR XC XW XK CPO LE GF HE DC DY YO KT CJ TT LBR CL BZ HO RB NG QM QG QH QU MCL CU GC SI HG PL PA "
                 "ALI MGC SIL QI QO ES NQ YM RTY EMD MES MNQ MYM M2K NIY 6E 6A 6J 6B 6C 6N 6S 6M 6L 6Z 6R M6E M6A M6B ZQ ZT ZF ZN TN ZB "
                 "UB SR1 SR3 2YY 5YY 10Y 30Y BTC ETH MBT MET").split()
        answer = self.resolve([root + ".FUT" for root in roots], "parent", "instrument_id", "2024-03-04", "2024-03-05")
        assert not answer["not_found"], answer["not_found"]

    def case_resolve_start_dates(self):
        early = self.resolve("MES.FUT", "parent", "instrument_id", "2019-04-01", "2019-05-01")
        assert early["not_found"] == ["MES.FUT"]
        first = self.resolve("MES.FUT", "parent", "instrument_id", "2019-04-01", "2019-06-01")["result"]
        assert min(i["d0"] for intervals in first.values() for i in intervals) == "2019-05-05"

    def case_resolve_options(self):
        answer = self.resolve("LO.OPT", "parent", "raw_symbol", "2024-03-04", "2024-03-05")
        assert len(answer["result"]) > 10 and all(s.startswith("LO") and s[5:7] in (" C", " P") or " " in s for s in answer["result"])
        assert self.resolve("CL.OPT", "parent", "raw_symbol")["not_found"] == ["CL.OPT"]

    # --- continuous contracts follow from the data ---

    def check_continuous(self, rule, rank_of_day, start="2024-01-08", end="2024-06-01"):
        intervals = self.resolve(f"ZC.{rule}.0", "continuous", "raw_symbol", start, end)["result"][f"ZC.{rule}.0"]
        assert len(intervals) > 1, "no roll"
        for day, best in rank_of_day.items():
            if start <= day < end:
                held = [i["s"] for i in intervals if i["d0"] <= day < i["d1"]]
                assert held == [best], (rule, day, held, best)

    def case_continuous_by_volume(self):
        frame = self.frame("ohlcv-1d", "ZC.FUT", "2024-01-01", "2024-06-01")
        frame = frame[~frame.symbol.str.contains("[-:]")]
        frame["day"] = frame.ts_event.dt.strftime("%Y-%m-%d")
        days = sorted(frame.day.unique())
        best = frame.sort_values("volume").groupby("day").symbol.last()
        tied = frame.groupby("day").volume.apply(lambda v: (v == v.max()).sum() > 1)
        self.check_continuous("v", {after: best[day] for day, after in zip(days, days[1:]) if not tied[day]})

    def case_continuous_by_open_interest(self):
        frame = self.frame("statistics", "ZC.FUT", "2024-01-01", "2024-06-01")
        frame = frame[(frame.stat_type == 9) & ~frame.symbol.str.contains("[-:]")]
        frame["day"] = frame.ts_event.dt.strftime("%Y-%m-%d")
        best = frame.sort_values("quantity").groupby("day").symbol.last()
        following = {}
        for day in best.index:
            after = pd.Timestamp(day) + pd.Timedelta(days=1)
            if after.day_name() not in ("Saturday",):  # Sunday has no statistics, but trades: Monday ranks by Sunday
                following[str(after.date())] = best[day]
        self.check_continuous("n", {d: s for d, s in following.items() if pd.Timestamp(d).day_name() != "Sunday"})

    def case_continuous_by_calendar(self):
        frame = self.frame("definition", "ZC.FUT", "2024-01-01", "2024-06-01")
        frame = frame[frame.instrument_class == "F"]
        frame["day"] = frame.ts_event.dt.strftime("%Y-%m-%d")
        best = frame.sort_values("expiration").groupby("day").raw_symbol.first()
        self.check_continuous("c", best.to_dict())

    def case_continuous_records(self):
        frame = self.frame("ohlcv-1d", "ZC.v.0", "2024-01-08", "2024-06-01", stype_in="continuous")
        assert set(frame.symbol) == {"ZC.v.0"} and frame.ts_event.is_unique
        intervals = self.resolve("ZC.v.0", "continuous", "instrument_id", "2024-01-08", "2024-06-01")["result"]["ZC.v.0"]
        for row in frame.itertuples():
            day = row.ts_event.strftime("%Y-%m-%d")
            assert [int(i["s"]) for i in intervals if i["d0"] <= day < i["d1"]] == [row.instrument_id], day

    # --- records ---

    def trades(self):
        if not hasattr(self, "_trades"):
            self._trades = self.frame("trades", "ZM.FUT", *WEEK)
            assert len(self._trades) > 500
        return self._trades

    def case_bars_follow_from_trades(self):
        trades = self.trades()
        for schema, width in {"ohlcv-1s": "1s", "ohlcv-1m": "1min", "ohlcv-1h": "1h", "ohlcv-1d": "1D"}.items():
            bars = self.frame(schema, "ZM.FUT", *WEEK)
            groups = trades.groupby([trades.ts_event.dt.floor(width), "instrument_id"])
            expected = pd.DataFrame({"open": groups.price.first(), "high": groups.price.max(), "low": groups.price.min(),
                                     "close": groups.price.last(), "volume": groups["size"].sum()}).reset_index()
            key = ["ts_event", "instrument_id"]
            got = bars.sort_values(key).reset_index(drop=True)
            expected = expected.sort_values(key).reset_index(drop=True)
            assert len(got) == len(expected), (schema, len(got), len(expected))
            for column in ("instrument_id", "open", "high", "low", "close", "volume"):
                assert (got[column].to_numpy() == expected[column].to_numpy()).all(), (schema, column)
            assert bars.ts_event.is_monotonic_increasing, schema

    def case_quotes_follow_from_trades(self):
        trades = self.trades()
        for schema in ("tbbo", "mbp-1", "mbp-10", "mbo"):
            frame = self.frame(schema, "ZM.FUT", *WEEK)
            assert (frame.price.to_numpy() == trades.price.to_numpy()).all() and len(frame) == len(trades), schema
            if schema != "mbo":
                assert (frame.bid_px_00 < frame.ask_px_00).all(), schema
        samples = self.frame("bbo-1m", "ZM.FUT", *WEEK)
        closes = self.frame("ohlcv-1m", "ZM.FUT", *WEEK)
        ends = closes.assign(ts_recv=closes.ts_event + pd.Timedelta(minutes=1))
        joined = samples.merge(ends, on=["ts_recv", "instrument_id"], suffixes=("", "_bar"))
        assert len(joined) == len(samples) > 0 and (joined.price == joined.close).all()

    def case_statistics_follow_from_bars(self):
        statistics = self.frame("statistics", "ZM.FUT", *WEEK)
        bars = self.frame("ohlcv-1d", "ZM.FUT", *WEEK)
        bars = bars[bars.ts_event.dt.dayofweek != 6].assign(day=lambda f: f.ts_event.dt.date)
        statistics["day"] = statistics.ts_event.dt.date
        for stat, column, value in ((1, "open", "price"), (4, "low", "price"), (5, "high", "price"), (3, "close", "price"),
                                    (6, "volume", "quantity")):
            joined = bars.merge(statistics[statistics.stat_type == stat], on=["day", "instrument_id"])
            assert len(joined) == len(bars) > 0 and (joined[column] == joined[value]).all(), (stat, column)
        assert (statistics[statistics.stat_type == 9].quantity > 0).all()

    def case_definitions(self):
        frame = self.frame("definition", "ZL.FUT,OZL.OPT", "2024-03-04", "2024-03-05")
        assert set(frame.instrument_class) == {"F", "S", "C", "P"}
        spreads = frame[frame.instrument_class == "S"]
        assert (spreads.groupby("raw_symbol").size() == 2).all() and set(spreads.leg_index) == {0, 1}
        resolved = self.resolve("ZL.FUT,OZL.OPT", "parent", "instrument_id", "2024-03-04", "2024-03-05")["result"]
        assert {row.raw_symbol: str(row.instrument_id) for row in frame.itertuples()} == {s: i[0]["s"] for s, i in resolved.items()}
        options = frame[frame.instrument_class == "C"]
        assert (options.strike_price > 0).all() and (options.expiration > options.ts_event).all()
        underlying = frame[frame.instrument_class == "F"].instrument_id
        assert set(options.underlying_id) <= set(underlying)

    def case_negative_prices(self):
        frame = self.frame("ohlcv-1d", "CL.FUT", "2020-04-13", "2020-04-25")
        assert (frame[frame.symbol.str.contains("-")].close < 0).any()
        assert frame[(frame.symbol == "CLK0") & (frame.ts_event == "2020-04-20")].open.iloc[0] < -30

    def case_sundays(self):
        frame = self.frame("ohlcv-1d", "ES.FUT", "2024-01-01", "2024-04-01")
        assert set(frame.ts_event.dt.dayofweek) == {0, 1, 2, 3, 4, 6}

    def case_any_chunking(self):
        whole = self.frame("ohlcv-1d", "ZL.FUT,ES.FUT", "2023-01-01", "2024-01-01")
        parts = []
        for symbol in ("ZL.FUT", "ES.FUT"):
            for month in pd.date_range("2023-01-01", periods=12, freq="MS"):
                parts.append(self.frame("ohlcv-1d", symbol, str(month.date()), str((month + pd.offsets.MonthBegin()).date())))
        key = ["ts_event", "instrument_id"]
        whole, parts = (f.sort_values(key).reset_index(drop=True) for f in (whole, pd.concat(parts)))
        pd.testing.assert_frame_equal(whole, parts)

    def case_every_stype_gives_the_same_records(self):
        parent = self.frame("ohlcv-1h", "ZL.FUT", *WEEK)
        symbols = sorted(parent.symbol.unique())
        raw = self.frame("ohlcv-1h", symbols, *WEEK, stype_in="raw_symbol")
        numbers = self.frame("ohlcv-1h", [int(i) for i in parent.instrument_id.unique()], *WEEK, stype_in="instrument_id",
                             stype_out="raw_symbol")
        pd.testing.assert_frame_equal(parent, raw)
        pd.testing.assert_frame_equal(parent, numbers)

    def case_all_symbols(self):
        everything = self.range("ohlcv-1d", None, "2024-03-05", "2024-03-06", stype_in="raw_symbol")
        assert not everything.mappings
        everything.insert_symbology_json(everything.request_symbology(self.client))
        frame = everything.to_df()
        zl = self.frame("ohlcv-1d", "ZL.FUT", "2024-03-05", "2024-03-06")
        got = frame[frame.instrument_id.isin(zl.instrument_id)]
        assert sorted(got.symbol) == sorted(zl.symbol) and got.volume.sum() == zl.volume.sum()
        assert frame.symbol.nunique() > 1000

    def case_many_publishers(self):
        store = self.client.timeseries.get_range("OPRA.PILLAR", *WEEK, symbols="SPY.OPT", stype_in="parent", schema="ohlcv-1d")
        frame = store.to_df().reset_index()
        assert frame.groupby(["ts_event", "instrument_id"]).size().max() > 1
        assert not frame.duplicated(["ts_event", "instrument_id", "publisher_id"]).any()
        assert frame.symbol.str.match(r"^[A-Z ]{6}\d{6}[CP]\d{8}$").all()

    def case_limit(self):
        all_rows = self.frame("trades", "ZL.FUT", *WEEK)
        some = self.range("trades", "ZL.FUT", *WEEK, limit=137)
        assert some.limit == 137
        pd.testing.assert_frame_equal(some.to_df().reset_index(), all_rows.head(137))

    def case_part_of_a_day(self):
        trades = self.trades()
        start, end = pd.Timestamp("2024-03-05T13:00", tz="UTC"), pd.Timestamp("2024-03-05T17:30:15", tz="UTC")
        got = self.frame("trades", "ZM.FUT", start, end)
        expected = trades[(trades.ts_recv >= start) & (trades.ts_recv < end)].reset_index(drop=True)
        pd.testing.assert_frame_equal(got, expected)
        nanoseconds = self.frame("trades", "ZM.FUT", start.value, end.value)
        pd.testing.assert_frame_equal(nanoseconds, expected)

    def case_end_left_out(self):
        day = self.range("ohlcv-1h", "ZM.FUT", "2024-03-05", None)
        pd.testing.assert_frame_equal(day.to_df(), self.range("ohlcv-1h", "ZM.FUT", "2024-03-05", "2024-03-06").to_df())

    def case_metadata_of_the_stream(self):
        store = self.range("ohlcv-1d", "ZL.FUT,VX.FUT", *WEEK)
        assert (store.dataset, str(store.schema), str(store.stype_in), str(store.stype_out)) == (DATASET, "ohlcv-1d", "parent", "instrument_id")
        assert store.symbols == ["ZL.FUT", "VX.FUT"] and store.metadata.not_found == ["VX.FUT"]
        assert str(store.start.date()) == WEEK[0] and str(store.end.date()) == WEEK[1]
        resolved = store.request_symbology(self.client)
        mine = {s: [{"d0": str(i["start_date"]), "d1": str(i["end_date"]), "s": i["symbol"]} for i in intervals]
                for s, intervals in store.mappings.items()}
        assert mine == resolved["result"] and store.metadata.partial == resolved["partial"]

    def case_full_definitions(self):
        bars = self.range("ohlcv-1d", "ZL.FUT", "2024-03-04", "2024-03-06")
        frame = bars.request_full_definitions(self.client).to_df()
        assert set(bars.to_df().instrument_id) <= set(frame.instrument_id)

    def case_async(self):
        store = asyncio.run(self.client.timeseries.get_range_async(DATASET, *WEEK, symbols="ZM.FUT", stype_in="parent", schema="trades"))
        pd.testing.assert_frame_equal(store.to_df().reset_index(), self.trades())

    def case_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.dbn.zst"
            self.range("trades", "ZM.FUT", *WEEK, path=path)
            pd.testing.assert_frame_equal(db.DBNStore.from_file(path).to_df().reset_index(), self.trades())

    def case_partial_is_206(self):
        form = dict(dataset=DATASET, schema="ohlcv-1d", stype_in="parent", start=WEEK[0], end=WEEK[1], encoding="csv")
        assert self.post("timeseries.get_range", symbols="ZL.FUT,VX.FUT", **form).status_code == 206
        form["stype_in"] = "raw_symbol"
        assert self.post("timeseries.get_range", symbols="ZLN4", **form).status_code == 200

    def case_text_as_the_vendor_encodes_it(self):
        with tempfile.TemporaryDirectory() as folder:
            for schema in SIZES:
                store = self.range(schema, "ZL.FUT", "2024-03-04", "2024-03-06")
                for encoding in ("csv", "json"):
                    for pretty_px, pretty_ts, symbols in ((True, True, True), (False, False, False), (True, False, True), (False, True, False)):
                        path = pathlib.Path(folder) / "x"
                        write = store.to_csv if encoding == "csv" else store.to_json
                        write(path, pretty_px=pretty_px, pretty_ts=pretty_ts, map_symbols=symbols)
                        expected = path.read_bytes()
                        path.unlink()
                        answer = self.post("timeseries.get_range", dataset=DATASET, schema=schema, stype_in="parent", symbols="ZL.FUT",
                                           start="2024-03-04", end="2024-03-06", encoding=encoding, pretty_px=pretty_px,
                                           pretty_ts=str(pretty_ts).lower(), map_symbols=int(symbols))
                        lines = answer.content.splitlines(), expected.splitlines()
                        assert len(lines[0]) == len(lines[1]) > 2, (schema, encoding, len(lines[0]), len(lines[1]))
                        wrong = [pair for pair in zip(*lines) if pair[0] != pair[1]]
                        assert not wrong, (schema, encoding, pretty_px, pretty_ts, symbols, wrong[0])

    def case_plain_and_compressed_are_equal(self):
        form = dict(dataset=DATASET, schema="trades", stype_in="parent", symbols="ES.FUT", start=WEEK[0], end=WEEK[1], encoding="dbn")
        plain = self.post("timeseries.get_range", **form).content
        packed = self.post("timeseries.get_range", **form, compression="zstd").content
        assert zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read() == plain

    # --- refusals ---

    def refused(self, call, status, case=None):
        try:
            call()
        except db.BentoClientError as error:
            assert error.http_status == status, error
            detail = error.json_body["detail"]
            if case:
                assert detail["case"] == case and detail["message"], detail
            return detail
        raise AssertionError(f"not refused with {status}")

    def case_wrong_key(self):
        other = ClientTest(self.sim)
        for api in (other.client.metadata, other.client.timeseries, other.client.batch, other.client.symbology):
            api._key = "db-" + "x" * 29
        self.refused(other.client.metadata.list_datasets, 401, "auth_authentication_failed")
        self.refused(lambda: other.range("ohlcv-1d", "ZL.FUT", *WEEK), 401)

    def case_after_the_end(self):
        detail = self.refused(lambda: self.range("ohlcv-1d", "ZL.FUT", "2024-06-25", "2024-07-05"), 422, "data_end_after_available_end")
        assert detail["payload"]["available_end"].startswith("2024-06-30T00") and detail["payload"]["dataset"] == DATASET
        self.refused(lambda: self.range("ohlcv-1d", "ZL.FUT", "2024-08-01", "2024-08-02"), 422, "data_start_after_available_end")
        self.refused(lambda: self.range("ohlcv-1d", "ZL.FUT", "2009-08-01", "2011-08-02"), 422, "data_start_before_available_start")
        self.refused(lambda: self.range("ohlcv-1d", "ZL.FUT", "2024-03-02", "2024-03-02"), 422, "data_time_range_start_on_or_after_end")

    def case_nothing_resolves(self):
        self.refused(lambda: self.range("ohlcv-1d", "VX.FUT", *WEEK), 422, "symbology_invalid_request")
        answer = self.post("timeseries.get_range", dataset=DATASET, symbols="ZL", stype_in="parent", start=WEEK[0])
        assert answer.status_code == 422 and answer.json()["detail"]["case"] == "symbology_invalid_symbol"

    def case_bad_parameters(self):
        form = dict(dataset=DATASET, symbols="ZL.FUT", stype_in="parent", start=WEEK[0], schema="ohlcv-1d")
        for wrong in (dict(dataset="NO.SUCH"), dict(schema="ohlcv-7d"), dict(stype_in="smart"), dict(start="yesterday"),
                      dict(encoding="xml"), dict(limit="many"), dict(symbols=",".join(f"Z{i}.FUT" for i in range(2001)))):
            answer = self.post("timeseries.get_range", **{**form, **wrong})
            assert answer.status_code == 422 and isinstance(answer.json()["detail"], str), wrong
        assert requests.get(f"{self.sim.url}/v0/metadata.no_such", auth=(simulator.KEY, "")).status_code == 404

    # --- batch ---

    def finished(self, **more):
        job = self.client.batch.submit_job(DATASET, more.pop("symbols", "ZM.FUT"), more.pop("schema", "ohlcv-1h"), *WEEK,
                                           stype_in="parent", **more)
        assert job["state"] == "queued" and job["user_id"]
        states = [job["state"]]
        while states[-1] != "done":
            assert len(states) < 10
            states.append(self.client.batch.get_job_details(job["id"])["state"])
        assert states == ["queued", "queued", "processing", "done"], states
        return self.client.batch.get_job_details(job["id"])

    def case_job_and_zip(self):
        job = self.finished(split_duration="day")
        assert job["record_count"] == len(self.frame("ohlcv-1h", "ZM.FUT", *WEEK)) and job["billed_size"] == job["record_count"] * 56
        listed = {entry["id"]: entry for entry in self.client.batch.list_jobs(states="done")}
        assert listed[job["id"]] == job
        short = self.client.batch.list_jobs(short=True)
        assert {"id", "state", "ts_received"} == set(short[0])
        assert not self.client.batch.list_jobs(since="2024-07-01")
        files = self.client.batch.list_files(job["id"])
        names = {f["filename"] for f in files}
        assert {"metadata.json", "condition.json", "symbology.json"} <= names and "manifest.json" not in names
        assert "glbx-mdp3-20240304.ohlcv-1h.dbn.zst" in names
        with tempfile.TemporaryDirectory() as folder:
            paths = self.client.batch.download(job["id"], folder)
            by_name = {path.name: path for path in paths}
            assert set(by_name) == names | {"manifest.json"}
            for f in files:
                content = by_name[f["filename"]].read_bytes()
                assert len(content) == f["size"] and f["hash"] == "sha256:" + hashlib.sha256(content).hexdigest(), f
            frames = [db.DBNStore.from_file(path).to_df() for name, path in sorted(by_name.items()) if ".dbn" in name]
            pd.testing.assert_frame_equal(pd.concat(frames), self.range("ohlcv-1h", "ZM.FUT", *WEEK).to_df())
            asynchronous = asyncio.run(self.client.batch.download_async(output_dir=folder, job_id=job["id"], keep_zip=True))
            assert asynchronous[0].suffix == ".zip" and asynchronous[0].stat().st_size > 0

    def case_one_file_resumed(self):
        """The client sends the key to the host in the file's url, which is the vendor's; here it is led to the simulator."""
        import databento.historical.api.batch as batch_module
        job = self.finished(schema="ohlcv-1m", encoding="csv", compression="none", pretty_px=True, pretty_ts=True, split_duration="none")
        file = next(f for f in self.client.batch.list_files(job["id"]) if f["filename"].endswith(".ohlcv-1m.csv"))
        url = urllib.parse.urlsplit(file["urls"]["https"])
        assert url.netloc == "api.databento.com" and url.path.startswith("/v0/batch/download/")
        ranges, real = [], requests.get

        def led(url, headers=None, **more):
            if "/batch/download/" in url:
                ranges.append(headers.get("Range"))
            return real(url.replace("https://api.databento.com", self.sim.url), headers=headers, **more)

        batch_module.requests.get = led
        try:
            with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                warnings.simplefilter("error")  # the client only warns of a wrong hash
                path, = self.client.batch.download(job["id"], folder, filename_to_download=file["filename"])
                content = path.read_bytes()
                path.write_bytes(content[:1000])
                self.client.batch.download(job["id"], folder, filename_to_download=file["filename"])
                assert path.read_bytes() == content and len(content) == file["size"]
        finally:
            batch_module.requests.get = real
        assert ranges == [None, f"bytes=1000-{file['size'] - 1}"]
        assert content.count(b"\n") == job["record_count"] + 1

    def case_files_by_duration_and_symbol(self):
        ranges = {"week": ["20240303-20240308"], "month": ["20240303-20240308"], "none": ["20240303-20240308"],
                  "day": ["20240303", "20240304", "20240305", "20240306", "20240307", "20240308"]}
        for split, expected in ranges.items():
            job = self.finished(split_duration=split, encoding="json", compression="none")
            names = [f["filename"] for f in self.client.batch.list_files(job["id"]) if f["filename"].endswith(".ohlcv-1h.json")]
            assert names == [f"glbx-mdp3-{part}.ohlcv-1h.json" for part in expected], names
        job = self.finished(split_symbols=True, split_duration="none")
        names = [f["filename"] for f in self.client.batch.list_files(job["id"])]
        assert "glbx-mdp3-20240303-20240308.ohlcv-1h.ZMN4.dbn.zst" in names

    def case_job_refusals(self):
        self.refused(lambda: self.client.batch.get_job_details("GLBX-20240101-AAAAAAAAAA"), 404)
        form = dict(dataset=DATASET, symbols="ZL.FUT", stype_in="parent", schema="ohlcv-1d", start=WEEK[0], end=WEEK[1])
        for wrong in (dict(split_duration="1M"), dict(packaging="zip"), dict(delivery="s3"), dict(symbols="ZL")):
            assert self.post("batch.submit_job", **{**form, **wrong}).status_code == 422, wrong

    def case_job_expires(self):
        job = self.finished()
        self.sim.control("jobs", {"job_id": job["id"], "state": "expired"})
        assert job["id"] not in [j["id"] for j in self.client.batch.list_jobs()]
        assert job["id"] in [j["id"] for j in self.client.batch.list_jobs(states="expired")]
        self.refused(lambda: self.client.batch.list_files(job["id"]), 404)

    # --- the simulator's clock and revisions, through the client ---

    def case_revised_days(self):
        grains = ["ZW.FUT", "ZC.FUT", "ZS.FUT", "ZL.FUT", "ZM.FUT", "ZO.FUT", "ZR.FUT"]  # some trade once or twice on a day
        trades = self.frame("trades", grains, "2023-09-06", "2023-09-07").symbol.value_counts()
        before = self.frame("ohlcv-1d", grains, "2023-09-04", "2023-09-08")
        self.sim.control("revise", {"dataset": DATASET, "days": ["2023-09-06"]})
        condition = {c["date"]: c["last_modified_date"] for c in self.client.metadata.get_dataset_condition(DATASET, "2023-09-04", "2023-09-08")}
        assert condition["2023-09-06"] == "2024-06-30" and condition["2023-09-05"] == "2023-09-06"
        after = self.frame("ohlcv-1d", grains, "2023-09-04", "2023-09-08")
        on_day = lambda frame: frame.ts_event.dt.strftime("%Y-%m-%d") == "2023-09-06"
        pd.testing.assert_frame_equal(before[~on_day(before)].reset_index(drop=True), after[~on_day(after)].reset_index(drop=True))
        old, new = (frame[on_day(frame)].set_index("symbol").volume for frame in (before, after))
        assert len(new) > 0 and (old[new.index] + 1 == new).all()
        assert set(old.index) == set(trades.index) and set(new.index) == set(trades[trades > 2].index) < set(old.index)

    def case_z_today_moves_on(self):
        pending = self.frame("ohlcv-1d", "ZW.FUT", "2024-06-27", "2024-06-30")
        assert set(pending.ts_event.dt.day) == {27}
        self.sim.control("today", {"today": "2024-07-03T14:30:00"})
        try:
            assert set(self.frame("ohlcv-1d", "ZW.FUT", "2024-06-27", "2024-07-03").ts_event.dt.day) == {27, 28, 30, 1}  # the 2nd is pending
            hours = self.frame("ohlcv-1h", "ZW.FUT", "2024-07-03T00:00", "2024-07-03T14:00")
            assert 0 < len(hours) and hours.ts_event.dt.hour.max() < 14
            self.refused(lambda: self.range("ohlcv-1h", "ZW.FUT", "2024-07-03T00:00", "2024-07-03T14:30"), 422, "data_end_after_available_end")
        finally:
            self.sim.control("today", {"today": "2024-06-30"})

    def case_billing(self):
        self.sim.clear_counts()
        query = dict(symbols="HG.FUT", schema="ohlcv-1d", stype_in="parent")
        cost = self.client.metadata.get_cost(DATASET, *WEEK, **query)
        for _ in range(2):
            self.range("ohlcv-1d", "HG.FUT", *WEEK)
        counts = self.sim.counts(full=True)
        assert counts["data_requests"] == 2 and abs(counts["usd_stream"] - 2 * cost) < 1e-9 and counts["cells_repeated"] == 6
        assert counts["cells"]["ohlcv-1d"]["HG.FUT"]["by_day"] == {f"2024-03-0{d}": 2 for d in range(3, 9)}
        assert counts["requests"]["metadata.get_cost"] == {"200": 1} and not counts["foreign_requests"]


def over_tls(program, folder):
    """The client as it is, forced to https by its gateway check, with our certificate for its authority."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    import ssl
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cert)))
    urllib.request.install_opener(opener)
    os.environ["REQUESTS_CA_BUNDLE"] = str(cert)
    try:
        with simulator.Simulator(program, "--tls-cert", cert, "--tls-key", key) as sim:
            client = db.Historical(simulator.KEY, gateway=sim.url)
            assert DATASET in client.metadata.list_datasets()
            frame = client.timeseries.get_range(DATASET, *WEEK, symbols="ZL.FUT", stype_in="parent", schema="trades").to_df()
            assert len(frame) == client.metadata.get_record_count(DATASET, *WEEK, symbols="ZL.FUT", stype_in="parent", schema="trades")
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
        urllib.request.install_opener(urllib.request.build_opener())


def old_versions(program):
    """Streams of DBN 1 and 2 give the client the same frames, but for what those versions do not hold."""
    frames = {}
    for version in (1, 2, 3):
        with simulator.Simulator(program, "--dbn-version", version) as sim:
            test = ClientTest(sim)
            for schema in ("ohlcv-1d", "trades", "statistics"):
                store = test.range(schema, "ZL.FUT", *WEEK)
                assert store.metadata.version == version
                frames[schema, version] = store.to_df()
    for (schema, version), frame in frames.items():
        drop = ["quantity"] if schema == "statistics" else []  # undefined is another number
        pd.testing.assert_frame_equal(frame.drop(columns=drop), frames[schema, 3].drop(columns=drop), check_dtype=False)


def other_seed(program, seed):
    """Another seed is another market; the same seed the same bytes."""
    bodies = []
    for number in (seed, seed, seed + 1):
        with simulator.Simulator(program, "--seed", number) as sim:
            bodies.append(ClientTest(sim).post("timeseries.get_range", dataset=DATASET, schema="ohlcv-1d", stype_in="parent",
                                               symbols="ZL.FUT", start="2023-01-01", end="2024-01-01", encoding="csv").content)
    assert bodies[0] == bodies[1] != bodies[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with simulator.Simulator(options.sim, "--seed", options.seed) as sim, tempfile.TemporaryDirectory() as folder:
        cases = ClientTest(sim).cases()
        cases.append(("over_tls", lambda: over_tls(options.sim, pathlib.Path(folder))))
        cases.append(("old_versions", lambda: old_versions(options.sim)))
        cases.append(("other_seed", lambda: other_seed(options.sim, options.seed)))
        return simulator.run_cases(cases, options.only)


if __name__ == "__main__":
    sys.exit(main())
