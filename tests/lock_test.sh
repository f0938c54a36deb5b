#!/usr/bin/env bash
# What is fetched is pinned, and no committed file names a machine: every line of third_party.lock has a SHA-256, and
# scripts and code carry no registry address and no path of a developer's machine.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bad=$(grep -vE '^(#|(arrow|sdist|npm|tool|oracle) [^ ]+ [^ ]+ [0-9a-f]{64}$)' third_party.lock || true)
[[ -z $bad ]] || { echo "third_party.lock, not pinned:"; echo "$bad"; exit 1; }
# Written so that this line does not match itself.
if grep -nE 'https?://[^ "]*([p]ypi|[n]pmjs|[d]ebian|[p]ythonhosted|[r]egistry)|[i]ndex-url|/(home|root|work)[/]' -r setup demo test .ci \
  cmake CMakeLists.txt CMakePresets.json src tests bench; then
  echo "the lines above name a registry or a machine's path"
  exit 1
fi
echo "pinned: $(grep -vc '^#' third_party.lock) packages; no registry or machine named"
