"""Polygon's and Tardis' files as polars and DuckDB read them, and what lode derives from them computed once more.

Nothing here asks lode what a column is: types follow from the vendors' column names.
"""
import datetime
import gzip
import re
import zoneinfo

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import frames

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
TEXT = {"ticker", "conditions", "indicators", "id", "symbol", "side", "type", "underlying_index"}
NANOSECONDS = {"window_start", "sip_timestamp", "participant_timestamp", "trf_timestamp"}
MICROSECONDS = {"timestamp", "local_timestamp", "funding_timestamp", "expiration"}
INTEGERS = {"transactions", "correction", "ask_exchange", "bid_exchange", "sequence_number", "tape", "trf_id"}
ZERO_IS_ABSENT = {"participant_timestamp", "trf_timestamp"}
COMPUTED = ("session_date", "underlying", "expiry", "option_type", "strike")
DUCKDB_TYPES = {pl.String: "VARCHAR", pl.Int64: "BIGINT", pl.Float64: "DOUBLE", pl.Boolean: "BOOLEAN"}


def type_of(column, columns):
    if column == "exchange":
        return pl.String if "local_timestamp" in columns else pl.Int64
    if column == "is_snapshot":
        return pl.Boolean
    if column in TEXT:
        return pl.String
    return pl.Int64 if column in NANOSECONDS | MICROSECONDS | INTEGERS else pl.Float64


def text_of(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def schema_of(text):
    columns = text.split(b"\n", 1)[0].decode().split(",")
    return {column: type_of(column, columns) for column in columns}


def polars_reads(path):
    text = text_of(path)
    return pl.read_csv(text, schema=schema_of(text)) if text else None


def duckdb_reads(path):
    text = text_of(path)
    if not text:
        return None
    columns = ", ".join(f"'{name}': '{DUCKDB_TYPES[kind]}'" for name, kind in schema_of(text).items())
    query = f"FROM read_csv('{path}', columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', quote = '\"')"
    return pl.from_arrow(duckdb.connect().sql(query).to_arrow_table())


def kept_name(path):
    """The name lode keeps a file under, as docs/layout.md says: what the folders say goes into it."""
    parts = path.parts
    if re.fullmatch(r"\d{4}-\d\d-\d\d\.csv(\.gz)?", path.name) and len(parts) >= 5:
        return "-".join((parts[-5], parts[-4], path.name))
    if len(parts) >= 6 and re.fullmatch(r"\d{4}/\d\d/\d\d", "/".join(parts[-4:-1])):
        return f"{parts[-6]}_{parts[-5]}_{'-'.join(parts[-4:-1])}_{path.name}"
    return path.name


def oracle(paths, read):
    """All rows of the files in plain form, with the file and row they come from."""
    parts = []
    for path in paths:
        rows = read(path)
        if rows is not None and rows.height:
            parts.append(plain(rows).with_columns(source_file=pl.lit(kept_name(path)),
                                                  source_row=pl.int_range(rows.height, dtype=pl.Int64)))
    return pl.concat(parts) if parts else None


def plain(rows):
    rows = rows.with_columns(pl.col(name).replace(0, None) for name in ZERO_IS_ABSENT & set(rows.columns))
    rows = rows.with_columns(pl.col(name) * 1_000 for name in MICROSECONDS & set(rows.columns))
    return rows.rename({name: re.sub(r"[\[\].]+", "_", name) for name in rows.columns})


def computed(rows):
    """The columns lode adds to Polygon's rows."""
    if "ticker" not in rows.columns:
        return {}
    clock = "window_start" if "window_start" in rows.columns else "sip_timestamp"
    values = {"session_date": [datetime.datetime.fromtimestamp(ns // 10**9, NEW_YORK).date() for ns in rows[clock]]}
    if rows["ticker"].str.starts_with("O:").any():
        contracts = [re.fullmatch(r"O:([A-Z0-9.]{1,6})(\d\d)(\d\d)(\d\d)([CP])(\d{8})", ticker).groups() for ticker in rows["ticker"]]
        values["underlying"] = [c[0] for c in contracts]
        values["expiry"] = [datetime.date(2000 + int(c[1]), int(c[2]), int(c[3])) for c in contracts]
        values["option_type"] = [c[4] for c in contracts]
        values["strike"] = [int(c[5]) / 1_000 for c in contracts]
    return {name: pl.Series(name, column) for name, column in values.items()}


def same(mine, theirs):
    """Rows that differ; floating point by its bits."""
    if mine.dtype == pl.Float64 and theirs.dtype == pl.Float64:
        bits = lambda series: pl.Series(series.fill_null(0.0).to_numpy().view(np.int64))
        return (bits(mine) != bits(theirs)) | (mine.is_null() != theirs.is_null())
    return mine.ne_missing(theirs.cast(mine.dtype))


def compare(folder, rows):
    """Differences between a dataset's Parquet and the oracle's rows (None: there are none), as a list of lines."""
    table = frames.bronze(folder) if folder.exists() else None
    count, wanted = (0 if table is None else table.num_rows), (0 if rows is None else rows.height)
    if count != wanted:
        return [f"{count} rows, the oracle has {wanted}"]
    if count == 0:
        return []
    mine = pl.DataFrame({field.name: frames.plain_column(table[field.name], field) for field in table.schema})
    keyed = "source_row" not in mine.columns
    order = ["ticker", "window_start"] if keyed else ["source_file", "source_row"]
    rows = rows.drop("source_file", "source_row") if keyed else rows
    rows = rows.with_columns(**computed(rows)).sort(order)
    lacking, unknown = set(rows.columns) - set(mine.columns), set(mine.columns) - set(rows.columns) - {"_extra"}
    if lacking or unknown:
        return [f"columns: lode lacks {sorted(lacking)}, only lode has {sorted(unknown)}"]
    problems = order_problems(folder, order) + place_problems(folder)
    if mine["_extra"].null_count() != count:
        problems.append("column _extra: lode found columns it does not know")
    mine = mine.sort(order)
    for name in rows.columns:
        differs = same(mine[name], rows[name])
        if differs.any():
            at = int(differs.arg_max())
            problems.append(f"column {name}: row {at}: lode has {mine[name][at]!r}, the oracle {rows[name][at]!r}"
                            f" ({int(differs.sum())} rows differ)")
    return problems


def order_problems(folder, order):
    problems = []
    for file in sorted(folder.rglob("*.parquet")):
        keys = pl.from_arrow(pq.ParquetFile(file).read(order))
        if not keys.equals(keys.sort(order, maintain_order=True)):
            problems.append(f"{file.name}: not ordered by {', '.join(order)}")
    return problems


def place_problems(folder):
    """Each row lies in the partition of its day."""
    problems = []
    for file in sorted(folder.rglob("*.parquet")):
        place = re.search(r"(?:day|month)=([\d-]+)", str(file.relative_to(folder))).group(1)
        table = pq.ParquetFile(file).read()
        clock = table["session_date"] if "session_date" in table.schema.names else table["local_timestamp"]
        days = pl.Series(clock.cast(pa.date32())).dt.strftime("%Y-%m-%d").str.slice(0, len(place)).unique().to_list()
        if days != [place]:
            problems.append(f"{file.relative_to(folder)} holds rows of {days}")
    return problems
