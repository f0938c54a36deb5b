"""Tables as other people's programs read them, brought to one plain form and compared column by column.

Plain form: prices as int64 units of 1e-9, times as int64 nanoseconds, everything else as it is; a vendor's "undefined" is null.
"""
import io
import re

import databento_dbn as dbn
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1
UINT32_MAX = 2**32 - 1
# Columns lode adds: what they hold is checked apart.
DERIVED = {"root", "is_spread", "date", "source_file", "source_row", "_extra"}
SIZE_COLUMN = re.compile(r"^(size|(bid|ask)_sz_\d\d|.*_qty)$")


def decompress(data):
    """Bytes of a file, out of zstd when it is zstd (any number of frames)."""
    if data[:4] == b"\x28\xb5\x2f\xfd" or (data[1:4] == b"\x2a\x4d\x18" and data[:1] >= b"\x50"):
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            return stream.read()
    return data


def transcode(data, encoding, *, pretty_px=False, pretty_ts=False, map_symbols=True, has_metadata=True, version=None,
              schema=None, as_is=False):
    """Text of DBN bytes as the vendor's own package writes it."""
    out = io.BytesIO()
    coder = dbn.Transcoder(
        out, encoding=encoding, compression=dbn.Compression.NONE, pretty_px=pretty_px, pretty_ts=pretty_ts,
        map_symbols=map_symbols, has_metadata=has_metadata, input_version=version,
        schema=dbn.Schema.from_str(schema) if schema else None,
        upgrade_policy=dbn.VersionUpgradePolicy.AS_IS if as_is else dbn.VersionUpgradePolicy.UPGRADE_TO_V3)
    coder.write(data)
    coder.flush()
    coder.finish()
    return out.getvalue()


def text_frame(csv_bytes):
    """A CSV as polars reads it, every column still text."""
    if not csv_bytes.strip():
        return pl.DataFrame()
    return pl.read_csv(io.BytesIO(csv_bytes), infer_schema=False).with_columns(pl.all().fill_null(""))


def bronze(folder):
    """All partitions of a dataset as one Arrow table, in file order."""
    files = sorted(folder.rglob("*.parquet"))
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]) if files else None


def plain_column(column, field):
    """A column of lode's Parquet in plain form."""
    if pa.types.is_decimal(field.type):
        wide = column.cast(pa.decimal128(38, 9)).combine_chunks()
        if isinstance(wide, pa.ChunkedArray):
            wide = wide.chunk(0) if wide.num_chunks else pa.array([], pa.decimal128(38, 9))
        units = np.frombuffer(wide.buffers()[1], dtype="<i8", count=2 * (len(wide) + wide.offset))[::2][wide.offset:]
        return pl.Series(field.name, pa.array(units, mask=np.asarray(wide.is_null())))
    if pa.types.is_timestamp(field.type):
        factor = {"us": 1_000, "ns": 1}[field.type.unit]
        return pl.Series(field.name, column.cast(pa.int64())) * factor
    series = pl.Series(field.name, column)
    return series.cast(pl.UInt64) if field.type == pa.uint64() else series.cast(pl.Int64) if series.dtype.is_integer() else series


def oracle_column(text, field):
    """A column of the oracle's text in plain form, by the type lode declares for it and the documented null rules."""
    name = field.name
    if pa.types.is_decimal(field.type):
        # "-12.340000000" always has nine decimals; without a point it is already in units.
        units = text.str.replace(".", "", literal=True).replace("", None).cast(pl.Int64)
        return units.set(units == INT64_MAX, None)
    if pa.types.is_timestamp(field.type):
        text = text.replace("", None)
        if text.str.contains("T", literal=True).any():
            return text.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.9f", time_unit="ns").cast(pl.Int64)
        stamps = text.cast(pl.UInt64)
        return stamps.set(stamps == UINT64_MAX, None).cast(pl.Int64)
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        return text.replace("", None) if field.nullable else text
    if field.type == pa.uint64():
        return text.cast(pl.UInt64)
    numbers = text.cast(pl.Int64)
    if SIZE_COLUMN.match(name):
        return numbers.set(numbers == UINT32_MAX, None)
    if name == "quantity":
        return numbers.set(numbers == INT64_MAX, None)
    return numbers


def compare(table, oracle, *, keyed, lacking=()):
    """Differences between lode's table and the oracle's text frame, as a list of lines. `lacking`: columns the oracle has
    no values for, which must be null."""
    rows = 0 if table is None else table.num_rows
    if rows != oracle.height:
        return [f"{rows} rows, the oracle has {oracle.height}"]
    if rows == 0:
        return []
    fields = [field for field in table.schema if field.name not in DERIVED]
    unknown = set(oracle.columns) - {field.name for field in fields} - ({"rtype"} if keyed else set())
    if unknown:
        return [f"columns of the vendor that lode's table lacks: {sorted(unknown)}"]
    mine, theirs, problems = {}, {}, []
    for field in fields:
        mine[field.name] = plain_column(table[field.name], field)
        if field.name in oracle.columns:
            theirs[field.name] = oracle_column(oracle[field.name], field)
        elif field.name in lacking:
            theirs[field.name] = pl.Series(field.name, [None] * rows, dtype=mine[field.name].dtype)
        else:
            problems.append(f"column {field.name}: the oracle has none, and nothing says it may be null")
    if problems:
        return problems
    left, right = pl.DataFrame(mine), pl.DataFrame(theirs)
    if keyed:
        order = ["instrument_id", "ts_event", "publisher_id", "symbol"]
        right = right.sort(order, nulls_last=False, maintain_order=True)
        left = left.sort(order, nulls_last=False, maintain_order=True)
    else:
        left = left.with_columns(pl.Series("~row", table["source_row"])).sort("~row").drop("~row")
    for name in left.columns:
        a, b = left[name], right[name]
        if a.dtype != b.dtype:
            b = b.cast(a.dtype)
        if not a.equals(b, null_equal=True):
            at = int((a.ne_missing(b)).arg_max())
            problems.append(f"column {name}: row {at}: lode has {a[at]!r}, the oracle {b[at]!r}"
                            f" ({int(a.ne_missing(b).sum())} rows differ)")
    return problems + derived_problems(table)


def derived_problems(table):
    """Columns lode adds: the day, the spread flag, the root."""
    problems = []
    names = table.schema.names
    if "date" in names and "ts_event" in names:
        days = pl.Series(table["ts_event"]).cast(pl.Date)
        if not days.equals(pl.Series(table["date"]), null_equal=True):
            problems.append("column date is not the UTC day of ts_event")
    if "is_spread" in names:
        symbols = pl.Series("symbol", table["symbol"])
        expected = symbols.str.contains(r"[-:]")
        if not expected.equals(pl.Series("is_spread", table["is_spread"]), null_equal=True):
            at = int(expected.ne_missing(pl.Series(table["is_spread"])).arg_max())
            problems.append(f"column is_spread: {symbols[at]!r} is {table['is_spread'][at].as_py()}")
    if "_extra" in names and table["_extra"].null_count != table.num_rows:
        problems.append("column _extra: lode found keys it does not know")
    return problems
