#!/usr/bin/env bash
# libparquet exports simdjson symbols of another version; if lode's copy had the same names, one of the two would run
# the other's code and crash. So ours must live in its own namespace and be exported by nothing.
# usage: simdjson_private_test.sh BUILD_DIR
set -euo pipefail
build=$1
archive=$build/liblode_simdjson.a
ours=$(nm -C --defined-only "$archive" 2>/dev/null | grep -c ' [TWVDBRu] lode_simdjson::' || true)
((ours > 0)) || { echo "no lode_simdjson symbols in $archive: was it renamed?"; exit 1; }
# Mangled names carry the namespace with its length: "8simdjson" is the library's own, "13lode_simdjson" ours.
if nm --defined-only "$archive" | grep -E ' [TWVu] .*[^0-9]8simdjson' | head -5 | grep .; then
  echo "symbols above are in simdjson's own namespace"; exit 1
fi
if [[ -e $build/lode ]] && nm -DC --defined-only "$build/lode" | grep -i simdjson | head -5 | grep .; then
  echo "lode exports the simdjson symbols above"; exit 1
fi
echo "simdjson is private: $ours symbols under lode_simdjson, none exported"
