#!/usr/bin/env bash
# Prints how many lines of each crate the tests reach. What happens in processes of their own is not counted, so most
# tests that start some are left out, and the others start the ordinary binaries.
set -euo pipefail
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/coverage
mkdir -p "$out"
cargo build --locked --package api --package worker --bins
export TEST_BINARIES=$target/debug
cargo tarpaulin --locked --engine llvm --skip-clean --workspace \
    --exclude-files 'tests/*' --exclude-files '*/build.rs' --target-dir "$out/target" \
    --out Json --output-dir "$out" --timeout 300 -- --skip processes:: --skip readme:: --skip tidy:: \
    > "$out/log.txt" 2>&1 || { tail -30 "$out/log.txt" >&2; exit 1; }
python3 - "$out/tarpaulin-report.json" <<'PY'
import collections, json, sys
lines = collections.defaultdict(lambda: [0, 0])
for file in json.load(open(sys.argv[1]))["files"]:
    path = "/".join(file["path"])
    for crate in ("shared", "worker", "api"):
        if f"/{crate}/src/" in path:
            lines[crate][0] += file["covered"]
            lines[crate][1] += file["coverable"]
for crate, (covered, coverable) in sorted(lines.items()):
    print(f"{crate:8} {100 * covered / coverable:5.1f} %  ({covered} of {coverable} lines)")
PY
