#!/usr/bin/env bash
# arize-phoenix-client 3.5.0 (PyPI) and @arizeai/phoenix-client 6.14.2 (npm): doubled braces of an F_STRING prompt.
#
# Expected: `{{` stands for one brace in a format called F_STRING, in every client.
# Seen: Python's client writes one brace, JavaScript's leaves both. A JSON example reaches the model as `{{"a": "1"}}` there.
# Why it matters: the same stored prompt is right in one service and wrong in the other; an importer has to know which of
#       them the prompt was written for.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check arize-phoenix-client==3.5.0
(cd "$folder" && npm init --yes > /dev/null && npm install --silent --no-fund --no-audit @arizeai/phoenix-client@6.14.2)
cat > "$folder/fill.mjs" <<'JAVASCRIPT'
import { formatPromptMessages } from "./node_modules/@arizeai/phoenix-client/dist/esm/utils/formatPromptMessages.js";

const messages = [{ role: "user", content: 'Answer {{"a": "{x}"}}' }];
console.log(formatPromptMessages("F_STRING", messages, { x: "1" })[0].content);
JAVASCRIPT
javascript=$(cd "$folder" && node fill.mjs)
python=$("$folder/venv/bin/python" -c '
from phoenix.client.utils.template_formatters import FStringBaseTemplateFormatter as FString
print(FString().format("Answer {{\"a\": \"{x}\"}}", variables={"x": "1"}))')
printf 'JavaScript: %s\nPython:     %s\n' "$javascript" "$python"
[ "$javascript" = 'Answer {{"a": "1"}}' ] && [ "$python" = 'Answer {"a": "1"}' ]
