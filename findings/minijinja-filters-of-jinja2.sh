#!/usr/bin/env bash
# minijinja 3.1.0 beside Jinja2 3.1.6: `int` of a text that is no number is an error, and `truncate` takes no positional length.
#
# Expected: `{{ "12 items"|int }}` is 0, as Jinja2's documentation promises ("if the conversion doesn't work it will return 0"),
#       and `{{ text|truncate(8) }}` shortens to eight characters.
# Seen: the first raises, so does the second: the length must be given by name there. `wordcount` and `center` do not exist.
# Why it matters: prompts written for Jinja2 are the ones that people move to services written in Rust, and these fail when
#       they are filled, not when they are parsed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check minijinja==3.1.0 Jinja2==3.1.6
"$folder/venv/bin/python" - <<'PYTHON'
import jinja2, minijinja

values = {"text": "hello big world", "many": "12 items"}
cases = {"{{ many|int }}": "0", "{{ text|truncate(8, leeway=0) }}": "hello...", "{{ text|wordcount }}": "3"}
for template, expected in cases.items():
    assert jinja2.Environment().from_string(template).render(values) == expected
    minijinja.Environment().add_template("parses", template)
    try:
        minijinja.Environment().render_str(template, **values)
    except minijinja.TemplateError as error:
        print(f"{template:34} Jinja2 {expected!r}; minijinja: {str(error).splitlines()[0]}")
    else:
        raise AssertionError(f"{template} was filled")
PYTHON
