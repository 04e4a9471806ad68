#!/usr/bin/env bash
# langfuse 5.0.4 (PyPI) and @langfuse/client 5.11.1 (npm): one prompt, two official clients, two texts.
#
# Expected: `compile()` of the same stored prompt with the same variables is the same text in both.
# Seen: Python replaces names and leaves all else; JavaScript runs Mustache. A JSON object in double braces is erased by
#       JavaScript and kept by Python; a missing variable is erased or kept; dotted names, sections and truth values differ.
# Why it matters: who serves these clients from another registry cannot preview "the" filled prompt, and has to store the
#       template byte for byte.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langfuse==5.0.4
(cd "$folder" && npm init --yes > /dev/null && npm install --silent --no-fund --no-audit @langfuse/client@5.11.1)
cat > "$folder/cases.json" <<'JSON'
[["Form: {{\"a\": 1}}", {}], ["Hi {{name}}!", {}], ["{{user.name}}", {"user": {"name": "Ann"}}],
 ["{{#vip}}Be kind.{{/vip}}", {"vip": true}], ["{{flag}}", {"flag": true}]]
JSON
cat > "$folder/fill.py" <<'PYTHON'
import json, sys
from langfuse.model import Prompt_Text, TextPromptClient

def fill(text, values):
    prompt = Prompt_Text(name="p", version=1, prompt=text, config={}, labels=[], tags=[], type="text")
    return TextPromptClient(prompt).compile(**values)

print(json.dumps([fill(*case) for case in json.load(open(sys.argv[1]))]))
PYTHON
cat > "$folder/fill.mjs" <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { TextPromptClient } from "@langfuse/client";

const fill = ([prompt, values]) =>
  new TextPromptClient({ name: "p", version: 1, prompt, config: {}, labels: [], tags: [], type: "text" }).compile(values);
console.log(JSON.stringify(JSON.parse(readFileSync(process.argv[2])).map(fill)));
JAVASCRIPT
python=$("$folder/venv/bin/python" "$folder/fill.py" "$folder/cases.json")
javascript=$(cd "$folder" && node fill.mjs cases.json)
printf 'Python:     %s\nJavaScript: %s\n' "$python" "$javascript"
[ "$python" = '["Form: {{\"a\": 1}}", "Hi {{name}}!", "{{user.name}}", "{{#vip}}Be kind.{{/vip}}", "True"]' ]
[ "$javascript" = '["Form: ","Hi !","Ann","Be kind.","true"]' ]
