"""lake.table and lake.relation against DuckDB's own reading of the same files.

Which column holds the symbol and which the day comes from docs/schemas.md here, not from the package.
"""
import datetime
import decimal
import random
import re
import unittest

import duckdb
import pyarrow
import pyarrow.parquet

import lode
import support

DAY = datetime.timedelta(days=1)
EVENTS = ["trades", "mbp-1", "definition", "statistics", "bbo-1m", "imbalance"]


def days_of_schemas():
    """{schema: SQL of a row's day}, as docs/schemas.md says."""
    text = (support.REPOSITORY / "docs" / "schemas.md").read_text()
    found = re.findall(r"^## (\S+) \(version \d+\)\nPartition .*; the day is that of (.*?)(?:, and .*)?\.$", text, re.M)
    return {schema: "coalesce(" + ", ".join(re.findall(r"`(\w+)`", rule)) + ")::DATE" for schema, rule in found}


def build(lake):
    """A lake of every kind of table, from files and from vendors. {dataset: column of symbols, or None}"""
    folder = lake.path.parent
    import_ = {"minutes": ("delivery-csv", "--seed", "5", "--days", "14", "--bars", "6"),
               "decade": ("delivery-csv", "--seed", "6", "--schema", "ohlcv-1d", "--start", "2009-11-01", "--days", "900",
                          "--split", "year")}
    for name, (kind, *flags) in import_.items():
        lake.import_(support.fixture(folder / name, kind, *flags), dataset=name)
    support.fixture(folder / "dbn", "dbn", "--seed", "8", "--records", "60")
    for schema in EVENTS:
        lake.import_(folder / "dbn" / f"test_data.{schema}.v3.dbn", dataset="dbn_" + schema.replace("-", "_"))
    lake.import_(support.fixture(folder / "polygon", "polygon", "--seed", "3"), dataset="polygon")
    lake.import_(support.fixture(folder / "tardis", "tardis", "--seed", "4", "--rows", "60") / "download" / "deribit",
                 dataset="deribit")
    lake.import_(folder / "tardis" / "download" / "binance-futures" / "trades", dataset="binance_trades")
    with support.vendor():
        support.declare(lake, "rates", "fred", series=["UNRATE", "GDP"], start="2015-01-01")
        for table in ("dividends", "splits", "short_volume", "news", "balance_sheets"):
            support.declare(lake, table, "polygon", rest=table, start="2024-01-16")
        for table in ("tickers", "market_holidays"):
            support.declare(lake, table, "polygon", rest=table)
        support.declare(lake, "custom", "databento", dataset="GLBX.MDP3", schema="trades", stype_in="raw_symbol",
                        symbols=["ESH4", "NQH4"], start="2024-02-26", layout="of={yyyy}/{day}.parquet")
        support.declare(lake, "quiet", "databento", dataset="GLBX.MDP3", schema="ohlcv-1d", stype_in="parent",
                        symbols=["ZL.FUT"], start="2024-03-02")
        lake.sync("rates", "dividends", "splits", "short_volume", "news", "balance_sheets", "custom", end="2024-03-03")
        lake.sync("quiet", end="2024-03-02")  # a Saturday
        lake.sync("tickers", "market_holidays")


class TableTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = support.folder(cls)
        cls.lake = support.lake(cls.folder / "lake")
        build(cls.lake)
        cls.days = days_of_schemas()
        cls.datasets = {event["dataset"]: event["schema"] for event in cls.lake.datasets()
                        if list((cls.lake.path / "bronze" / event["dataset"]).rglob("*.parquet"))}

    def setUp(self):
        self.random = random.Random(f"{support.SEED}/{self.id()}")
        self.duckdb = duckdb.connect()
        self.addCleanup(self.duckdb.close)

    def files(self, dataset):
        return f"read_parquet('{self.lake.path}/bronze/{dataset}/**/*.parquet', hive_partitioning=false)"

    def symbol_column(self, dataset):
        names = self.columns(dataset)
        return next((name for name in ("series_id", "ticker", "tickers", "symbol") if name in names), None)

    def columns(self, dataset):
        return [row[0] for row in self.duckdb.sql(f"DESCRIBE SELECT * FROM {self.files(dataset)}").fetchall()]

    def expected(self, dataset, symbols, start, end, columns):
        """The same rows, as DuckDB reads them."""
        conditions, column = ["true"], self.symbol_column(dataset)
        if symbols is not None:
            of = "json_keys" if column == "tickers" else None
            texts = ", ".join(f"'{symbol}'" for symbol in symbols)
            conditions.append(f"list_has_any(from_json({column}, '[\"VARCHAR\"]'), [{texts}])" if of else f"{column} IN ({texts})")
        for day, sign in ((start, ">="), (end, "<=")):
            if day is not None:
                conditions.append(f"{self.days[self.datasets[dataset]]} {sign} DATE '{day}'")
        chosen = "*" if columns is None else ", ".join(f'"{name}"' for name in columns)  # one is called group
        return f"SELECT {chosen} FROM {self.files(dataset)} WHERE {' AND '.join(conditions)}"

    def check(self, dataset, symbols=None, start=None, end=None, columns=None):
        """Equal rows and types; their number."""
        words = dict(symbols=symbols, start=start, end=end, columns=columns)
        ours = self.lake.table(dataset, **words)
        self.duckdb.register("ours", ours)
        self.lake.relation(dataset, connection=self.duckdb, **words).create_view("relation", replace=True)
        sql = self.expected(dataset, symbols, start, end, columns)
        self.assertEqual(ours.column_names, columns or self.columns(dataset))
        for theirs in ("SELECT * FROM ours", "SELECT * FROM relation"):
            types = [self.duckdb.sql(f"DESCRIBE {of}").fetchall() for of in (sql, theirs)]
            self.assertEqual([row[:2] for row in types[0]], [row[:2] for row in types[1]], theirs)
            differ = self.duckdb.sql(f"(({sql}) EXCEPT ALL ({theirs})) UNION ALL (({theirs}) EXCEPT ALL ({sql}))").fetchall()
            self.assertEqual(differ, [], f"{theirs}: {dataset} {words}")
        return ours.num_rows

    def test_whole_tables(self):
        for dataset in self.datasets:
            with self.subTest(dataset):
                rows = self.check(dataset)
                self.assertEqual(rows, sum(pyarrow.parquet.read_metadata(file).num_rows for file in
                                           (self.lake.path / "bronze" / dataset).rglob("*.parquet")))
                self.assertGreater(rows, 0)

    def test_selections(self):
        kept = {}
        for dataset, schema in self.datasets.items():
            column, day = self.symbol_column(dataset), self.days[schema]
            days = [row[0] for row in self.duckdb.sql(f"SELECT DISTINCT {day} AS d FROM {self.files(dataset)} "
                                                      "WHERE d IS NOT NULL ORDER BY d").fetchall()]
            known = [] if column is None else [row[0] for row in self.duckdb.sql(
                f"SELECT DISTINCT {column} AS s FROM {self.files(dataset)} WHERE s IS NOT NULL ORDER BY s").fetchall()]
            if column == "tickers":
                known = sorted({ticker for text in known for ticker in re.findall(r'"([^"]*)"', text)})
            for _ in range(5):
                start, end = sorted(self.random.choice(days) + self.random.choice((-1, 0, 0, 1)) * DAY for _ in range(2))
                symbols = self.random.sample(known, min(len(known), 2)) if known and self.random.random() < 0.6 else None
                columns = self.random.sample(self.columns(dataset), 3) if self.random.random() < 0.5 else None
                start, end = (value if self.random.random() < 0.7 else None for value in (start, end))
                with self.subTest(f"{dataset} {symbols} {start} {end} {columns}"):
                    kept[dataset] = kept.get(dataset, 0) + self.check(dataset, symbols, start, end, columns)
        self.assertEqual(set(kept), set(self.datasets))
        self.assertGreater(sum(count > 0 for count in kept.values()), 0.9 * len(kept))

    def test_every_kind_is_here(self):
        kinds = {schema.partition("/")[0].split("_")[0].split("-")[0] for schema in self.datasets.values()}
        self.assertLessEqual({"ohlcv", "trades", "definition", "us", "tardis", "polygon", "fred"}, kinds)
        self.assertIn("custom", self.datasets)  # whose files' names say no day

    def test_schemas_as_documented(self):
        """The package's rules are those of docs/schemas.md."""
        self.assertGreater(len(self.days), 50)
        for schema, rule in self.days.items():
            columns = lode.bronze.Schema.named(schema)
            text = (support.REPOSITORY / "docs" / "schemas.md").read_text().split(f"## {schema} (")[1].split("\n## ")[0]
            names = re.findall(r"^\| \d+ \| `(\w+)` \|", text, re.M)
            self.assertEqual("coalesce(" + ", ".join(columns.day_columns(names)) + ")::DATE",
                             rule if "ts_recv" in names or "ts_recv" not in rule else "coalesce(ts_event)::DATE", schema)
            expected = next((name for name in ("series_id", "ticker", "tickers", "symbol") if name in names), None)
            if expected is None:
                with self.assertRaisesRegex(ValueError, "has no symbols"):
                    columns.symbol_column(names)
            else:
                self.assertEqual(columns.symbol_column(names), expected, schema)

    def test_prices_and_times_stay_exact(self):
        bars = self.lake.table("minutes", columns=["open", "ts_event"])
        self.assertEqual((bars.schema.field("open").type, bars.schema.field("ts_event").type),
                         (pyarrow.decimal128(18, 9), pyarrow.timestamp("us")))
        self.assertEqual(str(bars["open"][0].as_py().as_tuple().exponent), "-9")
        self.assertEqual(self.lake.table("dbn_trades").schema.field("ts_event").type, pyarrow.timestamp("ns"))
        sql = "SELECT sum(open) AS total FROM minutes"
        total = self.lake.query(sql)[0]["total"]
        self.assertIs(type(total), decimal.Decimal)
        self.assertEqual(total, self.duckdb.sql(f"SELECT sum(open) FROM {self.files('minutes')}").fetchall()[0][0])
        self.assertEqual(self.lake.query_arrow(sql)["total"].to_pylist(), [total])

    def test_query_arrow(self):
        table = self.lake.query_arrow("-- any\nSELECT symbol, count(*) AS n, min(ts_event) AS first FROM minutes GROUP BY ALL "
                                      "ORDER BY ALL; ")
        self.assertEqual([field.type for field in table.schema], [pyarrow.string(), pyarrow.int64(), pyarrow.timestamp("us")])
        rows = self.lake.query("-- any\nSELECT symbol, count(*) AS n FROM minutes GROUP BY ALL ORDER BY ALL")
        self.assertEqual(table.select(["symbol", "n"]).to_pylist(), rows)
        self.assertGreater(len(rows), 1)
        with self.assertRaisesRegex(lode.UsageError, "nowhere"):
            self.lake.query_arrow("SELECT * FROM nowhere")
        with self.assertRaisesRegex(lode.UsageError, "nowhere"):
            self.lake.query("SELECT * FROM nowhere")

    def test_files_are_chosen_by_days(self):
        """A file of another day is not read: damage in it does not matter."""
        selection = lode.bronze.Selection.of(None, "2010-03-01", "2011-02-28", None)
        found = lode.bronze.files(self.lake.path, "decade", selection)
        self.assertEqual([path.parent.name for path in found.chosen], ["year=2010", "year=2011"])
        self.assertGreater(len(list((self.lake.path / "bronze" / "decade").rglob("*.parquet"))), 2)
        span = lambda *parts: lode.bronze._days_of(lode.bronze.pathlib.PurePath(*parts, "x.parquet"))  # noqa: E731
        date = datetime.date
        self.assertEqual(span("day=2024-02-29"), (date(2024, 2, 29), date(2024, 2, 29)))
        self.assertEqual(span("month=2024-02"), (date(2024, 2, 1), date(2024, 2, 29)))
        self.assertEqual(span("month=2023-12", "venue=CME"), (date(2023, 12, 1), date(2023, 12, 31)))
        self.assertEqual(span("year=2023"), (date(2023, 1, 1), date(2023, 12, 31)))
        self.assertEqual(span("year=2023", "month=2023-04"), (date(2023, 4, 1), date(2023, 4, 30)))
        for nothing in ("series=GDP", "day=2024", "month=04", "of=2024"):
            self.assertEqual(span(nothing), (date.min, date.max), nothing)

    def test_nothing_in_the_range(self):
        self.assertEqual(self.check("minutes", start="1999-01-01", end="1999-12-31"), 0)
        self.assertEqual(self.check("rates", symbols=["NONE"]), 0)
        self.assertEqual(self.check("minutes", start="0001-01-01", end="9999-12-31"), self.check("minutes"))
        self.assertEqual(self.check("custom", start="0001-01-01", end="9999-12-31"), self.check("custom"))
        self.assertEqual(self.lake.table("minutes", symbols=[]).num_rows, 0)
        self.assertEqual(self.lake.relation("minutes", symbols=[]).fetchall(), [])

    def test_dataset_without_rows(self):
        """All its days are empty: the columns of its schema, and no row."""
        header = next((self.folder / "minutes").glob("*.ohlcv-1m.csv")).read_text().splitlines()[0]
        file = self.folder / "glbx-mdp3-20240102.ohlcv-1m.csv"
        file.write_text(header + "\n")
        self.lake.import_(file, dataset="empty")
        self.assertEqual(list(self.lake.path.glob("bronze/empty/**/*.parquet")), [])
        table, minutes = self.lake.table("empty", start="2024-01-02", end="2024-01-02"), self.lake.table("minutes")
        self.assertEqual((table.num_rows, table.column_names, table.schema.types), (0, minutes.column_names, minutes.schema.types))
        self.assertEqual(self.lake.table("empty", symbols="ZLH4", columns=["close", "root"]).column_names, ["close", "root"])
        self.assertEqual(self.lake.relation("empty").columns, minutes.column_names)
        with self.assertRaisesRegex(lode.UsageError, "^quiet has no files: nothing came yet, or they were removed; `lode gaps"):
            self.lake.table("quiet")

    def test_refusals(self):
        for message, words in (
                ("no column price; there is publisher_id, .*", dict(columns=["open", "price"])),
                ("ZL.FUT stands for many symbols", dict(symbols=["ZL.FUT"])),
                ("@cme_core_26 stands for many", dict(symbols="@cme_core_26")),
                ("the range ends .2024-01-01. before it starts .2024-02-01.", dict(start="2024-02-01", end="2024-01-01")),
                ("not a day: 'soon'", dict(start="soon"))):
            for call in (self.lake.table, self.lake.relation):
                with self.assertRaisesRegex(ValueError, message):
                    call("minutes", **words)
        with self.assertRaisesRegex(ValueError, "polygon/market_holidays has no symbols to choose by"):
            self.lake.table("market_holidays", symbols=["AAPL"])
        with self.assertRaisesRegex(ValueError, "not a dataset's name: '../x'"):
            self.lake.table("../x")
        with self.assertRaisesRegex(lode.UsageError, "no dataset nothing in .*; there is .*minutes"):
            self.lake.table("nothing")

    def test_reading_while_a_partition_is_replaced(self):
        """A handle stays on the version it opened; a file that goes between listing and opening is listed again."""
        lake = support.lake(self.folder / "copy")
        source = self.folder / "minutes"
        lake.import_(source, dataset="minutes")
        file = next(lake.path.glob("bronze/minutes/**/*.parquet"))
        fragment = lode.bronze._fragment(file)
        other = lake.table("minutes").slice(0, 1)
        pyarrow.parquet.write_table(other, file.with_suffix(".new"))
        file.with_suffix(".new").replace(file)
        self.assertTrue(fragment.to_table().replace_schema_metadata(None).equals(self.lake.table("minutes")))
        listed, calls = lode.bronze.files, []

        def listing(*words):
            found = listed(*words)
            calls.append(found)
            return lode.bronze.Files([file.with_name("gone.parquet")], file, False) if len(calls) == 1 else found

        lode.bronze.files = listing
        try:
            self.lake.table("minutes")
        finally:
            lode.bronze.files = listed
        self.assertEqual(len(calls), 2)

    def test_rows_of_every_shape(self):
        """Files of the test's own: whole tickers of a list; events by the day of their file, or of their own times."""
        ns = lambda *values: pyarrow.array([None if value is None else datetime.datetime.fromisoformat(value)  # noqa: E731
                                            for value in values], pyarrow.timestamp("ns"))
        lake = support.lake(self.folder / "shapes")
        for dataset, schema, columns, partitions in (
                ("news", "polygon/news", {"tickers": ['["AAPL","B"]', '["AAPLX"]', "[]", None], "published_utc": ns(
                    "2024-01-01", "2024-01-02", "2024-01-02T23:59:59.999999", "2024-01-03")}, ["month=2024-01"]),
                ("by_day", "trades", {"symbol": ["A", None, "A", "B"], "ts_recv": ns(None, "2024-01-02", "2024-01-02", None),
                                      "ts_event": ns(None, None, "2023-12-31", "2024-01-02T01:00:00")}, ["day=2024-01-02"]),
                ("by_year", "trades", {"symbol": ["A", None, "A", "B"], "ts_recv": ns(None, "2024-01-02", "2024-01-02", None),
                                       "ts_event": ns(None, None, "2023-12-31", "2024-01-02T01:00:00")}, ["year=2024"])):
            for partition in partitions:
                file = lake.path / "bronze" / dataset / partition / "data.parquet"
                file.parent.mkdir(parents=True)
                pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata({"lode.schema": schema}), file)
        for expected, dataset, words in (
                ([0], "news", {"symbols": ["AAPL"]}), ([0, 1], "news", {"symbols": ["B", "AAPLX"]}), ([], "news", {"symbols": "AAP"}),
                ([1, 2], "news", {"start": "2024-01-02", "end": "2024-01-02"}),
                ([0, 1, 2, 3], "by_day", {"start": "2024-01-02", "end": "2024-01-02"}), ([], "by_day", {"end": "2024-01-01"}),
                ([0, 2], "by_day", {"symbols": ["A"], "start": "2024-01-02"}),
                ([1, 2, 3], "by_year", {"start": "2024-01-02", "end": "2024-01-02"}), ([], "by_year", {"end": "2024-01-01"})):
            whole = lake.table(dataset).to_pylist()
            self.assertEqual(lake.table(dataset, **words).to_pylist(), [whole[i] for i in expected], (dataset, words))
            rows = lake.relation(dataset, connection=self.duckdb, **words).fetchall()
            self.assertEqual(len(rows), len(expected), (dataset, words))
            self.assertEqual([row[0] for row in rows], [list(whole[i].values())[0] for i in expected], (dataset, words))
