#!/usr/bin/env python3
"""What the simulator itself promises: each fault strikes as scripted and no other way, counts are right, nothing brings it down.

usage: simulator_test.py --sim PROGRAM [--only PART]
"""
import argparse
import base64
import concurrent.futures
import email.utils
import hashlib
import http.client
import json
import os
import random
import socket
import sys
import tempfile
import time
import urllib.parse

import simulator

AUTH = {"Authorization": "Basic " + base64.b64encode((simulator.KEY + ":").encode()).decode()}
RANGE = dict(dataset="GLBX.MDP3", schema="ohlcv-1d", stype_in="parent", symbols="ZL.FUT", start="2024-01-01", end="2024-03-01", encoding="csv")


class Case:
    def __init__(self, sim):
        self.sim = sim

    def connection(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=timeout)

    def call(self, path, headers=None, connection=None, method=None, **form):
        """(status, headers, body) of a request; a form makes it a POST."""
        own = connection or self.connection()
        body = urllib.parse.urlencode(form) if form else None
        own.request(method or ("POST" if form else "GET"), path, body,
                    {**AUTH, **({"Content-Type": "application/x-www-form-urlencoded"} if form else {}), **(headers or {})})
        answer = own.getresponse()
        result = answer.status, dict(answer.getheaders()), answer.read()
        if connection is None:
            own.close()
        return result

    def get_range(self, **more):
        return self.call("/v0/timeseries.get_range", **{**RANGE, **more})

    def raises(self, kind, call):
        try:
            call()
        except kind as error:
            return error
        raise AssertionError(f"no {kind}")

    def statuses(self, count, path="/v0/metadata.list_datasets"):
        return [self.call(path)[0] for _ in range(count)]

    def finished_job(self, **more):
        job = json.loads(self.call("/v0/batch.submit_job", **{**RANGE, **more})[2])
        for _ in range(3):
            state = json.loads(self.call(f"/v0/batch.get_job_details?job_id={job['id']}")[2])
        assert state["state"] == "done"
        files = json.loads(self.call(f"/v0/batch.list_files?job_id={job['id']}")[2])
        return state, {f["filename"]: f for f in files}

    def path_of(self, file):
        return urllib.parse.urlsplit(file["urls"]["https"]).path

    # --- which requests a rule strikes ---

    def case_nth(self):
        self.sim.faults({"path": "list_datasets", "nth": [2, 4], "action": {"status": 503}})
        assert self.statuses(5) == [200, 503, 200, 503, 200]
        assert self.sim.counts()["faults"] == [{"name": "rule 1", "matched": 5, "applied": 2}]

    def case_first_after_every_times(self):
        self.sim.faults({"path": "list_datasets", "first": 2, "action": {"status": 500}})
        assert self.statuses(3) == [500, 500, 200]
        self.sim.faults({"path": "list_datasets", "after": 2, "action": {"status": 500}})
        assert self.statuses(4) == [200, 200, 500, 500]
        self.sim.faults({"path": "list_datasets", "every": 3, "times": 1, "action": {"status": 500}})
        assert self.statuses(7) == [200, 200, 500, 200, 200, 200, 200]

    def case_probability(self):
        rule = {"path": "list_datasets", "probability": 0.5, "action": {"status": 502}}
        runs = []
        for seed in (7, 7, 8):
            self.sim.faults(rule, seed=seed)
            runs.append(self.statuses(40))
        assert runs[0] == runs[1] != runs[2] and 8 < runs[0].count(502) < 32

    def case_symbols_and_parameters(self):
        self.sim.faults({"symbols": ["ZS.FUT", "ZM.FUT"], "action": {"status": 504}})
        assert [self.get_range(symbols=s)[0] for s in ("ZL.FUT", "ZL.FUT,ZM.FUT", "ZS.FUT")] == [206, 504, 504]
        self.sim.faults({"parameters": {"schema": "ohlcv-1h"}, "method": "POST", "body": "ZL", "action": {"status": 504}})
        assert [self.get_range(schema=s)[0] for s in ("ohlcv-1d", "ohlcv-1h")] == [206, 504]

    def case_budget(self):
        self.sim.faults({"path": "get_range", "action": {"budget": 180}})  # symbols x days
        assert self.get_range(symbols="ZL.FUT,ZS.FUT,ZM.FUT")[0] == 206  # 3 x 60
        status, _, body = self.get_range(symbols="ZL.FUT,ZS.FUT,ZM.FUT", end="2024-03-02")
        assert status == 504 and json.loads(body)["detail"]

    def case_mistakes_in_a_script(self):
        self.sim.faults({"path": "list_datasets", "action": {"status": 503}})
        for rule in ({"action": {"stat": 1}}, {"pathh": "x"}, {"path": "("}, {"action": {"status": "x"}}, {"action": {"framing": "x"}}):
            error = self.raises(Exception, lambda: self.sim.faults(rule))
            assert "400" in str(error), error
        assert self.statuses(1) == [503], "a refused script must change nothing"
        self.sim.control("faults", {"add": [{"path": "list_datasets", "action": {"headers": {"X-More": "1"}}}]})
        status, headers, _ = self.call("/v0/metadata.list_datasets")
        assert status == 503 and headers["X-More"] == "1"
        self.sim.control("faults", {"clear": True})
        assert self.statuses(1) == [200]

    # --- what it does to them ---

    def case_status_with_all(self):
        self.sim.faults({"path": "list_datasets", "action": {"status": 429, "body": "slow down", "content_type": "text/plain",
                                                             "headers": {"X-A": "b"}, "retry_after": 7}})
        status, headers, body = self.call("/v0/metadata.list_datasets")
        assert (status, body, headers["Retry-After"], headers["X-A"]) == (429, b"slow down", "7", "b")
        assert headers["Content-Type"] == "text/plain"
        self.sim.faults({"path": "list_datasets", "action": {"status": 503, "retry_after": "date:60"}})
        until = email.utils.parsedate_to_datetime(self.call("/v0/metadata.list_datasets")[1]["Retry-After"]).timestamp()
        assert 50 < until - time.time() < 62
        self.sim.faults({"path": "list_datasets", "action": {"status": 422, "body": {"detail": {"case": "x"}}}})
        assert json.loads(self.call("/v0/metadata.list_datasets")[2]) == {"detail": {"case": "x"}}

    def case_after(self):
        """The job is there although its answer was lost."""
        before = self.sim.counts()["jobs_submitted"]
        self.sim.faults({"path": "submit_job", "nth": 1, "action": {"status": 504, "when": "after"}},
                        {"path": "submit_job", "nth": 2, "action": {"reset_at": 0, "when": "after"}},
                        {"path": "submit_job", "nth": 3, "action": {"status": 503}})
        assert self.call("/v0/batch.submit_job", **RANGE)[0] == 504
        self.raises(ConnectionResetError, lambda: self.call("/v0/batch.submit_job", **RANGE))
        assert self.call("/v0/batch.submit_job", **RANGE)[0] == 503
        assert self.sim.counts()["jobs_submitted"] == before + 2

    def case_reset(self):
        whole = self.get_range()[2]
        self.sim.faults({"path": "get_range", "action": {"reset_at": 5000}})
        connection = self.connection()
        connection.request("POST", "/v0/timeseries.get_range", urllib.parse.urlencode(RANGE), {**AUTH, "Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        got = b""
        try:
            while True:
                piece = answer.read1(512)
                if not piece:
                    raise AssertionError("ended properly")
                got += piece
        except (ConnectionResetError, http.client.IncompleteRead):
            pass
        assert len(got) <= 5000 and whole.startswith(got)

    def case_truncate(self):
        whole = self.get_range()[2]
        for framing in ("length", "cut_chunk"):
            self.sim.faults({"path": "get_range", "action": {"truncate_at": 4000, "framing": framing}})
            error = self.raises(http.client.IncompleteRead, self.get_range)
            assert error.partial == whole[:4000], framing
        for framing in ("short_length", "end_chunk"):  # nothing but the missing bytes betrays it
            self.sim.faults({"path": "get_range", "action": {"truncate_at": 4000, "framing": framing}})
            connection = self.connection()
            status, headers, body = self.call("/v0/timeseries.get_range", connection=connection, **RANGE)
            assert status == 206 and body == whole[:4000] and ("Content-Length" in headers) == (framing == "short_length")
            self.sim.faults()
            assert self.call("/v0/metadata.list_datasets", connection=connection)[0] == 200, "the connection stays usable"
        self.sim.faults({"path": "get_range", "action": {"truncate_at": 10**9}})
        assert self.get_range()[2] == whole

    def case_flip(self):
        whole = self.get_range(compression="zstd")[2]
        for at in (0, 1234, -1):
            self.sim.faults({"path": "get_range", "action": {"flip_at": at}})
            got = self.get_range(compression="zstd")[2]
            different = [i for i in range(len(whole)) if whole[i] != got[i]]
            assert len(got) == len(whole) and different == [at % len(whole)], (at, different)

    def case_html_empty_duplicate(self):
        whole = self.get_range()[2]
        self.sim.faults({"path": "get_range", "action": {"html": True}})
        status, headers, body = self.get_range()
        assert status == 200 and headers["Content-Type"].startswith("text/html") and body.startswith(b"<!DOCTYPE")
        self.sim.faults({"path": "get_range", "action": {"empty": True}})
        status, headers, body = self.get_range()
        assert (status, headers["Content-Length"], body) == (206, "0", b"")
        self.sim.faults({"path": "get_range", "action": {"duplicate": True}})
        assert self.get_range()[2] == whole + whole

    def case_slow(self):
        whole = self.get_range(end="2024-01-03")[2]
        self.sim.faults({"path": "get_range", "action": {"drip": 2 * len(whole)}})
        started = time.monotonic()
        assert self.get_range(end="2024-01-03")[2] == whole
        assert 0.3 < time.monotonic() - started < 15
        self.sim.faults({"path": "get_range", "action": {"delay_ms": 300}})
        started = time.monotonic()
        assert self.get_range(end="2024-01-03")[2] == whole and time.monotonic() - started > 0.3

    def case_hang(self):
        self.sim.faults({"path": "list_datasets", "action": {"hang": True}})
        self.raises(socket.timeout, lambda: self.call("/v0/metadata.list_datasets", connection=self.connection(timeout=0.4)))
        self.sim.faults({"path": "get_range", "action": {"hang": 3000}})
        connection = self.connection(timeout=0.4)
        self.raises(socket.timeout, lambda: self.call("/v0/timeseries.get_range", connection=connection, **RANGE))

    def case_clock_skew(self):
        self.sim.faults({"path": "list_datasets", "action": {"clock_skew_s": 86400}})
        date = email.utils.parsedate_to_datetime(self.call("/v0/metadata.list_datasets")[1]["Date"]).timestamp()
        assert 86300 < date - time.time() < 86500

    def case_redirect(self):
        _, files = self.finished_job()
        name = next(n for n in files if ".csv" in n and n.startswith("glbx"))
        elsewhere = f"http://127.0.0.1:{self.sim.foreign_port}"
        self.sim.faults({"path": "/batch/download/", "action": {"redirect": elsewhere + self.path_of(files[name]), "status": 302}})
        status, headers, _ = self.call(self.path_of(files[name]))
        assert status == 302 and headers["Location"].startswith(elsewhere)
        self.sim.clear_counts()
        foreign = http.client.HTTPConnection("127.0.0.1", self.sim.foreign_port, timeout=10)
        foreign.request("GET", self.path_of(files[name]))
        content = foreign.getresponse().read()
        assert files[name]["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert self.sim.counts()["foreign_authorized"] == 0
        foreign.request("GET", "/", headers=AUTH)
        foreign.getresponse().read()
        counts = self.sim.counts()
        assert counts["foreign_authorized"] == 1 and [r["target"] for r in counts["foreign_requests"]][1] == "/"

    def case_ranges(self):
        _, files = self.finished_job()
        file = next(f for n, f in files.items() if n.startswith("glbx"))
        path, size = self.path_of(file), file["size"]
        whole = self.call(path)[2]
        for header, expected, status in ((f"bytes=10-", whole[10:], 206), (f"bytes=5-20", whole[5:21], 206),
                                         (f"bytes=0-{size + 99}", whole, 206), ("lines=1-2", whole, 200)):
            got_status, headers, body = self.call(path, headers={"Range": header})
            assert (got_status, body) == (status, expected), header
            if status == 206:
                assert headers["Content-Range"].endswith(f"/{size}")
        status, headers, _ = self.call(path, headers={"Range": f"bytes={size}-"})
        assert status == 416 and headers["Content-Range"] == f"bytes */{size}"
        self.sim.faults({"path": "/batch/download/", "action": {"ignore_range": True}})
        status, _, body = self.call(path, headers={"Range": "bytes=10-"})
        assert status == 200 and body == whole

    def case_wrong_hash(self):
        job, files = self.finished_job()
        manifest_path = self.path_of(files["metadata.json"]).replace("metadata.json", "manifest.json")
        manifest = json.loads(self.call(manifest_path)[2])
        assert manifest["job_id"] == job["id"] and manifest["files"] == list(files.values())
        self.sim.faults({"path": "list_files|manifest", "action": {"wrong_hash": True}})
        wrong = {f["filename"]: f for f in json.loads(self.call(f"/v0/batch.list_files?job_id={job['id']}")[2])}
        assert all(len(wrong[n]["hash"]) == 71 and wrong[n]["hash"] != files[n]["hash"] for n in files)
        assert json.loads(self.call(manifest_path)[2])["files"] == list(wrong.values())

    # --- counting ---

    def case_only_whole_deliveries_count(self):
        self.sim.clear_counts()
        self.sim.faults({"path": "get_range", "nth": 1, "action": {"truncate_at": 4000, "framing": "end_chunk"}},
                        {"path": "get_range", "nth": 2, "action": {"flip_at": 10}},
                        {"path": "get_range", "nth": 3, "action": {"status": 504}},
                        {"path": "get_range", "nth": 4, "action": {"empty": True}},
                        {"path": "get_range", "nth": 5, "action": {"reset_at": 0, "when": "after"}})
        for _ in range(4):
            self.get_range()
        self.raises(ConnectionResetError, self.get_range)
        counts = self.sim.counts()
        assert counts["cells"] == {} and counts["whole_responses"] == 0
        assert counts["data_requests"] == 4, counts["data_requests"]  # the 504 never reached the endpoint
        self.get_range(start="2024-01-01T12:00:00", end="2024-01-04")  # half of the 1st: not that day
        self.get_range(limit=5)
        cells = self.sim.counts(full=True)["cells"]["ohlcv-1d"]["ZL.FUT"]
        assert cells["by_day"] == {"2024-01-02": 1, "2024-01-03": 1}

    def case_log(self):
        self.sim.faults({"name": "mine", "path": "list_datasets", "action": {"status": 500}})
        self.call("/v0/metadata.list_datasets?x=1")
        until = time.monotonic() + 10
        while not (entries := [e for e in self.sim.log() if e["target"].endswith("?x=1")]) and time.monotonic() < until:
            time.sleep(0.01)  # it is written after the answer
        entry = entries[-1]
        assert (entry["status"], entry["faults"], entry["whole"]) == (500, ["mine"], False)

    # --- HTTP ---

    def case_one_connection_many_requests(self):
        connection = self.connection()
        for _ in range(5):
            assert self.call("/v0/metadata.list_datasets", connection=connection)[0] == 200
            assert self.call("/v0/timeseries.get_range", connection=connection, **RANGE)[0] == 206
        status, headers, body = self.call("/v0/metadata.list_datasets", connection=connection, method="HEAD")
        assert status == 200 and body == b"" and int(headers["Content-Length"]) > 0

    def case_expect_continue(self):
        body = urllib.parse.urlencode(RANGE).encode()
        with socket.create_connection(("127.0.0.1", self.sim.port), timeout=10) as raw:
            raw.sendall(f"POST /v0/timeseries.get_range HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTH['Authorization']}\r\nContent-Length: {len(body)}\r\n"
                        f"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n".encode())
            assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            raw.sendall(body)
            assert raw.recv(100).startswith(b"HTTP/1.1 206 ")

    def case_garbage(self):
        """Nothing a client sends brings it down."""
        source = random.Random(5)
        texts = [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET /v0/ HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                 b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde",
                 b"GET /%zz%0 HTTP/1.1\r\n:\r\n::\r\n\r\n", b"A" * 200_000, b"POST /_sim/revise HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"]
        texts += [source.randbytes(source.randrange(1, 3000)) for _ in range(60)]
        for text in texts:
            with socket.create_connection(("127.0.0.1", self.sim.port), timeout=5) as raw:
                try:
                    raw.sendall(text)
                    raw.shutdown(socket.SHUT_WR)
                    raw.recv(1000)
                except OSError:
                    pass
        for field in RANGE:
            for value in ("", "\0", "9" * 40, "-1", "é", "a" * 3000, "ZL.FUT," * 1999, ".FUT", "X.v.999", "x.v.0", "18446744073709551615", "1e999", "0001-01-01",
                          "9999-12-31", "2024-02-30", "2262-04-11T23:47:16.854775807"):
                status = self.get_range(**{field: value})[0]
                assert status in (200, 206, 422), (field, value, status)
        for body in ("{}", '{"days": 5}', '{"days": ["x"]}', '{"dataset": "X", "days": []}', '{"today": 5}', '{"job_id": "x", "state": "done"}', "[]", "{"):
            for action in ("faults", "revise", "today", "condition", "jobs"):
                connection = self.connection()
                connection.request("POST", f"/_sim/{action}", body)
                assert connection.getresponse().status in (200, 400, 404), (action, body)
        assert self.statuses(1) == [200]

    def case_many_at_once(self):
        expected = self.get_range(symbols="ES.v.0", stype_in="continuous", start="2020-01-01")[2]
        def one(i):
            if i % 5 == 4:  # a client that goes away in the middle
                with socket.create_connection(("127.0.0.1", self.sim.port)) as raw:
                    raw.sendall(b"GET /v0/metadata.list_datasets HTTP/1.1\r\n")
                return True
            return self.get_range(symbols="ES.v.0", stype_in="continuous", start="2020-01-01")[2] == expected
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            assert all(pool.map(one, range(150)))

    def case_missing_day(self):
        self.sim.control("condition", {"dataset": "GLBX.MDP3", "days": ["2022-05-17"], "condition": "missing"})
        answer = json.loads(self.call("/v0/metadata.get_dataset_condition?dataset=GLBX.MDP3&start_date=2022-05-17&end_date=2022-05-17")[2])
        assert answer == [{"date": "2022-05-17", "condition": "missing", "last_modified_date": None}]
        body = self.get_range(start="2022-05-16", end="2022-05-19", pretty_ts=1)[2]
        assert b"2022-05-17" not in body and b"2022-05-16" in body and b"2022-05-18" in body

    # ---- FRED ----

    def fred(self, path, key=simulator.FRED_KEY, **query):
        status, _, body = self.call(f"/fred/{path}?" + urllib.parse.urlencode({**query, "api_key": key, "file_type": "json"}))
        return status, json.loads(body)

    def fred_rows(self, start=None, end=None, series="UNRATE", **query):
        if start:
            query.update(realtime_start=start, realtime_end=end)
        status, page = self.fred("series/observations", series_id=series, **query)
        assert status == 200, page
        return page["observations"]

    def case_fred_cuts_periods_to_the_window(self):
        whole = self.fred_rows("1776-07-04", "9999-12-31")
        cut = self.fred_rows("2020-01-01", "2021-12-31")
        today = self.fred_rows()
        def within(row):
            start, end = max(row["realtime_start"], "2020-01-01"), min(row["realtime_end"], "2021-12-31")
            return {**row, "realtime_start": start, "realtime_end": end} if start <= end else None
        assert cut == [row for row in map(within, whole) if row]
        assert [(row["date"], row["value"]) for row in today] == \
            [(row["date"], row["value"]) for row in whole if row["realtime_end"] == "9999-12-31"]
        assert {row["realtime_start"] for row in today} == {row["realtime_end"] for row in today} == {"2024-06-30"}
        _, vintages = self.fred("series/vintagedates", series_id="UNRATE")
        assert vintages["vintage_dates"] == sorted({row["realtime_start"] for row in whole})
        assert [row for offset in range(0, 5000, 1000)
                for row in self.fred_rows("1776-07-04", "9999-12-31", limit=1000, offset=offset)] == whole

    def case_fred_refuses_as_the_vendor(self):
        for words, (status, page) in {
                "api_key is not set": self.fred("series", key="", series_id="GDP"),
                "not a 32 character": self.fred("series", key="x", series_id="GDP"),
                "not registered": self.fred("series", key="f" * 32, series_id="GDP"),
                "The series does not exist.": self.fred("series", series_id="COPPER"),
                "does not exist in ALFRED": self.fred("series/vintagedates", series_id="VIXCLS"),
                "maximum number of vintage dates": self.fred("series/observations", series_id="DGS10",
                                                             realtime_start="1776-07-04", realtime_end="9999-12-31")}.items():
            assert status == 400 and page["error_code"] == 400 and words in page["error_message"], (words, page)

    def case_fred_revisions_are_vintages(self):
        before = self.fred_rows("1776-07-04", "9999-12-31")
        self.sim.control("fred", {"series_id": "UNRATE", "dates": ["2024-01-01"]})
        after = self.fred_rows("1776-07-04", "9999-12-31")
        added = [row for row in after if row not in before]
        assert [(row["date"], row["realtime_start"]) for row in added if row["realtime_end"] == "9999-12-31"] == \
            [("2024-01-01", "2024-06-30")], added
        assert len(after) == len(before) + 1
        status, page = self.fred("series", series_id="UNRATE")
        assert page["seriess"][0]["last_updated"].startswith("2024-06-30"), page

    def case_polls_as_scripted(self):
        self.sim.control("jobs", {"queued_polls": 2, "processing_polls": 3, "expire_after_polls": 2})
        try:
            job = json.loads(self.call("/v0/batch.submit_job", **RANGE)[2])
            states = [json.loads(self.call(f"/v0/batch.get_job_details?job_id={job['id']}")[2])["state"] for _ in range(9)]
            assert states == ["queued"] * 2 + ["processing"] * 3 + ["done"] * 2 + ["expired"] * 2, states
        finally:
            self.sim.control("jobs", {"queued_polls": 1, "processing_polls": 1, "expire_after_polls": 0})


def state_outlives(program):
    with tempfile.TemporaryDirectory() as folder:
        with simulator.Simulator(program, "--state-dir", folder) as sim:
            job, files = Case(sim).finished_job()
            waiting = json.loads(Case(sim).call("/v0/batch.submit_job", **RANGE)[2])
        with simulator.Simulator(program, "--state-dir", folder) as sim:
            case = Case(sim)
            again = json.loads(case.call(f"/v0/batch.get_job_details?job_id={job['id']}")[2])
            assert again == job
            listed = json.loads(case.call(f"/v0/batch.list_files?job_id={job['id']}")[2])
            assert {f["filename"]: f for f in listed} == files
            for file in listed:
                assert file["hash"] == "sha256:" + hashlib.sha256(case.call(case.path_of(file))[2]).hexdigest()
            jobs = {j["id"]: j["state"] for j in json.loads(case.call("/v0/batch.list_jobs")[2])}
            assert jobs[waiting["id"]] != "done"


def ends_while_clients_wait(program):
    """SIGTERM ends it at once, whatever it is in the middle of; Simulator checks the exit code."""
    with simulator.Simulator(program) as sim:
        sim.faults({"path": "list_datasets", "action": {"hang": True}}, {"path": "get_range", "action": {"delay_ms": 60_000}})
        waiting = []
        for path in ("metadata.list_datasets", "timeseries.get_range"):
            raw = socket.create_connection(("127.0.0.1", sim.port))
            raw.sendall(f"GET /v0/{path} HTTP/1.1\r\nAuthorization: {AUTH['Authorization']}\r\n\r\n".encode())
            waiting.append(raw)
        time.sleep(0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def fifteen_years(program):
    """31 products, 15 years of daily bars, in a few seconds of processor time."""
    roots = "ZL ZS ZM ES CL HO NG RB ZC ZW NQ MNQ RTY M2K GC SI HG BZ QM PA PL ZR ZO LE GF HE MES YM ZN ZB 6E".split()
    with simulator.Simulator(program, "--today", "2025-06-30") as sim:
        status, _, body = Case(sim).get_range(symbols=",".join(r + ".FUT" for r in roots), start="2010-06-06", end="2025-06-29",
                                              encoding="dbn", compression="zstd")
        ticks = sum(map(int, open(f"/proc/{sim.process.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
    seconds = ticks / os.sysconf("SC_CLK_TCK")
    print(f"summary: 31 products, 15 years of daily bars: {len(body) >> 20} MiB in {seconds:.1f} s of processor time")
    assert status == 206 and seconds < 10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with simulator.Simulator(options.sim) as sim:
        case = Case(sim)

        def fresh(function):
            def run():
                sim.faults()
                function()
            return run
        cases = [(name[5:], fresh(getattr(case, name))) for name in dir(case) if name.startswith("case_")]
        cases.append(("state_outlives", lambda: state_outlives(options.sim)))
        cases.append(("ends_while_clients_wait", lambda: ends_while_clients_wait(options.sim)))
        cases.append(("fifteen_years", lambda: fifteen_years(options.sim)))
        return simulator.run_cases(cases, options.only)


if __name__ == "__main__":
    sys.exit(main())
