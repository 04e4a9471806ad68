#!/usr/bin/env bash
# install-tool.sh NAME VERSION: installs a cargo tool, where this version of it is missing.
set -euo pipefail
name=$1 version=$2
# A subcommand answers `cargo NAME --version`; some print other lines before it.
if "$name" "${name#cargo-}" --version 2> /dev/null | grep -qF "$version" ||
    "$name" --version 2> /dev/null | grep -qF "$version"; then
    exit 0
fi
echo "Installing $name $version (once; a few minutes)"
# Without optimisation it builds in half the time, and it runs for seconds.
cargo install --quiet --locked --debug --version "$version" "$name"
