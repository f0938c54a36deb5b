#!/usr/bin/env python3
"""What lode stores equals what other people's programs read from the same files: every row, every column.

Oracles: databento-dbn (the vendor's own decoder and text encoder), polars and DuckDB. Input is generated; with LODE_REAL_DATA
set to a folder of Databento files those are compared too, and ../polygon/flat and ../tardis beside it.

usage: run.py --lode PROGRAM --fixtures PROGRAM [--seed N] [--only PART] (in third_party/oracle's Python)
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import databento_dbn as dbn
import duckdb
import polars as pl

import frames
import vendor_frames

LEGACY = ("trading_reference_price", "trading_reference_date", "md_security_trading_status", "settl_price_type")
TEXT = {"csv": dbn.Encoding.CSV, "json": dbn.Encoding.JSON}


class Checks:
    """The cases of a run and what came of them; a case is a name and a function that gives a list of problems."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.lake = work / "lake"
        self.cases = []

    def add(self, name, function, *arguments, **keywords):
        if self.options.only in name:
            self.cases.append((name, function, arguments, keywords))

    def run(self):
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [(name, pool.submit(function, name, *arguments, **keywords))
                    for name, function, arguments, keywords in self.cases]
            for name, run in runs:
                try:
                    problems = run.result()
                except Exception:  # a case that dies is a failed case, with its trace
                    problems = traceback.format_exc().splitlines()[-6:]
                if problems:
                    failed += 1
                    print(f"FAILED {name}", *problems[:12], sep="\n    ")
                    sys.stdout.flush()
        return len(self.cases) - failed, failed

    def lode(self, *arguments):
        return subprocess.run([str(self.options.lode), "--lake", str(self.lake), "--quiet", *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def import_table(self, path, dataset, *more, codes=(0,)):
        """Imports into a dataset of its own and gives back (table, problems)."""
        done = self.lode("import", path, "--dataset", dataset, *more)
        if done.returncode not in codes:
            return None, [f"lode import ended with {done.returncode}: {done.stdout.strip()}"]
        return frames.bronze(self.lake / "bronze" / dataset), []


def dataset_of(name):
    return "d_" + re.sub(r"[^a-z0-9]+", "_", name.lower())[-48:].strip("_")


def schema_of(path):
    """(schema, version, is_fragment) from a name like test_data.ohlcv-1m.v3.dbn.frag."""
    found = re.search(r"\.([a-z]+(?:-[0-9a-z]+)?)(?:\.v(\d))?\.dbn(\.frag)?", path.name)
    return found.group(1), int(found.group(2) or 3), bool(found.group(3))


def is_keyed(schema):
    return schema.startswith("ohlcv")


# --- DBN ---

def dbn_file(name, checks, path):
    schema, version, fragment = schema_of(path)
    data = frames.decompress(path.read_bytes())
    form = {}
    if fragment:
        if schema == "definition":  # the name may not say the version, the length of a record does
            version = {360: 1, 400: 2, 520: 3}[data[0] * 4]
        form = {"has_metadata": False, "version": version, "schema": schema, "map_symbols": False}
    else:
        version = data[3]
        schema = str(dbn.Metadata.decode(data).schema or schema)
    table, problems = checks.import_table(path, dataset_of(name))
    oracle = frames.text_frame(frames.transcode(data, dbn.Encoding.CSV, **form))
    lacking = ("ts_out", "symbol") if fragment else ("ts_out",)
    if not problems and schema == "definition" and version < 3 and oracle.height:
        # Columns only the old versions have: from the records as they are, not as the vendor's package upgrades them.
        old = frames.text_frame(frames.transcode(data, dbn.Encoding.CSV, as_is=True, **form))
        return frames.compare(table.drop_columns(list(LEGACY)), oracle, keyed=False, lacking=lacking) \
            + legacy_definitions(table, old)
    return problems or frames.compare(table, oracle, keyed=is_keyed(schema), lacking=(*lacking, *LEGACY))


def legacy_definitions(table, old):
    problems = []
    rows = table.select(["source_row", *LEGACY]).sort_by("source_row")
    for name in LEGACY:
        field = rows.schema.field(name)
        if name not in old.columns:
            continue  # version 2's text form leaves some out
        mine, theirs = frames.plain_column(rows[name], field), frames.oracle_column(old[name], field)
        if not mine.equals(theirs, null_equal=True):
            at = int(mine.ne_missing(theirs).arg_max())
            problems.append(f"column {name}: row {at}: lode has {mine[at]!r}, the oracle {theirs[at]!r}")
    return problems


# Record type numbers; mbp-1 and tbbo share one.
RECORD_SCHEMAS = {
    0x00: "trades", 0x01: "mbp-1", 0x0A: "mbp-10", 0x12: "status", 0x13: "definition", 0x14: "imbalance", 0x18: "statistics",
    0x20: "ohlcv-1s", 0x21: "ohlcv-1m", 0x22: "ohlcv-1h", 0x23: "ohlcv-1d", 0x24: "ohlcv-eod", 0xA0: "mbo", 0xB1: "cmbp-1",
    0xC0: "cbbo-1s", 0xC1: "cbbo-1m", 0xC2: "tcbbo", 0xC3: "bbo-1s", 0xC4: "bbo-1m"}


def field_of(record, name, symbols):
    """A column's value out of a record of the vendor's package, as raw text."""
    level = re.match(r"^((?:bid|ask)_(?:px|sz|ct))_(\d\d)$", name)
    if level:
        return str(getattr(record.levels[int(level.group(2))], level.group(1)))
    if name == "symbol":
        return symbols.get(record.instrument_id, "")
    value = getattr(record, name)
    if name == "rtype":
        return str(int(getattr(value, "value", value)))
    value = getattr(value, "value", value)
    return "" if value is None else str(value).replace("\0", "")


def capture_file(name, checks, path):
    """A live capture of mixed schemas: one dataset a schema, compared with the records the vendor's decoder gives."""
    decoder = dbn.DBNDecoder(ts_out=True, upgrade_policy=dbn.VersionUpgradePolicy.UPGRADE_TO_V3)
    decoder.write(frames.decompress(path.read_bytes()))
    records, symbols = {}, {}
    for record in decoder.decode():
        record = record[0] if isinstance(record, tuple) else record
        if type(record).__name__ == "Metadata":
            continue
        kind = int(record.rtype.value)
        if kind == 0x16:
            symbols[record.instrument_id] = record.stype_out_symbol
        elif kind in RECORD_SCHEMAS:
            records.setdefault(RECORD_SCHEMAS[kind], []).append(record)
    dataset = dataset_of(name)
    done = checks.lode("import", path, "--dataset", dataset)
    if done.returncode != 0:
        return [f"lode import ended with {done.returncode}: {done.stdout.strip()}"]
    problems = [] if records else ["the capture held no record"]
    for schema, rows in records.items():
        folder = checks.lake / "bronze" / f"{dataset}_{schema.replace('-', '_')}"
        table = frames.bronze(folder)
        if table is None:
            problems.append(f"no dataset for {schema}")
            continue
        # The columns only old definitions have: upgraded records lack them, dbn_file() compares them.
        table = table.drop_columns([c for c in LEGACY if c in table.schema.names])
        columns = [c for c in table.schema.names if c not in frames.DERIVED]
        if is_keyed(schema):
            columns.append("rtype")
        oracle = pl.DataFrame({c: [field_of(record, c, symbols) for record in rows] for c in columns})
        problems += [f"{schema}: {problem}" for problem in
                     frames.compare(table, oracle, keyed=is_keyed(schema))]
    return problems


# --- text of every schema, written by the vendor's encoder ---

def encoded_file(name, checks, path, encoding, pretty_px, pretty_ts, map_symbols):
    schema = schema_of(path)[0]
    data = path.read_bytes()
    text = frames.transcode(data, TEXT[encoding], pretty_px=pretty_px, pretty_ts=pretty_ts, map_symbols=map_symbols)
    file = checks.work / "text" / f"{dataset_of(name)}.{schema}.{encoding}"
    file.write_bytes(text)
    # The oracle is the same package's raw CSV: polars reads it; the text lode reads may be another form of it.
    oracle = frames.text_frame(frames.transcode(data, dbn.Encoding.CSV, map_symbols=map_symbols))
    table, problems = checks.import_table(file, dataset_of(name))
    lacking = ("ts_out", *LEGACY) + (() if map_symbols else ("symbol",))
    return problems or frames.compare(table, oracle, keyed=is_keyed(schema), lacking=lacking)


# --- deliveries and files of bars as text, read by polars and DuckDB ---

def text_bars(paths, as_json):
    """Bars of text files as polars reads them, one text column a field."""
    parts = []
    for path in paths:
        data = frames.decompress(path.read_bytes())
        if not as_json:
            parts.append(frames.text_frame(data))
            continue
        part = pl.read_ndjson(data, infer_schema_length=None)
        part = part.unnest("hd") if "hd" in part.columns else part
        parts.append(part.with_columns(pl.all().cast(pl.String).fill_null("")))
    return pl.concat(parts)


def bar_files(name, checks, path, files, as_json, *more, codes=(0,), symbols=None):
    oracle = text_bars(files, as_json)
    if symbols is not None:
        oracle = oracle.join(symbols, on="instrument_id", how="left").with_columns(pl.col("symbol").fill_null(""))
    dataset = dataset_of(name)
    table, problems = checks.import_table(path, dataset, *more, codes=codes)
    if not problems:
        problems = frames.compare(table, oracle, keyed=True, lacking=() if "symbol" in oracle.columns else ("symbol",))
    return problems or duckdb_sums(checks, dataset, files, as_json)


def duckdb_sums(checks, dataset, files, as_json):
    """Rows, sums of price x 1e9, first and last time: DuckDB over the text against DuckDB over lode's Parquet."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    names = "[" + ", ".join(f"'{file}'" for file in files) + "]"
    if as_json:
        sample = connection.execute(f"SELECT * FROM read_json({names}, format = 'newline_delimited') LIMIT 1")
        nested = "hd" in [column[0] for column in sample.description]
        columns = "{" + ("hd: 'STRUCT(ts_event VARCHAR)'" if nested else "ts_event: 'VARCHAR'") + \
            ", open: 'VARCHAR', high: 'VARCHAR', low: 'VARCHAR', close: 'VARCHAR', volume: 'VARCHAR'}"
        source, time = f"read_json({names}, format = 'newline_delimited', columns = {columns})", "hd.ts_event" if nested else "ts_event"
    else:
        source, time = f"read_csv({names}, all_varchar = true)", "ts_event"
    first = connection.execute(f"SELECT open, {time} FROM {source} LIMIT 1").fetchone()
    price = (lambda c: f"sum({c}::DECIMAL(38, 9) * 1000000000)::HUGEINT") if "." in first[0] else (lambda c: f"sum({c}::HUGEINT)")
    stamp = f"epoch_us({time}::TIMESTAMPTZ)" if "T" in first[1] else f"({time}::BIGINT // 1000)"
    wanted = [price(c) for c in ("open", "high", "low", "close")]
    theirs = connection.execute(f"SELECT count(*), {', '.join(wanted)}, sum(volume::HUGEINT), min({stamp}), max({stamp}) FROM {source}").fetchone()
    mine = connection.execute(
        "SELECT count(*), " + ", ".join(f"sum({c}::DECIMAL(38, 9) * 1000000000)::HUGEINT" for c in ("open", "high", "low", "close"))
        + f", sum(volume::HUGEINT), epoch_us(min(ts_event)), epoch_us(max(ts_event)) FROM '{checks.lake}/bronze/{dataset}/**/*.parquet'").fetchone()
    return [] if mine == theirs else [f"DuckDB: lode's Parquet has {mine}, the text {theirs}"]


def foreign_parquet(name, checks, source):
    """Parquet that polars wrote under other names, with a mapping, against the same bars imported from their own files."""
    bars = text_bars(sorted(source.glob("glbx-*.csv")), False)
    prices = {"o": "open", "h": "high", "l": "low", "c": "close"}
    foreign = bars.select(
        pl.col("symbol").alias("ticker"), pl.col("instrument_id").cast(pl.Int64).alias("id"),
        pl.col("ts_event").str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.9f", time_unit="us").alias("when"),
        *[pl.col(column).cast(pl.Float64).alias(short) for short, column in prices.items()],
        pl.col("volume").cast(pl.Int64).alias("v"))
    folder = checks.work / "foreign"
    folder.mkdir()
    foreign.write_parquet(folder / "bars.ohlcv-1m.parquet")
    mapping = checks.work / "mapping.toml"
    mapping.write_text('schema = "ohlcv-1m"\n[columns]\nsymbol = "ticker"\ninstrument_id = "id"\nts_event = "when"\n'
                       + "".join(f'{column} = "{short}"\n' for short, column in prices.items())
                       + 'volume = "v"\npublisher_id = { value = 1 }\n')
    table, problems = checks.import_table(folder, dataset_of(name), "--map", mapping)
    return problems or frames.compare(table, bars, keyed=True)


# --- Polygon and Tardis ---

def vendor_files(name, checks, path, files):
    """Files of one type against both readers."""
    dataset = dataset_of(name)
    _, problems = checks.import_table(path, dataset)
    for reader in () if problems else (vendor_frames.polars_reads, vendor_frames.duckdb_reads):
        found = vendor_frames.compare(checks.lake / "bronze" / dataset, vendor_frames.oracle(files, reader))
        problems += [f"{reader.__name__}: {problem}" for problem in found]
    return problems


def refused_file(name, checks, path, message):
    done = checks.lode("import", path, "--dataset", dataset_of(name))
    return [] if done.returncode == 4 and message in done.stdout else [f"ended with {done.returncode}: {done.stdout.strip()}"]


def polygon_tree(checks, root):
    for folder in sorted(root.glob("*/*_v1")):
        checks.add(f"{root.name} {folder.parent.name} {folder.name}", vendor_files, checks, folder, sorted(folder.rglob("*.gz")))


def tardis_tree(checks, root):
    for folder in sorted((root / "download").glob("*/*")):
        name = f"{folder.parent.name} {folder.name}"
        checks.add(f"tardis download {name}", vendor_files, checks, folder, sorted(folder.rglob("*.gz")))
        # As the clients name them: in a folder of their own, as one import is one dataset.
        client = root / "by_type" / name.replace(" ", "_")
        client.mkdir(parents=True)
        for file in (root / "client").glob(f"{name.replace(' ', '_')}_20*"):
            shutil.copy(file, client)
        checks.add(f"tardis client {name}", vendor_files, checks, client, sorted(client.iterdir()))


def with_line_end(checks, path):
    """The file, or a copy that ends its last line: some samples were cut out of web pages."""
    if path.read_bytes().endswith(b"\n"):
        return path
    copy = checks.work / "line_end" / path.name
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(path.read_bytes() + b"\n")
    return copy


def real_vendors(checks, polygon, tardis):
    for path in map(lambda p: with_line_end(checks, p), sorted(polygon.glob("*.csv"))):
        name = f"real polygon {path.name}"
        if path.name == "stocks_minute_candlesticks_example.csv":  # the page it comes from cut two digits off its times
            checks.add(name, refused_file, checks, path, "window_start")
        else:
            checks.add(name, vendor_files, checks, path, [path])
    machine = tardis / "machine"
    samples = [*sorted(tardis.glob("*.csv")), machine / "options_chain.csv", *sorted((machine / "csv").glob("*.csv"))]
    for path in map(lambda p: with_line_end(checks, p), samples):
        name = f"real tardis {path.name}"
        if path.name in ("deltas_1.csv", "trades_1.csv"):  # nanoseconds, which the vendor's files never have
            checks.add(name, refused_file, checks, path, "timestamp")
        else:
            checks.add(name, vendor_files, checks, path, [path])


# --- what is compared ---

def generated(checks, seed):
    random_choice = random.Random(seed)
    work, options = checks.work, checks.options

    def fixture(*arguments):
        subprocess.run([str(options.fixtures), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    fixture("dbn", work / "dbn", "--seed", seed % 100_000, "--records", 150)
    (work / "text").mkdir()
    for path in sorted((work / "dbn").iterdir()):
        name = path.name
        if name.startswith("capture"):
            checks.add(f"dbn {name}", capture_file, checks, path)
        else:
            checks.add(f"dbn {name}", dbn_file, checks, path)
            if name.endswith(".v3.dbn"):
                for encoding in TEXT:
                    flags = [random_choice.random() < 0.5 for _ in range(2)] + [random_choice.random() < 0.7]
                    checks.add(f"{encoding} {name} px={flags[0]:d} ts={flags[1]:d} symbol={flags[2]:d}", encoded_file, checks,
                               path, encoding, *flags)
    for kind in ("csv", "json"):
        for pretty in ("px,ts", "px", "ts", "none"):
            for more in ((), ("--zstd", "--split", "month"), ("--no-symbol", "--split", "none")) + ((("--flat",),) if kind == "json" else ()):
                folder = work / re.sub(r"[^a-z]+", "_", f"{kind} {pretty} {' '.join(more)}")
                checks.add(f"delivery {kind} pretty={pretty} {' '.join(more)}", delivery, checks, folder, kind, pretty, more, seed)
    fixture("delivery-csv", work / "minutes", "--seed", seed % 1000, "--days", 12, "--bars", 20)
    checks.add("parquet with a column mapping", foreign_parquet, checks, work / "minutes")
    fixture("polygon", work / "polygon", "--seed", seed % 1000)
    polygon_tree(checks, work / "polygon")
    fixture("polygon", work / "polygon_spring", "--seed", seed % 1000, "--start", "2024-03-07", "--days", 4)
    polygon_tree(checks, work / "polygon_spring")
    fixture("tardis", work / "tardis", "--seed", seed % 1000)
    tardis_tree(checks, work / "tardis")


def delivery(name, checks, folder, kind, pretty, more, seed):
    subprocess.run([str(checks.options.fixtures), f"delivery-{kind}", str(folder), "--seed", str(seed % 1000 + len(more)),
                    "--days", "12", "--bars", "20", "--pretty", pretty, *more], check=True, stdout=subprocess.DEVNULL)
    symbols = None
    if "--no-symbol" in more:  # lode takes them from symbology.json: one id has one symbol in this short range
        result = json.loads((folder / "symbology.json").read_text())["result"]
        symbols = pl.DataFrame([{"instrument_id": part["s"], "symbol": symbol} for symbol, parts in result.items() for part in parts])
    return bar_files(name, checks, folder, sorted(folder.glob("glbx-*")), kind == "json", symbols=symbols)


def real(checks, root):
    for folder in ("nq_1m", "nq_1h_ndjson", "nq_1d_ndjson"):
        files = sorted((root / folder).glob("glbx-*"))
        checks.add(f"real {folder}", bar_files, checks, root / folder, files, folder != "nq_1m")
    spreads = next((root / "gc_si_1d").glob("*.csv.zst"))
    checks.add("real gc_si_1d, the file", bar_files, checks, spreads, [spreads], False, "--no-manifest")
    heating_oil = root / "ho_json" / "jan_2025_subset.json"
    checks.add("real ho_json, the file", bar_files, checks, heating_oil, [heating_oil], True, "--no-manifest")
    files = sorted((root / "nq_dbn").rglob("*.dbn*")) + sorted((root / "official").rglob("*.dbn*"))
    for path in files:
        name = f"real {path.relative_to(root)}"
        checks.add(name, capture_file if "live" in path.name.lower() else dbn_file, checks, path)
    polygon, tardis = root.parent / "polygon" / "flat", root.parent / "tardis"
    if polygon.exists() and tardis.exists():
        real_vendors(checks, polygon, tardis)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--fixtures", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(f"seed: {options.seed}")
    work = pathlib.Path(tempfile.mkdtemp(prefix="lode-interop."))
    try:
        checks = Checks(options, work)
        started = checks.lode("init")
        if started.returncode != 0:
            sys.exit(f"lode init failed: {started.stdout}")
        generated(checks, options.seed)
        if os.environ.get("LODE_REAL_DATA"):
            real(checks, pathlib.Path(os.environ["LODE_REAL_DATA"]))
        passed, failed = checks.run()
    finally:
        print(f"kept: {work}") if options.keep else shutil.rmtree(work)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
