"""Plans of lakes of size: what it takes to find out that there is nothing to do, or what is missing.

A lake of a million partitions: Deribit options as the simulator has them (400 an expiry, 90 days each), a file a symbol and day,
made here as receipts and files of the right size; `lode ledger rebuild` indexes it. Then `lode sync`, which asks the vendor's
(simulated) list of instruments, reads the ledger, looks at every file and finds no work; and `--trust-ledger`, which does not
look at the files. And 290,000 instruments × 5 data types on one day. Rounds are in one run; the minimum counts.
Also the planner alone (src/lode/plan/planning_bench.cc): 1.4 million contracts × 1,000 sessions.

usage: third_party/oracle/bin/python bench/planning.py [--rounds 3] [--folder DIR] [--output bench/PLANNING.md]
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LODE = ROOT / "build" / "release" / "lode"
SIMULATOR = ROOT / "build" / "release" / "lode_vendor_sim"
PLANNER = ROOT / "build" / "release" / "plan_bench"
SINCE = datetime.date(2019, 3, 30)  # of Deribit at the vendor
FIRST_EXPIRY = datetime.date(2019, 4, 5)
CELLS_A_RECEIPT = 50_000


def option(index):
    """The simulator's, tests/vendor/tardis_market.cc: (symbol, first day, last day)."""
    expiry = FIRST_EXPIRY + datetime.timedelta(days=7 * (index // 400))
    strike = 1000 + index % 400 // 2 * 500
    name = f"BTC-{expiry.day}{expiry:%b%y}-{strike}-{'CP'[index % 2]}".upper()
    return name, max(expiry - datetime.timedelta(days=90), SINCE), expiry


def receipt_text(sequence, dataset, data_type, cells, lost):
    """docs/ledger.md; `cells`: symbol -> (first, last)."""
    partitions, groups, raw = [], [], []
    for symbol, (first, last) in sorted(cells.items()):
        days = [f"{first}/{last}" if last > first else str(first)]
        if lost(symbol):
            groups.append({"days": days, "reason": "HTTP 404", "state": "failed", "symbol": symbol})
            continue
        groups.append({"days": days, "proof": "stream", "rows": 40, "state": "complete", "symbol": symbol})
        for number in range((last - first).days + 1):
            day = first + datetime.timedelta(days=number)
            partitions.append({"max_key": f"api:{symbol}|39", "min_key": f"api:{symbol}|0", "path": f"day={day}/{symbol}.parquet",
                               "rows": 40, "sha256": hashlib.sha256(f"{symbol}{day}".encode()).hexdigest(), "size": 3700})
            name = f"deribit_{data_type}_{day}_{symbol}.csv.gz"
            raw.append({"encoding": "csv", "landed": f"landing/{dataset}/api/{name}", "name": name, "role": "data",
                        "schema": f"tardis/{data_type}", "sha256": partitions[-1]["sha256"], "size": 1200})

    def lines(items):
        return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":"), sort_keys=True) for item in items) + "]"
    body = ('{\n"attempts":1,\n"cells":' + lines(groups) + f',\n"dataset":"{dataset}",\n"finished_at":"2020-01-01T00:00:00.000000000Z",\n'
            f'"format":1,\n"layout":"day={{day}}/{{symbol}}.parquet",\n"origin":"api",\n"partitions":' + lines(partitions)
            + ',\n"program":"bench",\n"raw_files":' + lines(raw) + f',\n"schema":"tardis/{data_type}",\n"schema_version":1,\n"sequence":{sequence},\n'
            f'"started_at":"2020-01-01T00:00:00.000000000Z",\n"unit":"bench"')
    return body + f',\n"sha256":"{hashlib.sha256(body.encode()).hexdigest()}"}}\n', partitions


def write_dataset(lake, dataset, data_type, options, with_files):
    missing = set() if with_files else {name for name, _, _ in options[::2900]}
    folder = lake / "receipts" / dataset
    folder.mkdir(parents=True)
    sequence, cells, count, files = 0, {}, 0, 0
    made = set()

    def flush():
        nonlocal sequence, cells, count, files
        if not cells:
            return
        sequence += 1
        text, partitions = receipt_text(sequence, dataset, data_type, cells, missing.__contains__)
        (folder / f"{sequence:08}.json").write_text(text)
        files += len(partitions)
        for partition in partitions if with_files else ():
            path = lake / "bronze" / dataset / partition["path"]
            if path.parent not in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                made.add(path.parent)
            handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
            os.ftruncate(handle, partition["size"])
            os.close(handle)
        cells, count = {}, 0

    for symbol, first, last in options:
        cells[symbol] = (first, last)
        count += (last - first).days + 1
        if count >= CELLS_A_RECEIPT:
            flush()
    flush()
    return files


class Launcher:
    """A child's peak memory begins with what its launcher holds: bench/launch.py holds little, whatever the lakes here take."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, ROOT / "bench" / "launch.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, command, environment):
        self.process.stdin.write(json.dumps({"command": list(map(str, command)), "environment": environment}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def timed(command, environment, rounds, codes=(0,)):
    best, words = None, ""
    for _ in range(rounds):
        done = launcher.run(command, environment)
        words = done["words"]
        if done["code"] not in codes:
            sys.exit(f"{' '.join(map(str, command))} failed: {words[-1000:]}")
        best = min(best or (1e9, 1e9, 0), (done["wall"], done["cpu"], done["peak"]))
    return best, words.strip().splitlines()


class Simulator:
    def __init__(self, work, options):
        port = work / f"port{options}"
        self.process = subprocess.Popen([SIMULATOR, "--port-file", port, "--tardis-options", str(options), "--today", "2024-03-05"],
                                        stdout=subprocess.DEVNULL)
        while not port.exists():
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port.read_text().strip()}/v1"
        self.environment = {**os.environ, "LODE_SOURCES_TARDIS_API_URL": url, "LODE_SOURCES_TARDIS_DATASETS_URL": url,
                            "TARDIS_API_KEY": "TD.bench"}

    def __enter__(self):
        return self.environment

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def declare(lake, dataset, data_type, symbols, start):
    lake.mkdir(parents=True, exist_ok=True)
    (lake / "symbols.txt").write_text("\n".join(symbols) + "\n")
    with open(lake / "lode.toml", "a") as file:
        file.write(f'[datasets.{dataset}]\nsource = "tardis"\nexchange = "deribit"\ndata_type = "{data_type}"\n'
                   f'symbols = ["symbols.txt"]\nstart = {start}\n')


TOLD = []


def tell(name, best, words):
    wall, cpu, peak = best
    print(f"{name}: {wall:.2f} s wall, {cpu:.2f} s CPU, {peak:.0f} MiB peak ({words[-1] if words else ''})", flush=True)
    TOLD.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |")


def write_results(file, planner):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    lines = ["# Plans of lakes of size", "",
             f"Written by `bench/planning.py --output` on {datetime.date.today()}: {os.cpu_count()} × {model}, {platform.system()} "
             f"{platform.release()}. What is measured is said at the top of that file.", "", "The planner alone:", "",
             *(f"- {line}" for line in planner.splitlines()), "", "| command | wall s (min) | CPU s | peak MiB |", "|---|---|---|---|", *TOLD, ""]
    file.write_text("\n".join(lines))


def million(work, rounds, count):
    options = [option(index) for index in range(count)]
    lake = work / "million"
    declare(lake, "trades", "trades", [name for name, _, _ in options], SINCE)
    last = max(day for _, _, day in options)
    files = write_dataset(lake, "trades", "trades", options, with_files=True)
    base = [LODE, "--lake", lake]
    with Simulator(work, count) as environment:
        tell(f"ledger rebuild of {files:,} partitions", *timed([*base, "ledger", "rebuild"], environment, 1))
        # What the vendor says of the days beside the listings goes in once.
        tell("first sync", *timed([*base, "sync", "-e", last], environment, 1))
        tell(f"sync without work, {files:,} partitions, listing included", *timed([*base, "sync", "-e", last], environment, rounds))
        tell("the same with --trust-ledger", *timed([*base, "sync", "-e", last, "--trust-ledger"], environment, rounds))
        tell("status", *timed([*base, "status"], environment, rounds))
        name, first, _ = options[count // 2]
        tell("explain of one cell", *timed([*base, "explain", f"trades/{name}/{first}"], environment, rounds))
        gone = sorted((lake / "bronze" / "trades").rglob("*.parquet"))[::files // 7]
        for path in gone:
            path.unlink()
        best, words = timed([*base, "plan", "-e", last], environment, 1)
        tell(f"plan with {len(gone)} files deleted", best, words)
        tell("sync that brings them back", *timed([*base, "sync", "-e", last], environment, 1))
    shutil.rmtree(lake)


def one_day(work, rounds, count):
    options = [option(index) for index in range(count)]
    day = FIRST_EXPIRY + datetime.timedelta(days=7 * (count // 800))
    lake = work / "one_day"
    types = ("trades", "quotes", "book_snapshot_5", "book_snapshot_25", "incremental_book_L2")
    there = 0
    for data_type in types:
        dataset = data_type.lower()
        declare(lake, dataset, data_type, [name for name, _, _ in options], day)
        # Every option has its day, listed then or not, so that all 290,000 are cells; every 2,900th is missing.
        there += write_dataset(lake, dataset, data_type, [(name, day, day) for name, _, _ in options], with_files=False)
    base = [LODE, "--lake", lake]
    with Simulator(work, count) as environment:
        tell(f"ledger rebuild of {there:,} cells", *timed([*base, "ledger", "rebuild"], environment, 1))
        tell(f"what is missing on one day, {count:,} instruments x {len(types)} data types, as the ledger has it",
             *timed([*base, "gaps", "-s", day, "-e", day, "--trust-ledger"], environment, rounds, codes=(4,)))
        tell("the same asked from the vendor, whose list of instruments is 100 MB a data type",
             *timed([*base, "plan", "-s", day, "-e", day, "--trust-ledger"], environment, 1))
    shutil.rmtree(lake)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=pathlib.Path, help="where lakes are made; a million files")
    parser.add_argument("--options", type=int, default=14_400)
    parser.add_argument("--instruments", type=int, default=290_000)
    parser.add_argument("--output", type=pathlib.Path, help="also written there, such as bench/PLANNING.md")
    arguments = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build" / "release", "plan_bench"], check=True, stdout=subprocess.DEVNULL)
    planner = subprocess.run([PLANNER], check=True, capture_output=True, text=True).stdout
    print(planner, end="")
    with tempfile.TemporaryDirectory(prefix="lode-bench-", dir=arguments.folder) as folder:
        million(pathlib.Path(folder), arguments.rounds, arguments.options)
        one_day(pathlib.Path(folder), arguments.rounds, arguments.instruments)
    if arguments.output:
        write_results(arguments.output, planner)


launcher = Launcher()
main()
