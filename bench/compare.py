"""Vendor files to Parquet: lode against databento-python, polars and DuckDB.

Every contender is a process of its own, doing the whole job: start, read, decode, write zstd Parquet; lode also keeps the raw
bytes, hashes both sides, resolves symbols, sorts, and writes receipts and ledger. Rounds are interleaved, so that a slow minute
of the machine hits everybody; the minimum of each counts. CPU is user + system time of the process and its threads.

Input: with LODE_REAL_DATA set to a folder of Databento files, its nq_dbn and nq_1m; else generated files of the same size.
The file 20 times as large is always generated.

usage: bench/run [--rounds 5] [--no-large] [--output bench/RESULTS.md]
"""
import argparse
import datetime
import importlib.metadata
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LODE = ROOT / "build" / "release" / "lode"
FIXTURES = ROOT / "build" / "release" / "lode_fixtures"
NQ_ROWS = 728_623

DATABENTO = """
import sys, databento
databento.DBNStore.from_file(sys.argv[1]).to_parquet(sys.argv[2], map_symbols={symbols}, compression="zstd")
"""
POLARS = """
import sys, polars as pl
frames = pl.scan_csv(sys.argv[1], try_parse_dates=True)
frames.sort("instrument_id", "ts_event").sink_parquet(sys.argv[2], compression="zstd", compression_level=3)
"""
DUCKDB = """
import sys, duckdb
duckdb.sql(f"COPY (FROM read_csv('{{sys.argv[1]}}') ORDER BY instrument_id, ts_event) TO '{{sys.argv[2]}}' (FORMAT parquet, COMPRESSION zstd)")
"""


def size_of(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


class Contender:
    def __init__(self, name, command, output, note=""):
        self.name, self.command, self.output, self.note = name, command, output, note
        self.cpu, self.wall, self.peak_mib, self.size = [], [], [], 0

    def run(self, work):
        """One round in a clean folder."""
        folder = work / "round"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        command = [str(part).replace("@", str(folder)) for part in self.command]
        begin = datetime.datetime.now()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
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


def script(name, text, path, note="", **values):
    return Contender(name, [sys.executable, "-c", text.format(**values), path, "@/out.parquet"], "@/out.parquet", note)


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
        against = "" if c is base else f"{cpu / min(base.cpu):.1f} × less CPU, {base.size / c.size:.2f} of the size"
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
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bench" / "RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lode-bench.") as work:
        work = pathlib.Path(work)
        dbn_file, dbn_rows, csv_folder, origin = inputs(work)
        lines = ["# Measured against other programs", "",
                 f"Written by `bench/run` on {datetime.date.today()} from {origin}: {machine()}; {options.rounds} interleaved rounds;"
                 f" databento {version('databento')}, polars {version('polars')}, DuckDB {version('duckdb')}. What counts as"
                 " CPU, and what each program does, is said at the top of bench/compare.py.", ""]
        print("DBN, zstd → Parquet")
        dbn = [lode(dbn_file), script("databento-python, symbols mapped", DATABENTO, dbn_file, symbols=True),
               script("databento-python, no symbols", DATABENTO, dbn_file, symbols=False)]
        measure(dbn, options.rounds, work)
        lines += table("DBN → Parquet", dbn_rows, dbn_file.stat().st_size, dbn)
        print("CSV delivery → Parquet")
        pattern = str(csv_folder / "glbx-*")
        csv = [lode(csv_folder), script("polars", POLARS, pattern), script("DuckDB", DUCKDB, pattern)]
        measure(csv, options.rounds, work)
        lines += table("CSV delivery → Parquet", csv_rows(csv_folder), sum(f.stat().st_size for f in csv_folder.glob("glbx-*")), csv)
        if not options.no_large:
            print("a DBN file 20 times as large")
            large = work / "large.dbn.zst"
            subprocess.run([FIXTURES, "large-dbn", large, "--rows", str(20 * NQ_ROWS), "--zstd"], check=True)
            big = [lode(large)]
            measure(big, 1, work)
            lines += table("A file 20 times as large (generated): peak memory", 20 * NQ_ROWS, large.stat().st_size, big)
        dbn_ratio, size_ratio = min(dbn[1].cpu) / min(dbn[0].cpu), dbn[0].size / dbn[1].size
        peaks = max(dbn[0].peak_mib + (big[0].peak_mib if not options.no_large else []))
        verdict = lambda good: "reached" if good else "**not reached**"
        lines += ["### Targets", "", "| target | measured | |", "|---|---|---|",
                  f"| DBN → Parquet at least 6.5 × databento-python in CPU time | {dbn_ratio:.1f} × | {verdict(dbn_ratio >= 6.5)} |",
                  f"| output at most 0.7 of its zstd file | {size_ratio:.2f} | {verdict(size_ratio <= 0.7)} |",
                  f"| peak at most 128 MiB, also on a file 20 times as large | {peaks:.0f} MiB | {verdict(peaks <= 128)} |", ""]
        options.output.write_text("\n".join(lines))
        print(f"\nwritten: {options.output}\n\n" + "\n".join(lines[-6:]))


main()
