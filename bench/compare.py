"""Vendor files to Parquet: lode against databento-python, polars and DuckDB.

Every contender is a process of its own, doing the whole job: start, read, decode, write zstd Parquet; lode also keeps the raw
bytes, hashes both sides, resolves symbols, sorts, and writes receipts and ledger. Rounds are interleaved, so that a slow minute
of the machine hits everybody; the minimum of each counts. CPU is user + system time of the process and its threads.

One comparison is of reading alone: NDJSON to typed columns by lode's decoder (decode_bench) and by DuckDB, aggregates printed, which
must agree, and nothing written.

Input: with LODE_REAL_DATA set to a folder of Databento files, its nq_dbn and nq_1m; else generated files of the same size.
Fetching over S3 is measured in bench/fetching.py. The file 20 times as large, the NDJSON delivery and the csv.gz files of Tardis and Polygon are always generated. What the others
run is in bench/contenders.py.

usage: bench/run [--rounds 5] [--no-large] [--output bench/RESULTS.md]
"""
import argparse
import datetime
import gzip
import importlib.metadata
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import contenders as texts
from fetching import fetching

ROOT = pathlib.Path(__file__).resolve().parent.parent
LODE = ROOT / "build" / "release" / "lode"
FIXTURES = ROOT / "build" / "release" / "lode_fixtures"
DECODER = ROOT / "build" / "release" / "decode_bench"
NQ_ROWS = 728_623

# QuantMini's ingestor on a file of the same kind: specs/baselines.md, line a2, wall time on 2 cores.
EXISTING_MINUTES_ROWS_PER_S = 1_050_000


def size_of(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


class Contender:
    def __init__(self, name, command, output, note="", before=None):
        self.name, self.command, self.output, self.note, self.before = name, command, output, note, before
        self.cpu, self.wall, self.peak_mib, self.size, self.printed = [], [], [], 0, ""

    def run(self, work):
        """One round in a clean folder."""
        folder = work / "round"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        in_folder = lambda command: [str(part).replace("@", str(folder)) for part in command]
        if self.before:
            subprocess.run(in_folder(self.before), check=True, stdout=subprocess.DEVNULL)
        command = in_folder(self.command)
        begin = datetime.datetime.now()
        with tempfile.TemporaryFile("w+") as printed:
            child = subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE)
            error = child.stderr.read()
            _, status, usage = os.wait4(child.pid, 0)
            printed.seek(0)
            self.printed = printed.read()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{self.name} failed ({child.returncode}): {error.decode(errors='replace')[-2000:]}")
        self.wall.append((datetime.datetime.now() - begin).total_seconds())
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.peak_mib.append(usage.ru_maxrss / 1024)
        self.size = size_of(pathlib.Path(str(self.output).replace("@", str(folder))))


def lode(path, *more):
    return Contender("lode import", [LODE, "--lake", "@/lake", "--quiet", "import", path, "--dataset", "bench", *more],
                     "@/lake/bronze", "raw copy, SHA-256 of input and output, receipts and ledger included")


def lode_next_day(path, day_before):
    """The daily job: the lake and the dataset are there, with the day before."""
    command = [LODE, "--lake", "@/lake", "--quiet", "import", "--dataset", "bench"]
    return Contender("lode import, into a lake", [*command, path], "@/lake/bronze",
                     "the lake holds the day before; raw copy, SHA-256 of input and output, receipts and ledger included",
                     before=[*command, day_before])


def lode_first_day(path):
    first = lode(path)
    first.name, first.note = "lode import, into nothing", "makes lake, ledger and DuckDB's views besides"
    return first


def small_file(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def lode_table(path):
    """Import, then the warehouse table."""
    command = f"'{LODE}' --lake @/lake --quiet import '{path}' --dataset bench && '{LODE}' --lake @/lake --quiet load --to duckdb"
    return Contender("lode import, lode load --to duckdb", ["sh", "-c", command], "@/lake/lake.duckdb",
                     "Parquet as above, then the warehouse's table with its load state; the size is that of the database")


def script(name, text, path, note="", **values):
    return Contender(name, [sys.executable, "-c", text.format(**values), path, "@/out.parquet"], "@/out.parquet", note)


def same_lines(contenders):
    """Ends the run unless all printed the same lines, in whatever order."""
    lines = [sorted(c.printed.splitlines()) for c in contenders]
    for c, printed in zip(contenders, lines):
        if not printed or printed != lines[0]:
            sys.exit(f"{c.name} read other values than {contenders[0].name}:\n{c.printed}\n{contenders[0].printed}")


def measure(contenders, rounds, work):
    for number in range(rounds):
        for contender in contenders:
            contender.run(work)
            print(f"  round {number + 1}: {contender.name:34} {contender.cpu[-1]:7.3f} s CPU {contender.peak_mib[-1]:7.0f} MiB", flush=True)


def table(title, rows, input_bytes, contenders):
    base = contenders[0]
    lines = [f"### {title}", "", f"{rows:,} rows, {input_bytes / 1e6:.1f} MB of input.", "",
             "| program | CPU s (min / median) | rows per CPU-second | wall s (min) | peak MiB (max) | output MB | lode is |",
             "|---|---|---|---|---|---|---|"]
    for c in contenders:
        cpu, median = min(c.cpu), sorted(c.cpu)[len(c.cpu) // 2]
        against = "" if c is base else f"{cpu / min(base.cpu):.1f} × less CPU"
        if c is not base and c.size:
            against += f", {base.size / c.size:.2f} of the size"
        lines.append(f"| {c.name} | {cpu:.3f} / {median:.3f} | {rows / cpu:,.0f} | {min(c.wall):.2f} | {max(c.peak_mib):.0f} "
                     f"| {c.size / 1e6:.2f} | {against} |")
    notes = [f"{c.name}: {c.note}." for c in contenders if c.note]
    return lines + [""] + notes + ([""] if notes else [])


def inputs(work):
    """(DBN file, its rows, CSV delivery folder, where from)"""
    root = os.environ.get("LODE_REAL_DATA")
    if root:
        return next(pathlib.Path(root, "nq_dbn").rglob("*.dbn.zst")), NQ_ROWS, pathlib.Path(root, "nq_1m"), "real NQ files"
    file, folder = work / "bars.dbn.zst", work / "minutes"
    subprocess.run([FIXTURES, "large-dbn", file, "--rows", str(NQ_ROWS), "--zstd"], check=True)
    subprocess.run([FIXTURES, "delivery-csv", folder, "--days", "91", "--bars", "90"], check=True, stdout=subprocess.DEVNULL)
    return file, NQ_ROWS, folder, "generated files"


def csv_rows(folder):
    return sum(path.read_bytes().count(b"\n") - 1 for path in folder.glob("glbx-*"))


def fixture(command, path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([FIXTURES, command, path, "--rows", str(rows)], check=True)
    return path


def target(text, measured, reached):
    return f"| {text} | {measured} | {'reached' if reached else '**not reached**'} |"


def tardis_trades(rounds, work):
    """(lines, targets)"""
    rows = 2_000_000
    path = fixture("tardis-large", work / "binance-futures_trades_2024-01-02_BTCUSDT.csv.gz", rows)
    note = "source order kept, times typed, no row number"
    day_before = small_file(work / "binance-futures_trades_2024-01-01_BTCUSDT.csv.gz",
                            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
                            "binance-futures,BTCUSDT,1704067200000000,1704067200000100,1,buy,42000.5,0.25\n")
    contenders = [lode_next_day(path, day_before), script("polars", texts.TRADES_POLARS, path, note),
                  script("DuckDB", texts.TRADES_DUCKDB, path, note), script("pyarrow, its default zstd", texts.TRADES_PYARROW, path, note),
                  lode_first_day(path)]
    print("Tardis trades csv.gz → Parquet")
    measure(contenders, rounds, work)
    mine, polars, duck, arrow, first = contenders
    ratio = lambda other: min(other.cpu) / min(mine.cpu)
    both = lambda other: f"{ratio(other):.1f} × into a lake, {min(other.cpu) / min(first.cpu):.1f} × into nothing"
    return table("Tardis trades csv.gz → Parquet (generated)", rows, path.stat().st_size, contenders), [
        target("Tardis trades at least 2.2 × polars in CPU time", both(polars), ratio(polars) >= 2.2),
        target("… at least 3 × DuckDB", both(duck), ratio(duck) >= 3),
        target("… peak at most 128 MiB", f"{max(mine.peak_mib):.0f} MiB", max(mine.peak_mib) <= 128),
        target("… output at most 0.9 of pyarrow's default zstd", f"{mine.size / arrow.size:.2f}", mine.size <= 0.9 * arrow.size)]


def ndjson_typed(folder, pattern, rounds, work):
    """[lode's decoder, the reader of DuckDB with all its threads, with one]: to typed columns, aggregates printed."""
    subprocess.run(["ninja", "-C", ROOT / "build" / "release", "decode_bench"], check=True, stdout=subprocess.DEVNULL)
    one_thread = dict(setting='duckdb.sql("SET threads = 1")')
    contenders = [Contender("lode's decoder (decode_bench)", [DECODER, folder], "@",
                            "discovery, metadata, symbology and checks of each record as in an import; nothing written"),
                  script("DuckDB", texts.BARS_DUCKDB_AGGREGATES, pattern, "the same aggregates of every column; nothing written", setting=""),
                  script("DuckDB, one thread", texts.BARS_DUCKDB_AGGREGATES, pattern, **one_thread)]
    for contender in contenders:
        contender.output = "@"  # they write nothing
    print("Databento NDJSON → typed columns")
    measure(contenders, rounds, work)
    same_lines(contenders)
    return contenders


def ndjson_bars(rounds, work):
    """(lines, targets)"""
    folder = work / "ndjson"
    subprocess.run([FIXTURES, "delivery-json", folder, "--seed", "5", "--days", "280", "--bars", "290", "--split", "month", "--pending", "0"],
                   check=True, stdout=subprocess.DEVNULL)
    pattern = str(folder / "glbx-*.json")
    size = sum(path.stat().st_size for path in folder.glob("glbx-*"))
    rows = sum(path.read_bytes().count(b"\n") for path in folder.glob("glbx-*"))
    note = "hd unfolded, prices DECIMAL(18,9), times typed; order of the files kept"
    mine = lode(folder)
    mine.note = "rows sorted by instrument, a file a month; " + mine.note
    parquet = [mine, script("DuckDB", texts.BARS_DUCKDB_PARQUET, pattern, note), script("polars", texts.BARS_POLARS, pattern, note),
               script("copy and hash alone", texts.COPY_AND_HASH, pattern,
                      "hash, copy with hash and fsync, read the copy: what an import does besides typing the rows; nothing else")]
    print("Databento NDJSON → Parquet")
    measure(parquet, rounds, work)
    loaded = [lode_table(folder), script("DuckDB", texts.BARS_DUCKDB_TABLE, pattern, note + "; CREATE TABLE … AS in a new database file")]
    print("Databento NDJSON → DuckDB table")
    measure(loaded, rounds, work)
    typed = ndjson_typed(folder, pattern, rounds, work)
    ratio = lambda pair: min(pair[1].cpu) / min(pair[0].cpu)
    typed_ratio = min(ratio(typed[:2]), ratio(typed[::2]))  # of DuckDB's two, the one that takes less CPU
    return table("Databento NDJSON, pretty, with symbols → Parquet (generated)", rows, size, parquet) + table(
        "The same → a DuckDB table", rows, size, loaded) + table("The same → typed columns, aggregates only", rows, size, typed), [
        target("NDJSON → typed columns at least 3 × DuckDB in CPU time (aggregates only; whole processes, nothing written)",
               f"{typed_ratio:.1f} ×", typed_ratio >= 3),
        target("NDJSON → Parquet in a lake, raw copy, hashes and receipts included: at least 3 × DuckDB's NDJSON → Parquet in CPU time",
               f"{ratio(parquet):.1f} ×", ratio(parquet) >= 3),
        target("… peak at most 128 MiB", f"{max(mine.peak_mib):.0f} MiB", max(mine.peak_mib) <= 128),
        f"| NDJSON → DuckDB table, Parquet and receipts on the way | {ratio(loaded):.1f} × DuckDB's CREATE TABLE AS | no target |"]


def polygon_minutes(rounds, work):
    """(lines, targets)"""
    rows = 1_800_000
    path = fixture("polygon-minutes", work / "us_stocks_sip" / "minute_aggs_v1" / "2024" / "11" / "2024-11-01.csv.gz", rows)
    note = "times typed, session date added, not sorted (the file already is)"
    day_before = small_file(work / "us_stocks_sip" / "minute_aggs_v1" / "2024" / "10" / "2024-10-31.csv.gz",
                            "ticker,volume,open,close,high,low,window_start,transactions\nA,100,1.5,1.5,1.5,1.5,1730381400000000000,1\n")
    contenders = [lode_next_day(path, day_before), script("polars", texts.MINUTES_POLARS, path, note), script("DuckDB", texts.MINUTES_DUCKDB, path, note),
                  script("pyarrow, its default zstd", texts.MINUTES_PYARROW, path, note),
                  script("as the existing system", texts.MINUTES_EXISTING, path,
                         "gzip and read_csv in memory, float32 prices, UTC date, snappy without dictionaries"), lode_first_day(path)]
    print("Polygon minute aggregates → Parquet")
    measure(contenders, rounds, work)
    mine, arrow, old = contenders[0], contenders[3], contenders[4]
    rate = rows / min(mine.cpu)
    existing = (f"The existing system (QuantMini's ingestor, snappy, wall time on two cores) is given as"
                f" {EXISTING_MINUTES_ROWS_PER_S:,} rows/s in specs/baselines.md, line a2; what it does, as its"
                f" description says, is measured above.")
    return table("Polygon minute aggregates of a market day → Parquet (generated)", rows, path.stat().st_size, contenders) + [existing, ""], [
        target(f"Polygon minutes at least 3 × the existing system's {EXISTING_MINUTES_ROWS_PER_S:,} rows/s",
               f"{rate:,.0f} rows per CPU-second, {rate / EXISTING_MINUTES_ROWS_PER_S:.1f} ×", rate >= 3 * EXISTING_MINUTES_ROWS_PER_S),
        target("… at least 3 × what that system does, in CPU time of the same run", f"{min(old.cpu) / min(mine.cpu):.1f} ×",
               min(old.cpu) >= 3 * min(mine.cpu)),
        target("… peak at most 128 MiB", f"{max(mine.peak_mib):.0f} MiB", max(mine.peak_mib) <= 128),
        target("… output at most 0.9 of pyarrow's default zstd", f"{mine.size / arrow.size:.2f}", mine.size <= 0.9 * arrow.size)]


def fetch(rounds, work):
    """(lines, targets)"""
    print("S3 from loopback")
    return fetching(rounds, work, target)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}"


def version(package):
    # Not by importing it: a child's peak memory begins with what its launcher holds.
    return importlib.metadata.version(package)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-large", action="store_true")
    parser.add_argument("--only", default="", help="ndjson, tardis, polygon or fetch alone, printed; nothing is written")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bench" / "RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lode-bench.") as work:
        work = pathlib.Path(work)
        if options.only:
            part = {"ndjson": ndjson_bars, "tardis": tardis_trades, "polygon": polygon_minutes, "fetch": fetch}[options.only]
            lines, reached = part(options.rounds, work)
            print("\n" + "\n".join(lines + reached))
            return
        dbn_file, dbn_rows, csv_folder, origin = inputs(work)
        lines = ["# Measured against other programs", "",
                 f"Written by `bench/run` on {datetime.date.today()} from {origin}: {machine()}; {options.rounds} interleaved rounds;"
                 f" databento {version('databento')}, polars {version('polars')}, DuckDB {version('duckdb')}. What counts as"
                 " CPU, and what each program does, is said at the top of bench/compare.py.", ""]
        print("DBN, zstd → Parquet")
        before = work / "before.dbn.zst"
        subprocess.run([FIXTURES, "large-dbn", before, "--rows", "200", "--zstd"], check=True)  # of a month of 2020
        dbn = [lode_next_day(dbn_file, before), script("databento-python, symbols mapped", texts.DATABENTO, dbn_file, symbols=True),
               script("databento-python, no symbols", texts.DATABENTO, dbn_file, symbols=False), lode_first_day(dbn_file)]
        measure(dbn, options.rounds, work)
        lines += table("DBN → Parquet", dbn_rows, dbn_file.stat().st_size, dbn)
        print("CSV delivery → Parquet")
        pattern = str(csv_folder / "glbx-*")
        csv = [lode(csv_folder), script("polars", texts.POLARS, pattern), script("DuckDB", texts.DUCKDB, pattern)]
        measure(csv, options.rounds, work)
        lines += table("CSV delivery → Parquet", csv_rows(csv_folder), sum(f.stat().st_size for f in csv_folder.glob("glbx-*")), csv)
        if not options.no_large:
            print("a DBN file 20 times as large")
            large = work / "large.dbn.zst"
            subprocess.run([FIXTURES, "large-dbn", large, "--rows", str(20 * NQ_ROWS), "--zstd"], check=True)
            big = [lode(large)]
            measure(big, 1, work)
            lines += table("A file 20 times as large (generated): peak memory", 20 * NQ_ROWS, large.stat().st_size, big)
        dbn_ratio, first_ratio = min(dbn[1].cpu) / min(dbn[0].cpu), min(dbn[1].cpu) / min(dbn[3].cpu)
        size_ratio = dbn[0].size / dbn[1].size
        peaks = max(dbn[0].peak_mib + (big[0].peak_mib if not options.no_large else []))
        targets = [target("DBN → Parquet at least 6.5 × databento-python in CPU time",
                          f"{dbn_ratio:.1f} × into a lake, {first_ratio:.1f} × into nothing", dbn_ratio >= 6.5),
                   target("output at most 0.7 of its zstd file", f"{size_ratio:.2f}", size_ratio <= 0.7),
                   target("peak at most 128 MiB, also on a file 20 times as large", f"{peaks:.0f} MiB", peaks <= 128)]
        for part in (ndjson_bars, tardis_trades, polygon_minutes, fetch):
            more, reached = part(options.rounds, work)
            lines += more
            targets += reached
        lines += ["### Targets", "", "| target | measured | |", "|---|---|---|", *targets, ""]
        options.output.write_text("\n".join(lines))
        print(f"\nwritten: {options.output}\n\n" + "\n".join(["### Targets", *targets]))


main()
