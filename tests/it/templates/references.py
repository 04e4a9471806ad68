"""Fills templates as the libraries do whose formats are carried on: lines of JSON in, lines of JSON out."""
import json
import sys


def jinja2(text, values):
    from jinja2 import Environment

    return Environment(keep_trailing_newline=True).from_string(text).render(**values)


def mustache(text, values):
    import chevron.renderer

    chevron.renderer._html_escape = lambda value: value
    return chevron.render(text, values)


def fstring(text, values):
    return text.format(**values)


def main():
    engine = {"jinja2": jinja2, "mustache": mustache, "fstring": fstring}[sys.argv[1]]
    for line in sys.stdin:
        case = json.loads(line)
        try:
            answer = {"text": engine(case["text"], case["values"])}
        except Exception as error:  # whatever it is, the template was refused
            answer = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer))


main()
