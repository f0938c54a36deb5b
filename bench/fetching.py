"""Fetching from loopback: `lode sync` against `curl --parallel` on the same list.

Three lists: 10,000 Polygon flat files of about 20 kB over S3, a market day each; one of some hundred MB; and 10,000 small files
of Tardis over HTTP, which the simulator makes while it is asked. Rounds are interleaved. curl writes files and does nothing
else; lode besides signs each S3 request, checks length and ETag (of Tardis' files each gzip checksum and what they are of),
hashes (SHA-256), writes down what it has, and, while it fetches, decodes, sorts and encodes Parquet, makes everything durable (fsync) and keeps receipts and
ledger. Its fetching time is its own word, `fetch_s` of `--json`: from the first request to the end of the last; the listing
before it is not in it. Nothing is removed between rounds: ext4 is slow to make files where many were just removed.
"""
import datetime
import gzip
import json
import os
import pathlib
import subprocess
import sys
import time
import zoneinfo

ROOT = pathlib.Path(__file__).resolve().parent.parent
LODE = ROOT / "build" / "release" / "lode"
SIMULATOR = ROOT / "build" / "release" / "lode_vendor_sim"
SMALL, LARGE = "us_stocks_sip/day_aggs_v1", "us_stocks_sip/trades_v1"
FIRST = datetime.date(2001, 9, 10)  # since then a time in ns has 19 digits
OBJECTS = 10_000
TARDIS_FIRST = datetime.date(2019, 4, 1)
LARGE_ROWS = 3_000_000


def midnight_ns(day):
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo("America/New_York")).timestamp()) * 10**9


def path_of(tree, flat_file, day):
    path = tree / flat_file / f"{day:%Y/%m}" / f"{day}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_small(tree):
    rows = [(f"T{(number * 7919) % 99991:05}", 1000 + (number * 104729) % 9_000_000, 10 + number % 490) for number in range(700)]
    for number in range(OBJECTS):
        day = FIRST + datetime.timedelta(days=number)
        start = midnight_ns(day)
        text = "ticker,volume,open,close,high,low,window_start,transactions\n" + "".join(
            f"{ticker},{volume + number},{price}.25,{price}.5,{price}.75,{price},{start},{volume % 997}\n"
            for ticker, volume, price in sorted(rows))
        path_of(tree, SMALL, day).write_bytes(gzip.compress(text.encode(), 1))
    return FIRST, FIRST + datetime.timedelta(days=OBJECTS - 1)


def write_large(tree):
    """Hardly compressed, so that the bytes are many and the rows are not."""
    day = datetime.date(2024, 1, 2)
    start = midnight_ns(day) + 9 * 3600 * 10**9
    with gzip.open(path_of(tree, LARGE, day), "wb", compresslevel=0) as file:
        file.write(b"ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,"
                   b"trf_id,trf_timestamp\n")
        for number in range(0, LARGE_ROWS, 1000):
            file.write("".join(f"MSFT,12,0,{row % 20},{52983525000000 + row},{start + row * 9000},{400 + row % 50}.25,{row},"
                               f"{start + row * 9000 + 77},{row % 900},1,0,0\n" for row in range(number, number + 1000)).encode())
    return day, day


class Race:
    """Of flat files, one a day."""
    curl_arguments = ()
    keys = {"POLYGON_S3_KEY_ID": "flat-files-key-id", "POLYGON_S3_SECRET": "any"}

    def __init__(self, title, flat_file, days, objects):
        self.title, self.flat_file, self.days, self.objects = title, flat_file, days, objects
        self.size = 0
        self.curl, self.lode = [], []  # (fetching s, wall s, CPU s, MiB)

    def every_day(self):
        return [self.days[0] + datetime.timedelta(days=number) for number in range((self.days[1] - self.days[0]).days + 1)]

    def paths(self):
        return [f"flatfiles/{self.flat_file}/{day:%Y/%m}/{day}.csv.gz" for day in self.every_day()]

    def settings(self, url):
        return (f'[sources.polygon]\ns3_endpoint = "{url}"\n[datasets.d]\nsource = "polygon"\nflat_file = "{self.flat_file}"\n'
                f"start = {self.days[0]}\n")

    def timed(self, command, **more):
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        out, error = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{command[0]} failed: {error.decode(errors='replace')[-1000:]}")
        child.returncode = 0
        return out, time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def run_curl(self, url, folder):
        (folder / "out").mkdir()
        config = "".join(f'url = "{url}/{path}"\noutput = "{folder}/out/{number}"\n' for number, path in enumerate(self.paths()))
        (folder / "list").write_text(config)
        _, wall, cpu, mib = self.timed(["curl", "--silent", "--fail", "--parallel", "--parallel-max", "50", *self.curl_arguments,
                                        "--config", str(folder / "list")])
        files = list((folder / "out").iterdir())
        assert len(files) == self.objects
        self.size = sum(file.stat().st_size for file in files)
        self.curl.append((wall, wall, cpu, mib))

    def run_lode(self, url, folder):
        (folder / "lake").mkdir()
        (folder / "lake" / "lode.toml").write_text(self.settings(url))
        out, wall, cpu, mib = self.timed([str(LODE), "--lake", str(folder / "lake"), "--json", "sync", "-e", str(self.days[1])],
                                         env={**os.environ, **self.keys})
        report = next(event for event in map(json.loads, out.splitlines()) if event["type"] == "sync_dataset")
        assert report["requests"] == self.objects and report["bytes_in"] == self.size, report
        self.lode.append((report["fetch_s"], wall, cpu, mib))

    def row(self, name, runs):
        fetching, wall = min(run[0] for run in runs), min(run[1] for run in runs)
        return (f"| {name} | {self.objects / fetching:,.0f} | {self.size / fetching / 1e6:,.0f} | {fetching:.2f} | {wall:.2f} "
                f"| {min(run[2] for run in runs):.2f} | {max(run[3] for run in runs):.0f} |")

    def share(self):
        return min(run[0] for run in self.curl) / min(run[0] for run in self.lode)

    def lines(self):
        return [f"### {self.title}", "", f"{self.objects:,} objects, {self.size / 1e6:.1f} MB.", "",
                "| program | objects/s while fetching | MB/s while fetching | fetching s (min) | wall s (min) | CPU s (min) | peak MiB (max) |",
                "|---|---|---|---|---|---|---|", self.row("lode sync", self.lode), self.row("curl --parallel", self.curl), ""]


class TardisRace(Race):
    """Of five symbols' trades."""
    curl_arguments = ("--header", "Authorization: Bearer TD.bench")
    keys = {"TARDIS_API_KEY": "TD.bench"}
    symbols = ("1INCHUSDT", "BTCUPUSDT", "BTCUSDT", "ETHBTC", "ETHUSDT")

    def paths(self):
        return [f"v1/binance/trades/{day:%Y/%m/%d}/{symbol}.csv.gz" for day in self.every_day() for symbol in self.symbols]

    def settings(self, url):
        return (f'[sources.tardis]\napi_url = "{url}/v1"\ndatasets_url = "{url}/v1"\n[datasets.d]\nsource = "tardis"\n'
                f'exchange = "binance"\ndata_type = "trades"\nsymbols = {json.dumps(self.symbols)}\nstart = {self.days[0]}\n')


def fetching(rounds, work, target):
    """(lines, targets)"""
    tree = work / "bucket"
    races = [Race("Fetching 10,000 small objects over S3", SMALL, write_small(tree), OBJECTS),
             Race("Fetching one large object over S3", LARGE, write_large(tree), 1),
             TardisRace("Fetching 10,000 small files of Tardis", "", (TARDIS_FIRST, TARDIS_FIRST + datetime.timedelta(days=1999)), 10_000)]
    port = work / "port"
    server = subprocess.Popen([str(SIMULATOR), "--port-file", str(port), "--flat-files", str(tree), "--today", "2024-09-30",
                               "--tardis-rows", "20"], stdout=subprocess.DEVNULL)
    try:
        while not port.exists():
            time.sleep(0.05)
        url = f"http://127.0.0.1:{port.read_text().strip()}"
        for race in races[:2]:  # the server reads and hashes everything once
            for year in range(race.days[0].year, race.days[1].year + 1):
                subprocess.run(["curl", "--silent", "--output", "/dev/null",
                                f"{url}/flatfiles?list-type=2&prefix={race.flat_file}/{year}/"], check=True)
        for number in range(rounds):
            for race in races:
                for name in ("curl", "lode"):
                    folder = work / f"{name}-{number}-{races.index(race)}"
                    folder.mkdir()
                    getattr(race, f"run_{name}")(url, folder)
                print(f"  round {number + 1}: {race.title}: curl {race.curl[-1][0]:.2f} s, lode {race.lode[-1][0]:.2f} s"
                      f" fetching, {race.lode[-1][1]:.2f} s in all", flush=True)
    finally:
        server.terminate()
        server.wait()
    notes = ["lode's fetching is `fetch_s` of its report, while its other thread decodes and publishes on the same cores; it signs,"
             " checks and hashes each object, and all of it is durable Parquet, receipts and ledger at the end of its wall time. curl"
             " writes files.", ""]
    return [line for race in races for line in race.lines()] + notes, [
        target(f"{what} from loopback at least at 90 % of curl's rate", f"{race.share():.0%}", race.share() >= 0.9)
        for what, race in zip(("10,000 small objects", "one large object", "10,000 small files of Tardis"), races)]
