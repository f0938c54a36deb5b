#!/usr/bin/env python3
"""boto3, an S3 client that lode has nothing to do with, gets right answers from the simulator's bucket of flat files.

What is right is worked out apart from the simulator's code: days from exchange sessions as pandas counts them, bytes from
their own hash, contents from the columns the vendor documents. Needs third_party/oracle's Python (./setup --tests).

usage: flat_files_client_test.py --sim PROGRAM [--only PART]
"""
import argparse
import csv
import datetime
import gzip
import hashlib
import io
import sys
import tempfile

import boto3
import botocore.client
import botocore.exceptions
import pandas as pd
import pandas.tseries.holiday as holidays

import simulator

BUCKET = "flatfiles"
KEY_ID = "flat-files-key-id"
DAILY = "us_stocks_sip/day_aggs_v1"
BARS = "ticker,volume,open,close,high,low,window_start,transactions"
HEADERS = {
    DAILY: BARS, "us_stocks_sip/minute_aggs_v1": BARS, "us_options_opra/day_aggs_v1": BARS,
    "us_options_opra/minute_aggs_v1": BARS, "us_indices/day_aggs_v1": "ticker,open,close,high,low,window_start",
    "us_indices/minute_aggs_v1": "ticker,open,close,high,low,window_start",
    "us_stocks_sip/trades_v1": "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,"
                               "sip_timestamp,size,tape,trf_id,trf_timestamp",
    "us_stocks_sip/quotes_v1": "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,conditions,indicators,"
                               "participant_timestamp,sequence_number,sip_timestamp,tape,trf_timestamp",
    "us_options_opra/trades_v1": "ticker,conditions,correction,exchange,price,sip_timestamp,size",
    "us_options_opra/quotes_v1": "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,sequence_number,"
                                 "sip_timestamp",
}


class NewYorkHolidays(holidays.AbstractHolidayCalendar):
    rules = [holidays.Holiday("New Year", month=1, day=1, observance=holidays.sunday_to_monday), holidays.USMartinLutherKingJr,
             holidays.USPresidentsDay, holidays.GoodFriday, holidays.USMemorialDay,
             holidays.Holiday("Juneteenth", month=6, day=19, observance=holidays.nearest_workday),
             holidays.Holiday("Independence Day", month=7, day=4, observance=holidays.nearest_workday), holidays.USLaborDay,
             holidays.USThanksgivingDay, holidays.Holiday("Christmas", month=12, day=25, observance=holidays.nearest_workday)]


def sessions(first, last):
    days = pd.bdate_range(first, last)
    return [day.strftime("%Y-%m-%d") for day in days.difference(NewYorkHolidays().holidays(first, last))]


def key_of(flat_file, day):
    return f"{flat_file}/{day[:4]}/{day[5:7]}/{day}.csv.gz"


class ClientTest:
    def __init__(self, sim):
        self.sim = sim
        self.s3 = self.client()

    def client(self, key_id=KEY_ID, secret=simulator.KEY, **config):
        return boto3.client("s3", endpoint_url=self.sim.url, aws_access_key_id=key_id, aws_secret_access_key=secret,
                            region_name="us-east-1",
                            config=botocore.client.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
                                                          **config))

    def cases(self):
        return [(name[5:], getattr(self, name)) for name in dir(self) if name.startswith("case_")]

    def keys(self, prefix, **more):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix, **more)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def refused(self, status, code, call, *arguments, **more):
        try:
            call(*arguments, **more)
        except botocore.exceptions.ClientError as error:
            got = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
            assert got == (status, code), got
            return
        raise AssertionError(f"not refused with {code}")

    # --- listing ---

    def case_lists_the_sessions_of_a_year(self):
        expected = [key_of(DAILY, day) for day in sessions("2023-01-01", "2023-12-31")]
        assert self.keys(f"{DAILY}/2023/") == expected
        for size in (1, 7, 250):
            assert self.keys(f"{DAILY}/2023/", PaginationConfig={"PageSize": size}) == expected

    def case_lists_up_to_what_is_published(self):
        """2024-03-05 00:00 UTC: the file of Friday the 1st is there, that of the 4th comes in the afternoon."""
        assert self.keys(f"{DAILY}/2024/")[-1] == key_of(DAILY, "2024-03-01")

    def case_lists_levels(self):
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="us_stocks_sip/", Delimiter="/")
        assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == sorted(
            f"{name}/" for name in HEADERS if name.startswith("us_stocks_sip/")), page
        assert "Contents" not in page
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{DAILY}/2023/", Delimiter="/", MaxKeys=5)
        assert page["IsTruncated"] and page["KeyCount"] == 5
        rest = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{DAILY}/2023/", Delimiter="/",
                                       ContinuationToken=page["NextContinuationToken"])
        months = [entry["Prefix"] for part in (page, rest) for entry in part["CommonPrefixes"]]
        assert months == [f"{DAILY}/2023/{month:02}/" for month in range(1, 13)], months

    def case_starts_after(self):
        keys = self.keys(f"{DAILY}/2023/", StartAfter=key_of(DAILY, "2023-12-27"))
        assert keys == [key_of(DAILY, "2023-12-28"), key_of(DAILY, "2023-12-29")]

    def case_an_unknown_prefix_is_empty(self):
        assert self.keys("us_stocks_sip/day_agg_v1/") == [] and self.keys("nothing/") == []

    # --- objects ---

    def case_objects_hold_what_the_listing_says(self):
        for flat_file, header in HEADERS.items():
            listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{flat_file}/2024/02/")["Contents"][3]
            head = self.s3.head_object(Bucket=BUCKET, Key=listed["Key"])
            answer = self.s3.get_object(Bucket=BUCKET, Key=listed["Key"])
            body = answer["Body"].read()
            assert len(body) == listed["Size"] == head["ContentLength"] == answer["ContentLength"]
            assert listed["ETag"] == head["ETag"] == answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
            assert listed["LastModified"] == head["LastModified"] == answer["LastModified"]
            text = gzip.decompress(body).decode()
            assert text.splitlines()[0] == header, flat_file
            rows = list(csv.DictReader(io.StringIO(text)))
            instant = "window_start" if "aggs" in flat_file else "sip_timestamp"
            day = listed["Key"][-17:-7]
            assert rows and all(pd.Timestamp(int(row[instant]), unit="ns", tz="UTC").tz_convert("America/New_York")
                                .strftime("%Y-%m-%d") == day for row in rows), flat_file

    def case_ranges(self):
        key = key_of(DAILY, "2024-02-01")
        whole = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        for text, part in (("bytes=0-9", whole[:10]), ("bytes=100-", whole[100:]), ("bytes=-7", whole[-7:]),
                           ("bytes=5-1000000", whole[5:])):
            answer = self.s3.get_object(Bucket=BUCKET, Key=key, Range=text)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206 and answer["Body"].read() == part, text
        assert answer["ContentRange"] == f"bytes 5-{len(whole) - 1}/{len(whole)}"
        self.refused(416, "InvalidRange", self.s3.get_object, Bucket=BUCKET, Key=key, Range=f"bytes={len(whole)}-")

    def case_conditions(self):
        key = key_of(DAILY, "2024-02-02")
        etag = self.s3.head_object(Bucket=BUCKET, Key=key)["ETag"]
        assert self.s3.get_object(Bucket=BUCKET, Key=key, IfMatch=etag)["ETag"] == etag
        self.refused(412, "PreconditionFailed", self.s3.get_object, Bucket=BUCKET, Key=key, IfMatch='"0"')
        self.refused(304, "304", self.s3.get_object, Bucket=BUCKET, Key=key, IfNoneMatch=etag)

    def case_a_day_published_again(self):
        key = key_of(DAILY, "2024-02-05")
        before = self.s3.get_object(Bucket=BUCKET, Key=key)
        self.sim.control("flatfiles", {"revise": ["2024-02-05"]})
        after = self.s3.get_object(Bucket=BUCKET, Key=key)
        assert before["ETag"] != after["ETag"] and before["Body"].read() != after["Body"].read()
        assert after["LastModified"] == datetime.datetime(2024, 3, 5, tzinfo=datetime.timezone.utc)
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"][0]
        assert listed["ETag"] == after["ETag"] and listed["LastModified"] == after["LastModified"]

    def case_download_in_parts(self):
        """boto3's transfer manager: several ranges at once into a file."""
        key = key_of("us_stocks_sip/minute_aggs_v1", "2024-02-06")
        whole = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        config = boto3.s3.transfer.TransferConfig(multipart_threshold=1000, multipart_chunksize=1500)
        with tempfile.NamedTemporaryFile() as file:
            self.s3.download_file(BUCKET, key, file.name, Config=config)
            assert open(file.name, "rb").read() == whole
        assert len(whole) > 4500  # else it was one part

    # --- refusals ---

    def case_what_is_not_there(self):
        for key in (key_of(DAILY, "2024-02-04"), key_of(DAILY, "2024-03-04"), "us_stocks_sip/", key_of("nothing", "2024-02-01"),
                    f"{DAILY}/2024/01/2024-02-01.csv.gz"):
            self.refused(404, "NoSuchKey", self.s3.get_object, Bucket=BUCKET, Key=key)
        self.refused(404, "404", self.s3.head_object, Bucket=BUCKET, Key=key_of(DAILY, "2024-02-04"))

    def case_listed_but_not_in_the_plan(self):
        key = key_of(DAILY, "2010-01-04")
        assert key in self.keys(f"{DAILY}/2010/01/")
        self.refused(403, "AccessDenied", self.s3.get_object, Bucket=BUCKET, Key=key)
        self.refused(403, "403", self.s3.head_object, Bucket=BUCKET, Key=key)

    def case_wrong_keys(self):
        key = {"Bucket": BUCKET, "Key": key_of(DAILY, "2024-02-01")}
        self.refused(403, "SignatureDoesNotMatch", self.client(secret="another").get_object, **key)
        self.refused(403, "InvalidAccessKeyId", self.client(key_id="another").list_objects_v2, Bucket=BUCKET)
        self.refused(403, "AccessDenied", self.client(signature_version=botocore.UNSIGNED).get_object, **key)

    def case_nothing_is_written(self):
        self.refused(403, "AccessDenied", self.s3.put_object, Bucket=BUCKET, Key="x", Body=b"x")
        self.refused(403, "AccessDenied", self.s3.delete_object, Bucket=BUCKET, Key=key_of(DAILY, "2024-02-01"))

    def case_reads_are_counted(self):
        self.sim.clear_counts()
        self.s3.get_object(Bucket=BUCKET, Key=key_of(DAILY, "2024-02-07"))["Body"].read()
        self.s3.head_object(Bucket=BUCKET, Key=key_of(DAILY, "2024-02-07"))
        self.keys(f"{DAILY}/2024/02/")
        counts = self.sim.counts()
        assert counts["requests"] == {"s3.get": {"200": 1}, "s3.head": {"200": 1}, "s3.list": {"200": 1}}, counts["requests"]
        assert counts["data_requests"] == 1 and counts["cells"][DAILY]["ALL_SYMBOLS"]["first"] == "2024-02-07"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    with simulator.Simulator(arguments.sim, "--today", "2024-03-05", "--entitled-from", "2014-01-01") as sim:
        return simulator.run_cases(ClientTest(sim).cases(), arguments.only)


if __name__ == "__main__":
    sys.exit(main())
