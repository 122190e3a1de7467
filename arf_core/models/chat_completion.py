"""OpenAI's chat completion format: what servers, batch files and llama.cpp have in common."""

from collections.abc import Mapping
from typing import Any, Literal

from arf_core.models import Reply, Request

SchemaMeans = Literal["json_schema", "json_object", "prompt"]
MEANS: tuple[SchemaMeans, ...] = ("json_schema", "json_object", "prompt")
"""How a server takes a JSON schema, the best first; `prompt`: not at all."""


def request_body(
    parameters: Mapping[str, Any], request: Request, means: SchemaMeans
) -> dict[str, Any]:
    body = {**parameters, "messages": list(request.messages)}
    if request.schema_ is None or means == "prompt":
        return body
    if means == "json_object":
        form: dict[str, Any] = {"type": "json_object", "schema": request.schema_}
    else:
        schema = {"name": request.task, "schema": request.schema_, "strict": True}
        form = {"type": "json_schema", "json_schema": schema}
    return body | {"response_format": form}


def read_completion(answer: Any) -> Reply:
    """Raises LookupError, ValueError, TypeError or AttributeError where it is no completion."""
    choice = answer["choices"][0]
    message = choice["message"]
    usage = answer.get("usage") or {}
    refusal = message.get("refusal")
    return Reply(
        text=message.get("content") or refusal or "",
        finish_reason="refusal" if refusal else choice.get("finish_reason") or "stop",
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
    )
