#!/usr/bin/env bash
# mlflow-skinny 3.17.2: `to_single_brace_format()` makes a text that `str.format` cannot fill.
#
# Expected: the method is there to hand a prompt to f-string tools such as LangChain, so literal braces come out doubled.
# Seen: known placeholders become `{name}`; braces of a JSON example stay single, and filling raises KeyError('"a"').
# Why it matters: a prompt with a JSON example, which is most prompts that ask for JSON, cannot be handed on this way.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2
"$folder/venv/bin/python" - <<'PYTHON'
from mlflow.entities.model_registry.prompt_version import PromptVersion

text = PromptVersion(name="p", version=1, template='Answer {"a": 1} to {{ name }}').to_single_brace_format()
print(text)
assert text == 'Answer {"a": 1} to {name}'
try:
    text.format(name="Ann")
except KeyError as error:
    print("str.format:", repr(error))
else:
    raise AssertionError("it can be filled now")
PYTHON
