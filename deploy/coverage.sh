#!/usr/bin/env bash
# Prints how many lines of each crate the tests reach. Processes the tests start are counted too.
set -euo pipefail
out=${CARGO_TARGET_DIR:-target}/coverage
mkdir -p "$out"
# The binaries that the tests start, and the tests, are built with the same instruments.
cargo tarpaulin --locked --engine llvm --follow-exec --skip-clean --workspace --exclude tests \
    --packages shared --packages worker --packages api --packages tests \
    --exclude-files 'tests/*' --exclude-files '*/build.rs' \
    --target-dir "$out/target" --out Json --output-dir "$out" --timeout 300 -- "$@" > "$out/log.txt" 2>&1 ||
    { tail -30 "$out/log.txt" >&2; exit 1; }
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
