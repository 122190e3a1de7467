"""Does a chat template come to an end? It is a program of strangers, and a loop within a loop would
hold the process for ever, so it is tried in one of its own, which the system ends:

    python template_trial.py < {"template": …, "chats": [what it is given, …]}

This imports next to nothing, to start in a tenth of a second. What the template raises is no matter
here; whoever asks it next is told.
"""

import json
import resource
import sys
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS, BYTES, CHARACTERS = 2, 2**30, 10**6
"""Of the processor's time, of memory, and of text: a thousand times what a short chat takes."""
TOO_MUCH = 3
"""The exit code where the memory or the text ran over. The time's end is a signal."""


class Generation(Extension):
    """The tag around what a model says."""

    tags = {"generation"}  # noqa: RUF012 (as jinja2 has it)

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller: Any) -> str:
        return str(caller())


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform == "linux":  # others set aside more than that for a start
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    asked = json.load(sys.stdin)
    try:
        template = _as_in_transformers().from_string(asked["template"])
        longest = max(len(template.render(**chat)) for chat in asked["chats"])
    except MemoryError:
        sys.exit(TOO_MUCH)
    except Exception:  # noqa: BLE001 (it has come to an end)
        return
    if longest > CHARACTERS:
        sys.exit(TOO_MUCH)


def _as_in_transformers() -> ImmutableSandboxedEnvironment:
    """The same sandbox, so that a template goes the same way."""
    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    sandbox.filters["tojson"] = _tojson
    sandbox.globals["raise_exception"] = _raise_exception
    return sandbox


def _tojson(
    x: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


if __name__ == "__main__":
    main()
