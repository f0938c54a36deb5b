#!/usr/bin/env python3
"""Boils session lists down to reference.csv, which sessions_test compares the calendars with.

    src/lode/calendar/testing/reference.py FOLDER     the folder that data/calendars/renew.py --export wrote

A line is a list and a year: how many sessions, how many of them close early, and the beginning of the SHA-256 of the
lines "DAY OPEN CLOSE BREAK_START BREAK_END EARLY" of its sessions ("-": no break). It reads the packages' lists alone and
shares nothing with what makes the calendars.
"""
import hashlib
import itertools
import pathlib
import sys

if len(sys.argv) != 2:
    raise SystemExit(__doc__)
output = ["list,year,sessions,early_closes,sha256"]
for path in sorted(pathlib.Path(sys.argv[1]).glob("*_*.csv")):
    title, *lines = path.read_text().splitlines()
    columns = [column.replace("market_", "") for column in title.split(",")]
    sessions = [dict(zip(columns, line.split(","))) for line in lines]
    for year, group in itertools.groupby(sessions, lambda session: session["session"][:4]):
        group = list(group)
        digest = hashlib.sha256()
        for session in group:
            pause = session.get("break_start", ""), session.get("break_end", "")
            if pause[0] == pause[1]:  # none, or one of no length
                pause = "-", "-"
            text = " ".join((session["session"], session["open"], session["close"], *pause, session["early_close"]))
            digest.update((text + "\n").encode())
        early = sum(session["early_close"] == "1" for session in group)
        output.append(f"{path.stem},{year},{len(group)},{early},{digest.hexdigest()[:16]}")
(pathlib.Path(__file__).parent / "reference.csv").write_text("\n".join(output) + "\n")
