#!/usr/bin/env bash
# dotprompt 1.1.2 (npm) and dotpromptz 0.2.0 (PyPI): `input.default` in the head of a file counts in one of them only.
#
# Expected: both official implementations render the same `.prompt` file alike, with the default where a value is missing.
# Seen: JavaScript's `render()` ignores the default of the head and writes nothing; Python's applies it. No error in either.
# Why it matters: a file that works in one language sends a hole to the model in the other. Who exports `.prompt` files cannot
#       rely on the default.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dotpromptz==0.2.0
(cd "$folder" && npm init --yes > /dev/null && npm install --silent --no-fund --no-audit dotprompt@1.1.2)
printf -- '---\ninput:\n  default:\n    name: Bob\n---\nHello {{name}}!\n' > "$folder/hello.prompt"
cat > "$folder/render.mjs" <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { Dotprompt } from "dotprompt";

const rendered = await new Dotprompt().render(readFileSync("hello.prompt", "utf8"), { input: {} });
console.log(rendered.messages[0].content[0].text.trim());
JAVASCRIPT
cat > "$folder/render.py" <<'PYTHON'
import asyncio, pathlib
from dotpromptz.dotprompt import Dotprompt
from dotpromptz.typing import DataArgument

source = pathlib.Path("hello.prompt").read_text()
rendered = asyncio.run(Dotprompt().render(source, DataArgument(input={})))
print(rendered.messages[0].content[0].text.strip())
PYTHON
javascript=$(cd "$folder" && node render.mjs)
python=$(cd "$folder" && venv/bin/python render.py)
printf 'JavaScript: %s\nPython:     %s\n' "$javascript" "$python"
[ "$javascript" = "Hello !" ] && [ "$python" = "Hello Bob!" ]
