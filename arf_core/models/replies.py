"""Getting a typed object out of a model's text."""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

from arf_core.errors import ReplyError

M = TypeVar("M", bound=BaseModel)
THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def parse_reply(text: str, shape: type[M]) -> M:
    """Read a reply as `shape`. Tolerates a reasoning preamble, a code fence, words around the
    object and small slips of JSON; never a missing or mistyped field.

    Raises ReplyError whose message tells the model what to mend.
    """
    text = THINKING.sub("", text)
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        raise ReplyError("it holds no JSON object.")
    body = text[start : end + 1] if end > start else text[start:]
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = _repaired(body)
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(p) for p in f['loc']) or 'the object'}: {f['msg']}"
            for f in error.errors(include_input=False)[:5]
        ]
        raise ReplyError("; ".join(faults) + ".") from error


def _repaired(body: str) -> object:
    try:
        return json_repair.loads(body, skip_json_loads=True)
    except (ValueError, RecursionError) as error:
        raise ReplyError(f"it is not valid JSON ({error}).") from error


JsonSchema = dict[str, Any]


def strict_object(properties: dict[str, JsonSchema]) -> JsonSchema:
    """A JSON schema of an object with just these properties, all of them required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(properties: dict[str, JsonSchema]) -> JsonSchema:
    """A JSON schema of a list of such objects."""
    return {"type": "array", "items": strict_object(properties)}


def one_of(values: Iterable[str]) -> JsonSchema:
    """A JSON schema of one of these words."""
    return {"type": "string", "enum": list(values)}


TEXT: JsonSchema = {"type": "string"}
INTEGERS: JsonSchema = {"type": "array", "items": {"type": "integer"}}
