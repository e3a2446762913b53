#!/usr/bin/env bash
# Writes requirements/runtime.txt and requirements/test.txt anew from pyproject.toml; needs uv.
# Every package is pinned by version and hash. No line names an index: installers use the one they are set up with.
# A checkout has the extras that `simulate` can use.
# Give `--upgrade` to take newer versions; without it only what pyproject.toml forces is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--generate-hashes --universal --python-version 3.11 --fork-strategy fewest --no-annotate --no-header
  --no-emit-index-url --no-emit-find-links --quiet "$@")
uv pip compile pyproject.toml --extra cluster "${options[@]}" --output-file requirements/runtime.txt
uv pip compile pyproject.toml --group dev --constraint requirements/runtime.txt "${options[@]}" \
  --output-file requirements/test.txt
