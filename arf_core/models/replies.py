"""Where a model's reply is read and validated, and the JSON schemas that ask for its shape.

`unusable` looks at how the reply ended; `parse_reply` reads the text as a typed object. The caller
of `parse_reply` then checks what only it knows (quotes, turns, categories) and raises ReplyError
too, so that `calls` asks once more with the fault.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

from arf_core.errors import ReplyError
from arf_core.models import Reply
from arf_core.run import Failure

M = TypeVar("M", bound=BaseModel)
JsonSchema = dict[str, Any]
THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def unusable(reply: Reply) -> Failure | None:
    """The failure where the reply was cut off, refused or empty; asking again would not help."""
    if reply.finish_reason == "length":
        message = "The reply stopped at max_tokens, or where the context ends."
        return Failure("truncated", message, reply.text)
    if reply.finish_reason in ("refusal", "content_filter"):
        return Failure("refused", "The model declined.", reply.text)
    if not reply.text.strip():
        return Failure("refused", "The reply is empty.", reply.text)
    return None


def parse_reply(text: str, shape: type[M]) -> M:
    """Read a reply as `shape`. Tolerates a reasoning preamble, a code fence, words around the
    object and small errors in its JSON; never a missing or mistyped field.

    Raises ReplyError whose message shows the model what to correct.
    """
    text = THINKING.sub("", text)
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        raise ReplyError("it holds no JSON object.")
    body = text[start : end + 1] if end > start else text[start:]
    try:
        return shape.model_validate(_json_value(body))
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(p) for p in f['loc']) or 'the object'}: {f['msg']}"
            for f in error.errors(include_input=False)[:5]
        ]
        raise ReplyError("; ".join(faults) + ".") from error


def _json_value(body: str) -> object:
    """The JSON value, repaired if need be. Raises ReplyError where that is impossible."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:
        return json_repair.loads(body, skip_json_loads=True)
    except (ValueError, RecursionError) as error:
        raise ReplyError(f"it is not valid JSON ({error}).") from error


TEXT: JsonSchema = {"type": "string"}
INTEGERS: JsonSchema = {"type": "array", "items": {"type": "integer"}}


def strict_object(properties: dict[str, JsonSchema]) -> JsonSchema:
    """Schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(properties: dict[str, JsonSchema]) -> JsonSchema:
    """Schema of a list of such objects."""
    return {"type": "array", "items": strict_object(properties)}


def one_of(values: Iterable[str]) -> JsonSchema:
    """Schema of one of these strings."""
    return {"type": "string", "enum": list(values)}
