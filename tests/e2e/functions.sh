# What the cases' commands may use beside lode itself; bash reads it before every command.

# Everything below a folder that must not change: names, sizes, modes, inodes, times, contents.
listing() {
  (cd "$1" && find . -printf '%P %y %s %m %i %T@\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum)
}

# What the tables hold, whatever the names of files: all bronze files by their content.
bronze_hash() { (cd "$1/bronze" && find . -name '*.parquet' -print0 | sort -z | xargs -0r sha256sum) | sha256sum | cut -c1-16; }

# flip_bit FILE [BYTE]: one bit of a file, its time left as it was.
flip_bit() {
  python3 - "$@" <<'PYTHON'
import os, sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
at = int(sys.argv[2]) if len(sys.argv) > 2 else len(data) // 2
data[at] ^= 4
before = os.stat(path)
with open(path, "r+b") as file:
    file.write(data)
os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
PYTHON
}

# forge DATASET PARTITION SQL: a partition becomes the rows of the SQL, which may read `old`; its receipt says the new
# file's size and hash, and the old number of rows.
forge() {
  local file=$LAKE/bronze/$1/$2
  lode --lake "$LAKE" --quiet query "COPY (WITH old AS (SELECT * FROM read_parquet('$file', hive_partitioning = false)) $3) TO '$WORK/forged.parquet' (FORMAT parquet)" > /dev/null
  python3 - "$LAKE/receipts/$1" "$2" "$file" "$WORK/forged.parquet" <<'PYTHON'
import hashlib, json, os, pathlib, sys
receipts, partition, file, forged = sys.argv[1:]
new = open(forged, "rb").read()
for path in sorted(pathlib.Path(receipts).glob("*.json"), reverse=True):
    text = path.read_text()
    old = [row for row in json.loads(text)["partitions"] if row["path"] == partition]
    if old:
        break
body = text[: text.rindex(',\n"sha256":"')]
body = body.replace(f'"sha256":"{old[0]["sha256"]}","size":{old[0]["size"]}', f'"sha256":"{hashlib.sha256(new).hexdigest()}","size":{len(new)}')
path.write_text(f'{body},\n"sha256":"{hashlib.sha256(body.encode()).hexdigest()}"}}\n')
os.replace(forged, file)
PYTHON
  lode --lake "$LAKE" --quiet ledger rebuild
}

# No temporary and no lock content is left behind.
leftovers() { find "$1/.lode/tmp" -type f 2>/dev/null; find "$1" -name '*.tmp' -o -name '*.partial'; }

# Runs a command where the kernel lets us make mounts of our own, else skips the case.
in_own_mounts() { unshare --mount true 2>/dev/null || { echo "SKIP: no mounts here"; return 0; }; unshare --mount bash -c "$1"; }

# Waits until an import of a dataset has its first temporary: it holds the lock and is in the middle of its work.
wait_for_work() {
  local i
  for ((i = 0; i < 3000; ++i)); do
    [[ -n $(find "$LAKE/.lode/tmp/$1" -type f 2>/dev/null | head -n 1) ]] && return
    sleep 0.01
  done
  echo "no work seen on $1"
}

# SQL over the tables of lake.duckdb, attached as w, and the datasets' views.
warehouse() { lode --lake "$LAKE" query --csv "ATTACH '$LAKE/lake.duckdb' AS w (READ_ONLY); $1"; }

# Runs a command while another program holds lake.duckdb.
holding_duckdb() {
  lode --lake "$LAKE" --quiet query "ATTACH '$LAKE/lake.duckdb' AS w; SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range < b.range" > /dev/null 2>&1 &
  local holder=$! i
  for ((i = 0; i < 3000; ++i)); do
    grep -q "$(stat -c %i "$LAKE/lake.duckdb")" /proc/locks && break
    sleep 0.01
  done
  "$@"
  local code=$?
  kill $holder
  wait $holder 2>/dev/null
  return $code
}

# import_bad VENDOR CASE…: each case's file into a lake of its own; its exit code, its rows and what was put aside.
import_bad() {
  local vendor=$1 name code
  shift
  for name; do
    code=0
    lode --lake "lake_$name" --quiet import "$FIXTURES/bad/vendors/$vendor/$name" --dataset bad || code=$?
    echo "$name: exit $code, $(find "lake_$name/bronze" -name '*.parquet' | wc -l) partitions"
    find "lake_$name/quarantine" -name '*.ndjson' -exec cat {} + 2>/dev/null
  done
  return 0
}

# start_sim [OPTION…]: a vendor simulator (tests/vendor/README.md) that this and all later commands of the case ask.
start_sim() {
  mkdir -p "$WORK/.sim"
  [[ " $* " == *" --today "* ]] || set -- --today 2024-03-05 "$@"
  setsid "$LODE_VENDOR_SIM" --port-file "$WORK/.sim/port" --foreign-port-file "$WORK/.sim/foreign" --log "$WORK/.sim/log" \
    --key db-ABCDEFGHJKLMNPQRSTUVWXYZ23456 "$@" > "$WORK/.sim/out" 2>&1 < /dev/null &
  echo $! > "$WORK/.sim/pid"
  local i
  for ((i = 0; i < 1000; ++i)); do
    [[ -e $WORK/.sim/port ]] && return
    sleep 0.02
  done
  echo "the simulator did not start: $(cat "$WORK/.sim/out")"
}
if [[ -e $WORK/.sim/port ]]; then
  export LODE_SOURCES_DATABENTO_BASE_URL=http://127.0.0.1:$(<"$WORK/.sim/port")/v0
  export LODE_SOURCES_FRED_BASE_URL=http://127.0.0.1:$(<"$WORK/.sim/port")/fred FRED_API_KEY=0123456789abcdef0123456789abcdef
  export LODE_SOURCES_POLYGON_BASE_URL=http://127.0.0.1:$(<"$WORK/.sim/port") POLYGON_API_KEY=polygon-rest-key-0123456789
  export LODE_SOURCES_TARDIS_API_URL=http://127.0.0.1:$(<"$WORK/.sim/port")/v1 LODE_SOURCES_TARDIS_DATASETS_URL=http://127.0.0.1:$(<"$WORK/.sim/port")/v1
  export TARDIS_API_KEY=${TARDIS_API_KEY-db-ABCDEFGHJKLMNPQRSTUVWXYZ23456}
  export LODE_SOURCES_POLYGON_S3_ENDPOINT=http://127.0.0.1:$(<"$WORK/.sim/port")
  export POLYGON_S3_KEY_ID=flat-files-key-id POLYGON_S3_SECRET=db-ABCDEFGHJKLMNPQRSTUVWXYZ23456
  export DATABENTO_API_KEY=db-ABCDEFGHJKLMNPQRSTUVWXYZ23456 LODE_HTTP_WAITS=${LODE_HTTP_WAITS:-3,5,20,20000}
fi

# sim ACTION [JSON]: a control of the simulator.
sim() { curl -sS "http://127.0.0.1:$(<"$WORK/.sim/port")/_sim/$1" ${2:+-d "$2"}; }

# What the vendor was asked for since the last time.
asked() {
  sim counts | jq -r '"\(.data_requests) data requests, \(.whole_responses) whole, \([.cells[][] | .deliveries] | add // 0) cells, \(.cells_repeated) twice"'
  curl -sS -X DELETE "http://127.0.0.1:$(<"$WORK/.sim/port")/_sim/counts" > /dev/null
}

# declare_lines NAME SOURCE LINE…: a dataset, into the lake's lode.toml.
declare_lines() {
  mkdir -p "$LAKE"
  printf '%s\n' "[datasets.$1]" "source = \"$2\"" "${@:3}" >> "$LAKE/lode.toml"
}
listed() { echo "[\"${1//,/\", \"}\"]"; }

# Datasets of each source; symbols and series by commas, further lines behind.
# declare_dataset NAME SCHEMA STYPE SYMBOLS START, of Databento
declare_dataset() {
  declare_lines "$1" databento 'dataset = "GLBX.MDP3"' "schema = \"$2\"" "stype_in = \"$3\"" "symbols = $(listed "$4")" "start = $5" "${@:6}"
}
# declare_fred NAME SERIES
declare_fred() { declare_lines "$1" fred "series = $(listed "$2")" "${@:3}"; }
# declare_rest NAME TABLE START, of Polygon's REST API
declare_rest() { declare_lines "$1" polygon "rest = \"$2\"" "start = $3" "${@:4}"; }
# declare_tardis NAME EXCHANGE DATA_TYPE SYMBOLS START
declare_tardis() {
  declare_lines "$1" tardis "exchange = \"$2\"" "data_type = \"$3\"" "symbols = $(listed "$4")" "start = $5" "${@:6}"
}
# declare_flat_file NAME FLAT_FILE START, of Polygon
declare_flat_file() { declare_lines "$1" polygon "flat_file = \"$2\"" "start = $3" "${@:4}"; }

# Bronze of the lake against that of a fresh one that is synced now, with the same words.
same_as_fresh() {
  mkdir -p "$WORK/fresh"
  cp "$LAKE/lode.toml" "$WORK/fresh"
  lode --lake "$WORK/fresh" --quiet sync "$@"
  diff <(cd "$LAKE/bronze" && find . -type f -print0 | sort -z | xargs -0 sha256sum) \
    <(cd "$WORK/fresh/bronze" && find . -type f -print0 | sort -z | xargs -0 sha256sum) && echo "as a fresh lake's"
}

# days_since DAY: `clean --keep-days` of it keeps that day and those after.
days_since() { echo $(($(date -u +%s) / 86400 - $(date -u -d "$1" +%s) / 86400)); }
# Changes a byte of the first file that a running sync keeps of DATASET, the size as before.
change_fetched() {
  until ls "$LAKE/.lode/fetch/$1"/*.json > /dev/null 2>&1; do sleep 0.02; done
  local sidecars=("$LAKE/.lode/fetch/$1"/*.json)
  printf x | dd of="${sidecars[0]%.json}.data" bs=1 seek=60 conv=notrunc status=none
}
