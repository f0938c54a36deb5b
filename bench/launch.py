"""Runs the commands that it reads as JSON lines, one by one, and says what each took; for bench/planning.py."""
import json
import os
import subprocess
import sys
import time

for line in sys.stdin:
    asked = json.loads(line)
    begin = time.monotonic()
    child = subprocess.Popen(asked["command"], env=asked["environment"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    words = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": child.returncode, "words": words[-5000:], "wall": time.monotonic() - begin,
                      "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}), flush=True)
