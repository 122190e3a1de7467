"""Prompts: one template per task, which a project can override.

A template is Jinja with a block `system` (instructions and taxonomy: the same for every item, so
that a server can cache the prefix) and a block `user` (the item). Conversations are untrusted
input: this module alone numbers and fences turns, so that no turn can pose as another turn, as the
summary, or as an instruction.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from arf_core.errors import ConfigError
from arf_core.records import Conversation, Turn, digest

SHIPPED = Path(__file__).parent
BLOCKS = ("system", "user")


class Prompt:
    """A template, ready to render."""

    def __init__(self, task: str, source: str, origin: Path) -> None:
        """Raises ConfigError if the template is broken or lacks a block."""
        self.task = task
        self.hash = digest(source)
        self._origin = origin
        environment = SandboxedEnvironment(
            undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= {
            "fence": fence,
            "turns": number_turns,
            "sentences": number_lines,
            "oneline": one_line,
        }
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise ConfigError(
                f"The prompt {origin} is broken: {error}.",
                "Correct it, or delete it to use the shipped one.",
            ) from error
        missing = [name for name in BLOCKS if name not in self._template.blocks]
        if missing:
            raise ConfigError(
                f"The prompt {origin} lacks the block {' and '.join(missing)}.",
                "Add {% block system %} … {% endblock %} and the same for user.",
            )

    def render(self, **values: Any) -> tuple[dict[str, str], ...]:
        """The chat messages, system first. Raises ConfigError if the template uses another name."""
        try:
            context = self._template.new_context(values)
            texts = ["".join(self._template.blocks[name](context)).strip() for name in BLOCKS]
        except jinja2.TemplateError as error:
            raise ConfigError(
                f"The prompt {self._origin} cannot be filled in: {error}.",
                f"It may use: {', '.join(values)}.",
            ) from error
        return tuple(
            {"role": role, "content": text} for role, text in zip(BLOCKS, texts, strict=True)
        )


def load_prompt(task: str, overrides: Path) -> Prompt:
    """The template of a task: `<overrides>/<task>.md` if it exists, else the shipped one."""
    own = overrides / f"{task}.md"
    path = own if own.is_file() else SHIPPED / f"{task}.md"
    return Prompt(task, path.read_text(encoding="utf-8"), path)


def fence(text: str, label: str) -> str:
    """Put text between two lines that the text itself cannot contain.

    The marker depends on a hash of the text, so its author could not foresee it.
    """
    mark = f"{label} {digest(label, text)[:8]}"
    return f"<<<{mark}\n{text}\n{mark}>>>"


def number_turns(conversation: Conversation | Sequence[Turn]) -> str:
    """Turns as `[0] customer: text`. Further lines of a turn are indented, so that only a turn can
    begin like one."""
    turns = conversation.turns if isinstance(conversation, Conversation) else conversation
    return "\n".join(
        f"[{i}] {one_line(turn.speaker)}: {_indented(turn.text)}" for i, turn in enumerate(turns)
    )


def number_lines(lines: Sequence[str]) -> str:
    """Lines as `1. text`, from 1."""
    return "\n".join(f"{i}. {one_line(line)}" for i, line in enumerate(lines, 1))


def one_line(text: str) -> str:
    """The text with each run of white space as a single space."""
    return " ".join(text.split())


def _indented(text: str) -> str:
    # splitlines also breaks at U+2028 and the like, which a model may read as a new line
    return "\n    ".join(text.splitlines()) if text else "(empty)"
