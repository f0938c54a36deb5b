#!/usr/bin/env python3
"""`verify` finds every flipped bit: takes a lake, flips one random bit of one random file at a time, verifies, flips it back.

Files are those of landing, bronze and receipts; each kind gets its share, whatever its size. Time stamps and sizes stay as they
were, so only reading the bytes can tell.

usage: bitflips.py --lode PROGRAM --fixtures PROGRAM [--seed N] [--flips 40]
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile


def flip(path, byte, bit):
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(byte)
        value = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([value ^ (1 << bit)]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--fixtures", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--flips", type=int, default=40)
    options = parser.parse_args()
    print(f"seed: {options.seed}, {options.flips} flips")
    choice = random.Random(options.seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="lode-bitflips."))
    try:
        lake = work / "lake"

        def lode(*arguments):
            return subprocess.run([str(options.lode), "--lake", str(lake), "--quiet", *map(str, arguments)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        for number, command in enumerate(("delivery-csv", "delivery-dbn --zstd --split month", "delivery-json --split none")):
            folder = work / f"delivery{number}"
            subprocess.run([str(options.fixtures), *command.split(), str(folder), "--days", "8", "--bars", "4",
                            "--seed", str(options.seed % 1000 + number)], check=True, stdout=subprocess.DEVNULL)
            done = lode("import", folder, "--dataset", f"d{number}")
            if done.returncode != 0:
                sys.exit(f"import failed: {done.stdout}\n0 passed, 1 failed")
        if lode("verify").returncode != 0:
            sys.exit("verify refuses the untouched lake\n0 passed, 1 failed")
        kinds = {kind: sorted(p for p in (lake / kind).rglob("*") if p.is_file() and p.stat().st_size)
                 for kind in ("landing", "bronze", "receipts")}
        missed = 0
        found = dict.fromkeys(kinds, 0)
        for number in range(options.flips):
            kind = list(kinds)[number % len(kinds)]
            path = choice.choice(kinds[kind])
            byte, bit = choice.randrange(path.stat().st_size), choice.randrange(8)
            flip(path, byte, bit)
            done = lode("verify")
            flip(path, byte, bit)
            if done.returncode == 4 and path.name in done.stdout:
                found[kind] += 1
            else:
                missed += 1
                print(f"MISSED bit {bit} of byte {byte} in {path.relative_to(lake)}: exit {done.returncode}: {done.stdout.strip()[:300]}")
        if lode("verify").returncode != 0:
            sys.exit("the lake is not whole after all flips were taken back\n0 passed, 1 failed")
        print(f"summary: {options.flips - missed} of {options.flips} flips found ({', '.join(f'{n} in {k}' for k, n in found.items())})")
        print(f"{options.flips - missed} passed, {missed} failed")
        sys.exit(1 if missed else 0)
    finally:
        shutil.rmtree(work)


main()
