"""What the programs lode is measured against do: each text is a script of its own, `python -c TEXT INPUT OUTPUT`.

They are written as somebody who knows the program would: explicit types, nothing inferred, zstd level 3 like lode's output; no
progress bar, which DuckDB writes to stdout when a query takes long.
"""

DATABENTO = """
import sys, databento
databento.DBNStore.from_file(sys.argv[1]).to_parquet(sys.argv[2], map_symbols={symbols}, compression="zstd")
"""
POLARS = """
import sys, polars as pl
frames = pl.scan_csv(sys.argv[1], try_parse_dates=True)
frames.sort("instrument_id", "ts_event").sink_parquet(sys.argv[2], compression="zstd", compression_level=3)
"""
TRADES_POLARS = """
import sys, polars as pl
text, number = pl.String, pl.Float64
schema = dict(exchange=text, symbol=text, timestamp=pl.Int64, local_timestamp=pl.Int64, id=text, side=text, price=number, amount=number)
frames = pl.scan_csv(sys.argv[1], schema=schema).with_columns(pl.col("timestamp", "local_timestamp").cast(pl.Datetime("us")))
frames.sink_parquet(sys.argv[2], compression="zstd", compression_level=3)
"""
TRADES_DUCKDB = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
types = dict(exchange="VARCHAR", symbol="VARCHAR", timestamp="BIGINT", local_timestamp="BIGINT", id="VARCHAR", side="VARCHAR", price="DOUBLE", amount="DOUBLE")
rows = f"read_csv('{{sys.argv[1]}}', columns = {{types}}, auto_detect = false, header = true, delim = ',')"
duckdb.sql(f"COPY (SELECT * REPLACE (make_timestamp(timestamp) AS timestamp, make_timestamp(local_timestamp) AS local_timestamp) FROM {{rows}}) "
           f"TO '{{sys.argv[2]}}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)")
"""
TRADES_PYARROW = """
import sys, pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
types = dict(exchange="string", symbol="string", timestamp="int64", local_timestamp="int64", id="string", side="string", price="float64", amount="float64")
rows = csv.read_csv(sys.argv[1], convert_options=csv.ConvertOptions(column_types=types))
for name in ("timestamp", "local_timestamp"):
    rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.timestamp("us")))
pq.write_table(rows, sys.argv[2], compression="zstd")
"""
MINUTES_POLARS = """
import sys, polars as pl
number = pl.Float64
schema = dict(ticker=pl.String, volume=number, open=number, close=number, high=number, low=number, window_start=pl.Int64, transactions=pl.Int64)
start = pl.col("window_start").cast(pl.Datetime("ns"))
day = start.dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York").dt.date()
frames = pl.scan_csv(sys.argv[1], schema=schema).with_columns(start.cast(pl.Datetime("us")), session_date=day)
frames.sink_parquet(sys.argv[2], compression="zstd", compression_level=3)
"""
MINUTES_DUCKDB = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
types = dict(ticker="VARCHAR", volume="DOUBLE", open="DOUBLE", close="DOUBLE", high="DOUBLE", low="DOUBLE", window_start="BIGINT", transactions="BIGINT")
rows = f"read_csv('{{sys.argv[1]}}', columns = {{types}}, auto_detect = false, header = true, delim = ',')"
start = "make_timestamp(window_start // 1000)"
duckdb.sql(f"COPY (SELECT * REPLACE ({{start}} AS window_start), ({{start}} AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')::DATE AS session_date "
           f"FROM {{rows}}) TO '{{sys.argv[2]}}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)")
"""
MINUTES_PYARROW = """
import sys, pyarrow as pa, pyarrow.compute as pc, pyarrow.csv as csv, pyarrow.parquet as pq
types = dict(ticker="string", volume="float64", open="float64", close="float64", high="float64", low="float64", window_start="int64", transactions="int64")
rows = csv.read_csv(sys.argv[1], convert_options=csv.ConvertOptions(column_types=types))
start = pc.divide(rows["window_start"], 1000).cast(pa.timestamp("us"))
day = pc.local_timestamp(start.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "America/New_York"))).cast(pa.date32(), safe=False)
rows = rows.set_column(6, "window_start", start).append_column("session_date", day)
pq.write_table(rows, sys.argv[2], compression="zstd")
"""
DUCKDB = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
duckdb.sql(f"COPY (FROM read_csv('{{sys.argv[1]}}') ORDER BY instrument_id, ts_event) TO '{{sys.argv[2]}}' (FORMAT parquet, COMPRESSION zstd)")
"""
# The vendor's nested header, times with nine digits, prices as text.
BARS_DUCKDB = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
price = "DECIMAL(18,9)"
columns = dict(hd="STRUCT(ts_event TIMESTAMP, rtype UTINYINT, publisher_id USMALLINT, instrument_id UINTEGER)", open=price, high=price, low=price,
               close=price, volume="UBIGINT", symbol="VARCHAR")
rows = (f"SELECT hd.publisher_id::INTEGER AS publisher_id, hd.instrument_id::BIGINT AS instrument_id, symbol, hd.ts_event AS ts_event, open, high, low, "
        f"close, volume::BIGINT AS volume FROM read_json('{{sys.argv[1]}}', format = 'newline_delimited', columns = {{columns}}, "
        f"timestampformat = '%Y-%m-%dT%H:%M:%S.%nZ')")
"""
BARS_DUCKDB_PARQUET = BARS_DUCKDB + """
duckdb.sql(f"COPY ({{rows}}) TO '{{sys.argv[2]}}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)")
"""
BARS_DUCKDB_TABLE = BARS_DUCKDB + """
with duckdb.connect(sys.argv[2]) as database:
    database.execute(f"CREATE TABLE bars AS {{rows}}")
"""
# The lines of decode_bench: every column is read and typed, nothing is written. A record that cannot be read would end DuckDB's query.
BARS_DUCKDB_AGGREGATES = BARS_DUCKDB + """
{setting}
units = dict(publisher_id=1, instrument_id=1, open=10**9, high=10**9, low=10**9, close=10**9, volume=1)
sums = ", ".join(f"count({{name}}), sum({{name}})" for name in units)
found = duckdb.sql(f"SELECT count(*), count(symbol), sum(strlen(symbol)), count(ts_event), epoch_us(min(ts_event)), epoch_us(max(ts_event)), {{sums}} "
                   f"FROM ({{rows}})").fetchall()[0]
print(f"{{found[0]}} rows, 0 rejected")
print(f"symbol: {{found[1]}} values, sum {{found[2]}}")
print(f"ts_event: {{found[3]}} values, {{found[4]}} to {{found[5]}}")
for name, count, total in zip(units, found[6::2], found[7::2]):
    print(f"{{name}}: {{count}} values, sum {{int(total * units[name])}}")
"""
BARS_POLARS = """
import sys, polars as pl
header = pl.Struct(dict(ts_event=pl.String, rtype=pl.UInt8, publisher_id=pl.Int32, instrument_id=pl.Int64))
schema = dict(hd=header, open=pl.String, high=pl.String, low=pl.String, close=pl.String, volume=pl.String, symbol=pl.String)
frames = pl.scan_ndjson(sys.argv[1], schema=schema).select(
    pl.col("hd").struct.field("publisher_id"), pl.col("hd").struct.field("instrument_id"), "symbol",
    pl.col("hd").struct.field("ts_event").str.to_datetime("%Y-%m-%dT%H:%M:%S%.9fZ", time_unit="us"),
    pl.col("open", "high", "low", "close").cast(pl.Decimal(18, 9)), pl.col("volume").cast(pl.Int64))
frames.sink_parquet(sys.argv[2], compression="zstd", compression_level=3)
"""
# What QuantMini's PolarsIngestor does with a day of minute aggregates, by its description in specs/quantmini.md section 2: the whole
# file in memory, float32 prices, the UTC date, snappy, no dictionaries, row groups of 100,000.
MINUTES_EXISTING = """
import gzip, io, sys, polars as pl
with gzip.open(sys.argv[1], "rb") as file:
    text = file.read()
rows = pl.read_csv(io.BytesIO(text), schema_overrides=dict(ticker=pl.String, volume=pl.Float64, window_start=pl.Int64, transactions=pl.UInt32))
day = pl.from_epoch("window_start", time_unit="ns").dt.date()
rows = rows.with_columns(date=day).select(
    pl.col("date").dt.year().cast(pl.Int16).alias("year"), pl.col("date").dt.month().cast(pl.Int8).alias("month"), pl.col("ticker").alias("symbol"), pl.col("volume").cast(pl.UInt64),
    pl.col("open", "close", "high", "low").cast(pl.Float32), pl.col("window_start").alias("timestamp"), "transactions", "date")
rows.write_parquet(sys.argv[2], compression="snappy", statistics=True, row_group_size=100_000)
"""
# What no import of a delivery can do without: every file hashed against the manifest, then copied, the copy hashed and brought to disk, and
# read once more. Not a program anybody uses: it is the floor under lode's figure.
COPY_AND_HASH = """
import glob, hashlib, os, sys
os.mkdir(sys.argv[2])
def drain(source, digest, copy=None):
    block = bytearray(1 << 20)
    while size := source.readinto(block):
        if digest is not None:
            digest.update(memoryview(block)[:size])
        if copy is not None:
            copy.write(memoryview(block)[:size])
for path in glob.glob(sys.argv[1]):
    kept = os.path.join(sys.argv[2], os.path.basename(path))
    with open(path, "rb", 0) as source:
        drain(source, hashlib.sha256())
    with open(path, "rb", 0) as source, open(kept, "xb", 0) as copy:
        drain(source, hashlib.sha256(), copy)
        os.fsync(copy.fileno())
    with open(kept, "rb", 0) as copy:
        drain(copy, None)
"""
