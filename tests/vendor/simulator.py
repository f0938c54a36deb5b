"""Starts lode_vendor_sim and talks to its control endpoint; standard library only."""
import json
import pathlib
import subprocess
import tempfile
import time
import traceback
import urllib.request

KEY = "db-" + "ABCDEFGHJKLMNPQRSTUVWXYZ23456"
assert len(KEY) == 32
FRED_KEY = "0123456789abcdef" * 2


class Simulator:
    """A running simulator; leave the `with` block and it has ended, its exit code checked."""

    def __init__(self, program, *arguments, key=KEY):
        self.key, self.fred_key = key, FRED_KEY
        self.folder = tempfile.TemporaryDirectory(prefix="vendor_sim.")
        path = pathlib.Path(self.folder.name)
        self.log_path = path / "log.ndjson"
        self.process = subprocess.Popen(
            [str(program), "--port-file", str(path / "port"), "--foreign-port-file", str(path / "foreign"),
             "--key", key, "--fred-key", FRED_KEY, "--log", str(self.log_path), *map(str, arguments)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (path / "port").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"lode_vendor_sim did not start (exit code {self.process.poll()})")
            time.sleep(0.02)
        self.port = int((path / "port").read_text())
        self.foreign_port = int((path / "foreign").read_text())
        self.scheme = "https" if "--tls-cert" in arguments else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.folder.cleanup()
        assert code == 0, f"lode_vendor_sim ended with {code}"

    def control(self, action, body=None, method=None):
        request = urllib.request.Request(f"{self.url}/_sim/{action}", method=method or ("GET" if body is None else "POST"),
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def counts(self, full=False):
        return self.control("counts?full=1" if full else "counts")

    def clear_counts(self):
        self.control("counts", method="DELETE")

    def faults(self, *rules, seed=1):
        """Replaces the script; without rules there are no faults."""
        return self.control("faults", {"seed": seed, "rules": list(rules)})

    def log(self):
        """What is written so far; the last line may still be under way."""
        lines = self.log_path.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


def run_cases(cases, only=""):
    """Runs (name, function) pairs, prints the failures and the closing line; the process's exit code."""
    passed = failed = 0
    for name, case in cases:
        if only not in name:
            continue
        try:
            case()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {name}", *traceback.format_exc().splitlines()[-8:], sep="\n    ", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
