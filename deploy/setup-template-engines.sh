#!/usr/bin/env bash
# Installs the template engines that ours are compared with, once, under target/. Prints the Python that has them.
set -euo pipefail

cd "$(dirname "$0")/.."
folder=${CARGO_TARGET_DIR:-target}/template-engines
python=$folder/bin/python
packages=(Jinja2==3.1.6 MarkupSafe==3.0.2 chevron==0.14.0)

mkdir -p "$folder"
exec 9> "$folder.lock"
flock 9
if ! "$python" -c 'import chevron, jinja2; assert jinja2.__version__ == "3.1.6"' 2> /dev/null; then
    python3 -m venv "$folder" >&2
    "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
fi
realpath --no-symlinks "$python"
