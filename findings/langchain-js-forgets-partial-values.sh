#!/usr/bin/env bash
# @langchain/core 1.4.0 (npm): a prompt loses its partial values when it is written as JSON.
#
# Expected: `partial({ day: "Monday" })` sets a value; the JSON of the prompt holds it, as Python's does (`partial_variables`).
# Seen: the JSON says `input_variables: ["name"]` and has neither the value nor the name `day`, though the template still
#       holds `{day}`. Read in Python, `day` is a variable that must be given, and the value is gone.
# Why it matters: whoever imports such files loses a part of the prompt that no reader can restore; an importer must report a
#       placeholder that is in the text but not among the inputs.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-core==1.8.3
(cd "$folder" && npm init --yes > /dev/null && npm install --silent --no-fund --no-audit @langchain/core@1.4.0)
cat > "$folder/write.mjs" <<'JAVASCRIPT'
import { PromptTemplate } from "@langchain/core/prompts";

const prompt = new PromptTemplate({ template: "{day}: {name}", inputVariables: ["day", "name"] });
const partial = await prompt.partial({ day: "Monday" });
console.error("in memory:", await partial.format({ name: "Ann" }));
console.log(JSON.stringify(partial));
JAVASCRIPT
(cd "$folder" && node write.mjs > prompt.json)
cat "$folder/prompt.json"
"$folder/venv/bin/python" - "$folder/prompt.json" 2> /dev/null <<'PYTHON'
import json, sys
from langchain_core.load import load

stored = json.load(open(sys.argv[1]))
assert "partial_variables" not in stored["kwargs"] and stored["kwargs"]["input_variables"] == ["name"], stored
read = load(stored)
print("read in Python:", read.input_variables, read.partial_variables)
assert sorted(read.input_variables) == ["day", "name"] and not read.partial_variables
PYTHON
