#!/usr/bin/env bash
# lode's S3 client against s3s-fs, which checks signatures and conditions: tests/net/s3_server_test.sh PROBE
#
# Needs cargo, to install s3s-fs once into third_party/s3s (minutes); S3S_FS names one that is there already. Without
# either it says so and passes. Run by ./test --full.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
probe=${1:?PROBE}
server=${S3S_FS:-third_party/s3s/bin/s3s-fs}
if [[ ! -x $server ]]; then
  if ! command -v cargo >/dev/null; then
    echo "note: no cargo: the S3 client was not tried against a real server"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  fi
  cargo install --quiet --locked --features binary --root third_party/s3s s3s-fs@0.14.1
fi
folder=$(mktemp -d)
pid=""
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null || true; rm -rf "$folder" "$folder.log"' EXIT
mkdir "$folder/bucket"
port=$((20000 + RANDOM % 20000))
"$server" --host 127.0.0.1 --port $port --access-key testkey123 --secret-key testsecret123 "$folder" >"$folder.log" 2>&1 &
pid=$!
for _ in {1..100}; do
  (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break
  kill -0 $pid 2>/dev/null || { cat "$folder.log"; exit 1; }
  sleep 0.05
done
"$probe" "http://127.0.0.1:$port" bucket testkey123 testsecret123
