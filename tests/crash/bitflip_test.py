#!/usr/bin/env python3
"""`lode verify` finds every single flipped bit in receipts, landing and bronze, and names the file.

  bitflip_test.py --lode build/release/lode --fixtures build/release/lode_fixtures --flips 1000 --seed 7
"""
import argparse
import pathlib
import random
import shutil
import sys
import time

import lakes
from lakes import Failure

LAYERS = ("receipts", "landing", "bronze")
EXIT_DAMAGE = 4


def files_of(lake, extra):
    found = [path for layer in LAYERS for path in sorted((lake / layer).rglob("*")) if path.is_file()]
    return [path for path in found + extra if path.stat().st_size > 0]


def flip(path, bit):
    with open(path, "r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << (bit % 8))]))


def run(arguments, folder):
    if arguments.probe:
        first, second = lakes.make_probe_input(folder / "input")
    else:
        first, second = lakes.make_fixture_input(arguments.fixtures, folder / "input", arguments.seed)
    lode = lakes.Lode(arguments.lode, first, second)
    lake = folder / "lake"
    lode.must(lake, "init")
    extra = []
    for phase in ("first", "second"):
        lode.must(lake, *lode.import_words(phase))
    if not arguments.probe:
        lode.must(lake, "import", second, "--dataset", "inplace", "--in-place")
        extra = [path for path in sorted(second.iterdir()) if path.is_file()]
    lode.must(lake, "verify")
    choice = random.Random(arguments.seed)
    files = files_of(lake, extra)
    began = time.monotonic()
    for i in range(arguments.flips):
        path = files[i % len(files)] if i < len(files) else choice.choice(files)
        bit = choice.randrange(path.stat().st_size * 8)
        flip(path, bit)
        name = path.relative_to(lake) if path.is_relative_to(lake) else path
        done = lode.run(lake, "verify")
        flip(path, bit)
        if done.returncode != EXIT_DAMAGE:
            raise Failure(f"seed {arguments.seed}: bit {bit} of {name}: verify exits {done.returncode}, not {EXIT_DAMAGE}")
        if path.name not in done.stdout + done.stderr:
            raise Failure(f"seed {arguments.seed}: bit {bit} of {name}: verify does not name the file")
    lode.must(lake, "verify")
    print(f"bit flips: seed {arguments.seed}, {arguments.flips} flips over {len(files)} files, all found, "
          f"{time.monotonic() - began:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lode", required=True, type=pathlib.Path)
    parser.add_argument("--probe", action="store_true", help="--lode is publish_probe")
    parser.add_argument("--fixtures", type=pathlib.Path)
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments = parser.parse_args()
    folder = lakes.work_folder()
    try:
        run(arguments, folder)
        return 0
    except Failure as failure:
        print(f"bit flips: {failure}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
