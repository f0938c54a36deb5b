#!/usr/bin/env python3
"""Runs the end-to-end cases: each folder here is a case.

A case has `commands` (shell lines, one command a line, `\\` continues one) and `expected`, the transcript they must give:

    $ lode --lake "$LAKE" status
    futures_1m  ohlcv-1m  {*} bars
    [exit 4]

In `expected`, `{*}` stands for anything within a line and a line `{...}` for any number of lines. Standard output and
standard error are one stream. Commands see $LODE (and `lode` in the PATH), $LAKE (a folder that does not exist yet),
$FIXTURES (generated input, shared and read-only by agreement), $WORK (the case's own folder, also the current one) and the
functions of functions.sh; after `start_sim`, lode asks a vendor of the case's own. A case that prints a line beginning with "SKIP:" is skipped.

usage: run.py --lode PROGRAM --fixtures PROGRAM [--seed N] [--only PART[,PART]] [--update CASE] [--jobs N] [--keep]
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TIME_ZONES = ["UTC", "America/Chicago", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"]
LOCALES = ["C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "C"]

# Input every case may use; fixed seeds, because expected output holds counts.
FIXTURES = [
    ("minutes", "delivery-csv --seed 5 --days 14 --bars 6"),
    ("minutes_revised", "delivery-csv --seed 5 --days 14 --bars 6 --revised"),
    ("minutes_raw", "delivery-csv --seed 5 --days 14 --bars 6 --pretty none"),
    ("minutes_no_symbol", "delivery-csv --seed 5 --days 14 --bars 6 --no-symbol --zstd"),
    ("minutes_json", "delivery-json --seed 5 --days 14 --bars 6"),
    ("minutes_json_raw_flat", "delivery-json --seed 5 --days 14 --bars 6 --pretty none --flat --split none --zstd"),
    ("minutes_dbn", "delivery-dbn --seed 5 --days 14 --bars 6 --zstd"),
    ("minutes_next", "delivery-csv --seed 5 --start 2024-01-13 --days 14 --bars 6"),
    ("decade", "delivery-csv --seed 6 --schema ohlcv-1d --start 2009-11-01 --days 3900 --split year"),
    ("venues", "delivery-csv --seed 7 --days 5 --bars 6 --publishers 4 --pending 0 --dataset EQUS.MINI"),
    ("dbn", "dbn --seed 8 --records 60"),
    ("polygon", "polygon --seed 3"),
    ("polygon_revised", "polygon --seed 3 --revised"),
    ("tardis", "tardis --seed 4 --rows 60"),
    ("bad", "bad"),
    ("bad_line.ohlcv-1s.csv.zst", "bad-line"),
    ("large.dbn", "large-dbn --seed 9 --rows 3000000"),
]


def read_commands(text):
    """Shell lines of a `commands` file: continuation lines joined, comments and blanks left out."""
    commands, pending = [], ""
    for line in text.splitlines():
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending += line
        if line.endswith("\\"):
            pending += "\n"
            continue
        commands.append(pending)
        pending = ""
    return commands


def pattern_of(line):
    """A regular expression for one expected line."""
    return "".join(".*" if part == "{*}" else re.escape(part) for part in re.split(r"(\{\*\})", line))


def matches(expected, actual):
    """Whether the lines fit, `{...}` taking any number of lines (no backtracking blow-up: one row of a table a line)."""
    reach = {0}
    for line in expected:
        if line.strip() == "{...}":
            reach = set(range(min(reach), len(actual) + 1)) if reach else set()
        else:
            pattern = re.compile(pattern_of(line))
            reach = {i + 1 for i in reach if i < len(actual) and pattern.fullmatch(actual[i])}
    return len(actual) in reach


def split_transcript(lines):
    """Blocks of a transcript: the command's lines and what it gave."""
    blocks = []
    for line in lines:
        if line.startswith("$ ") or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def generalize(line):
    """For --update: what differs from run to run becomes {*}."""
    line = re.sub(r"(?<![-\w])\d+(\.\d+)? (ms|s|min)\b", "{*}", line)
    line = re.sub(r"\b[\d,.]+ ?[kM]? ?(rows|bars|records)/s", "{*}", line)
    line = re.sub(r" *\b\d+(\.\d+)? ([KMGT]i)?B\b", "{*}", line)  # sizes of Parquet follow the encoder
    line = re.sub(r" *\b\d+\.\dx(?=\s)", "{*}", line)  # and so does their ratio to the vendor's
    line = re.sub(r"\(process \d+\)", "(process {*})", line)
    line = re.sub(r"\d{8}T\d{6}\.\d+Z", "{*}", line)
    line = re.sub(r"^bash: line 1: +\d+ ", "bash: line 1: {*} ", line)
    line = re.sub(r"\b[0-9a-f]{64}\b", "{*}", line)
    return re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+Z", "{*}", line)


class Case:
    def __init__(self, folder, options, fixtures, seed):
        self.name = folder.name
        self.folder = folder
        choice = random.Random(f"{seed}/{folder.name}")
        self.time_zone, self.locale = choice.choice(TIME_ZONES), choice.choice(LOCALES)
        self.options, self.fixtures = options, fixtures

    def run(self):
        work = pathlib.Path(tempfile.mkdtemp(prefix=f"lode-e2e-{self.name}."))
        try:
            return self.compare(self.transcript(work))
        finally:
            self.end_simulator(work)
            if not self.options.keep:
                subprocess.run(["chmod", "-R", "u+w", str(work)], check=False)
                shutil.rmtree(work, ignore_errors=True)

    @staticmethod
    def end_simulator(work):
        """Ends what start_sim started."""
        try:
            os.kill(int((work / ".sim" / "pid").read_text()), signal.SIGTERM)
        except (OSError, ValueError):
            pass

    def transcript(self, work):
        home = work / ".home"
        home.mkdir()
        (work / ".bin").mkdir()
        # Only lode runs in the case's locale: what bash and sort say would depend on it too.
        wrapper = work / ".bin" / "lode"
        wrapper.write_text(f'#!/bin/sh\nLC_ALL={self.locale} exec "$LODE" "$@"\n')
        wrapper.chmod(0o755)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("LODE_", "DATABENTO_", "TARDIS_", "XDG_"))}
        environment.update(LODE=str(self.options.lode), LAKE=str(work / "lake"), WORK=str(work), HOME=str(home),
                           LODE_VENDOR_SIM=str(self.options.lode.parent / "lode_vendor_sim"),
                           FIXTURES=str(self.fixtures), CASE=str(self.folder), LODE_FIXTURES=str(self.options.fixtures),
                           BASH_ENV=str(HERE / "functions.sh"), LOCPATH=str(HERE.parent.parent / "third_party" / "locale"), TZ=self.time_zone, LC_ALL="C.UTF-8", NO_COLOR="1",
                           COLUMNS="120", PATH=f"{work / '.bin'}:{os.environ['PATH']}")
        lines = []
        for command in read_commands((self.folder / "commands").read_text()):
            lines += [("$ " if i == 0 else "> ") + part for i, part in enumerate(command.splitlines())]
            try:
                done = subprocess.run(["bash", "-c", command], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
                output, code = done.stdout, done.returncode
            except subprocess.TimeoutExpired as late:
                output, code = (late.stdout or b"") + b"\ntimed out", 124
            text = output.decode(errors="backslashreplace")
            if (work / ".sim" / "port").exists():
                text = text.replace("127.0.0.1:" + (work / ".sim" / "port").read_text().strip(), "$VENDOR")
            for path, name in ((work / "lake", "$LAKE"), (work, "$WORK"), (self.fixtures, "$FIXTURES"),
                               (self.options.lode, "$LODE")):
                text = text.replace(str(path), name)
            lines += [line.rstrip() for line in text.splitlines()]
            if code != 0:
                lines.append(f"[exit {code}]")
        return lines

    def compare(self, actual):
        """(passed | failed | skipped, explanation)"""
        skipped = [line for line in actual if line.startswith("SKIP:")]
        if skipped:
            return "skipped", skipped[0]
        expected_file = self.folder / "expected"
        if self.options.update:
            expected_file.write_text("\n".join(
                line if line.startswith(("$ ", "> ")) else generalize(line) for line in actual) + "\n")
        expected = [line.rstrip() for line in expected_file.read_text().splitlines()] if expected_file.exists() else []
        want, got = split_transcript(expected), split_transcript(actual)
        report = []
        for index in range(max(len(want), len(got))):
            block = want[index] if index < len(want) else []
            result = got[index] if index < len(got) else []
            # The command itself is literal: it may hold what looks like a pattern.
            same_command = [l for l in block if l.startswith(("$ ", "> "))] == [l for l in result if l.startswith(("$ ", "> "))]
            strip = lambda lines: [l for l in lines if not l.startswith(("$ ", "> "))]
            if same_command and matches(strip(block), strip(result)):
                continue
            report += difflib.unified_diff(block, result, "expected", "actual", lineterm="", n=20)
        return ("failed", "\n".join(report)) if report else ("passed", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--fixtures", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="chooses time zones and locales")
    parser.add_argument("--only", default="", help="cases whose name contains one of these")
    parser.add_argument("--update", action="store_true", help="write `expected` from what happens; read the diff!")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true", help="keep the cases' folders")
    options = parser.parse_args()
    print(f"seed: {options.seed}")
    names = [name for name in sorted(p.parent.name for p in HERE.glob("*/commands"))
             if not options.only or any(part in name for part in options.only.split(","))]
    fixtures = pathlib.Path(tempfile.mkdtemp(prefix="lode-e2e-fixtures."))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        for name, arguments in FIXTURES:
            command, *flags = arguments.split()
            subprocess.run([options.fixtures, command, fixtures / name, *flags], check=True, stdout=subprocess.DEVNULL)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            cases = [Case(HERE / name, options, fixtures, options.seed) for name in names]
            for case, (state, why) in zip(cases, pool.map(Case.run, cases)):
                counts[state] += 1
                print(f"{state:8} {case.name:32} TZ={case.time_zone} LC_ALL={case.locale}")
                if why:
                    print(why)
                sys.stdout.flush()
    finally:
        shutil.rmtree(fixtures)
    print(f"{counts['passed']} passed, {counts['failed']} failed"
          + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


main()
