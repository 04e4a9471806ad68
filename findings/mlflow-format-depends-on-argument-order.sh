#!/usr/bin/env bash
# mlflow-skinny 3.17.2: what a prompt is filled with depends on the order of the keyword arguments.
#
# Expected: `format()` fills each placeholder of the template once; a value is text, whatever stands in it, and Python's keyword
#       arguments have no order that matters.
# Seen: values are filled one after another into the text so far. A value that holds `{{other}}` is filled again if `other` is
#       given after it, and left alone if it is given before it.
# Why it matters: values come from users and documents, which may well hold double braces. (3.18.0 fills once.)
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2
"$folder/venv/bin/python" - <<'PYTHON'
from mlflow.entities.model_registry.prompt_version import PromptVersion

prompt = PromptVersion(name="p", version=1, template="Summarise: {{text}} For: {{reader}}")
last = prompt.format(text="Use {{reader}} in templates.", reader="Ann")
first = prompt.format(reader="Ann", text="Use {{reader}} in templates.")
print("reader last: ", last)
print("reader first:", first)
assert last == "Summarise: Use Ann in templates. For: Ann"
assert first == "Summarise: Use {{reader}} in templates. For: Ann"
PYTHON
