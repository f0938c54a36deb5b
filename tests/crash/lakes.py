"""What the crash tests share: running lode, reading a lake from outside, making input. Python standard library only."""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import tempfile

DATASET = "crash"
TIMEOUT_S = 300


class Failure(Exception):
    """A promise that did not hold."""


def work_folder(keep_under=None):
    """A fresh folder; in memory when there is room, because fsync on a busy disk dominates everything else."""
    memory = pathlib.Path("/dev/shm")
    if keep_under is None and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 << 20:
        keep_under = memory
    return pathlib.Path(tempfile.mkdtemp(prefix="lode-crash-", dir=keep_under)).resolve()


class Lode:
    """One lode binary (or publish_probe) and the input of the two imports."""

    def __init__(self, binary, first, second):
        self.binary = str(pathlib.Path(binary).resolve())
        self.inputs = {"first": first, "second": second}

    def command(self, lake, *words):
        return [self.binary, "--lake", str(lake), "--quiet", *map(str, words)]

    def run(self, lake, *words, env=None):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
        return subprocess.run(self.command(lake, *words), env=environment, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT_S)

    def must(self, lake, *words, code=0):
        done = self.run(lake, *words)
        if done.returncode != code:
            raise Failure(f"`{' '.join(map(str, words))}` exits {done.returncode}, not {code}: {done.stderr.strip()[-600:]}")
        return done

    def import_words(self, phase):
        return ["import", self.inputs[phase], "--dataset", DATASET]


def tree(folder):
    """Path -> SHA-256 of every file below a folder; links and the like by their kind."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            found[name] = "not a regular file"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def snapshot(folder):
    """Every path with kind, size and time: equal before and after means nothing was written."""
    lines = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        info = path.lstat()
        lines.append((str(path), info.st_mode, info.st_size, info.st_mtime_ns))
    return lines


def ledger_rows(lake):
    """The ledger without row ids and open intents, as sorted text rows."""
    db = sqlite3.connect(f"file:{lake}/.lode/ledger.sqlite?mode=ro", uri=True)
    try:
        names = dict(db.execute("SELECT id, name FROM dataset"))
        rows = [("dataset", *row) for row in db.execute("SELECT name, schema, layout FROM dataset")]
        for table in ("receipt", "raw_file", "removed_file", "partition", "cell"):
            for row in db.execute(f"SELECT * FROM {table}"):
                rows.append((table, names[row[0]], *row[1:]))
        return sorted(map(repr, rows))
    finally:
        db.close()


def published(lake):
    """(path below bronze, SHA-256) of every partition version a receipt names."""
    versions = set()
    for path in (pathlib.Path(lake) / "receipts").rglob("*.json"):
        receipt = json.loads(path.read_text())
        for partition in receipt["partitions"]:
            versions.add((f"{receipt['dataset']}/{partition['path']}", partition["sha256"]))
    return versions


def temporaries(lake):
    folder = pathlib.Path(lake) / ".lode" / "tmp"
    return [str(path.relative_to(lake)) for path in folder.rglob("*") if not path.is_dir()]


def check_lake(lode, lake, reference, dataset_total=None):
    """The lake is what an undisturbed run gives: same bronze, sound, clean, and its ledger can be made again."""
    bronze = tree(pathlib.Path(lake) / "bronze")
    if bronze != reference:
        raise Failure(f"bronze differs from an undisturbed run: {difference(bronze, reference)}")
    before = snapshot(lake)
    lode.must(lake, "verify")
    if snapshot(lake) != before:
        raise Failure("verify wrote into the lake")
    if temporaries(lake):
        raise Failure(f"left in .lode/tmp: {temporaries(lake)}")
    rows = ledger_rows(lake)
    lode.must(lake, "ledger", "rebuild")
    if ledger_rows(lake) != rows:
        raise Failure("the rebuilt ledger differs")
    if tree(pathlib.Path(lake) / "bronze") != reference:
        raise Failure("ledger rebuild changed bronze")


def difference(found, wanted):
    lines = [f"-{name}" for name in wanted if name not in found]
    lines += [f"+{name}" for name in found if name not in wanted]
    lines += [f"~{name}" for name in found if name in wanted and found[name] != wanted[name]]
    return " ".join(lines[:8])


def copy_lake(source, target):
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)


def fault_environment(preload, lake, mode, at=0, error="ENOSPC", sticky=False, count=None, trace=None):
    environment = {"LD_PRELOAD": str(pathlib.Path(preload).resolve()), "LODE_FAULT_ROOT": str(lake),
                   "LODE_FAULT_MODE": mode, "LODE_FAULT_AT": str(at), "LODE_FAULT_ERRNO": error}
    if sticky:
        environment["LODE_FAULT_STICKY"] = "1"
    if count:
        environment["LODE_FAULT_COUNT"] = str(count)
    if trace:
        environment["LODE_FAULT_TRACE"] = str(trace)
    return environment


def read_count(path):
    return struct.unpack("=Q", pathlib.Path(path).read_bytes())[0]


def make_probe_input(folder):
    """Two deliveries for publish_probe: the second goes into two of the first's partitions and a new one."""
    first, second = folder / "first", folder / "second"
    first.mkdir(parents=True)
    second.mkdir()
    (first / "a.txt").write_text("".join(f"month=2024-01 row{i:03}\nmonth=2024-02 row{i:03}\n" for i in range(40)))
    (first / "b.txt").write_text("".join(f"month=2024-03 row{i:03}\n" for i in range(40)))
    (second / "c.txt").write_text("".join(f"month=2024-02 new{i:03}\nmonth=2024-03 new{i:03}\n" for i in range(40)))
    (second / "d.txt").write_text("".join(f"month=2024-04 row{i:03}\n" for i in range(40)))
    return first, second


def make_fixture_input(fixtures, folder, seed):
    """Two vendor-exact deliveries of one-minute bars that share the partition month=2024-02."""
    common = ["--seed", str(seed), "--schema", "ohlcv-1m", "--bars", "6", "--split", "day", "--pending", "0"]
    inputs = []
    for name, start, days in (("first", "2024-01-30", 6), ("second", "2024-02-03", 6)):
        target = folder / name
        subprocess.run([fixtures, "delivery-dbn", target, *common, "--start", start, "--days", str(days)], check=True,
                       stdout=subprocess.DEVNULL)
        inputs.append(target)
    return inputs
