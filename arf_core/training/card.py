"""A student's model card, from the template card.md, and its Modelfile for Ollama."""

import re
from pathlib import Path
from typing import Any

import jinja2

from arf_core.models.chat_template import chat_text
from arf_core.training.base_models import describe_practice
from arf_core.training.run_folder import RunFolder
from arf_core.training.training_records import Artifacts, Trained, TrainingJob
from arf_core.training.training_set import read_rows

HUB_LICENCES = {
    "Llama 3.1 Community Licence": "llama3.1",
    "Llama 3.2 Community Licence": "llama3.2",
    "Apache-2.0": "apache-2.0",
    "Qwen Research Licence": "other",
}
"""The Hugging Face hub's names of the presets' licences."""


def modelfile(weights: str, tokenizer: Any, run: RunFolder) -> str:
    """For `ollama create`, with the student's own chat template in Ollama's syntax."""
    # three quotes would end the text
    system = read_rows(run.train_file)[0].messages[0]["content"].replace('"""', "'''")
    prompt = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    template = chat_text(tokenizer, prompt, asks=True)
    lines = [
        f"FROM ./{weights}",
        f'TEMPLATE """{template}"""',
        f'SYSTEM """{system}"""',
        "PARAMETER temperature 0",
        f"PARAMETER num_ctx {run.window()}",  # Ollama's default silently cuts long conversations
        f'PARAMETER stop "{tokenizer.eos_token}"',
    ]
    return "\n".join(lines) + "\n"


def model_card(job: TrainingJob, trained: Trained, made: Artifacts) -> str:
    """The card as Markdown, with the head that the Hugging Face hub reads: only what the hub knows,
    no folder as base model. It contains no text of a conversation, and no path."""
    licence = HUB_LICENCES.get(job.licence, job.licence)
    local = Path(job.base).is_absolute()
    return render(
        Path(__file__).parent / "card.md",
        job=job,
        trained=trained,
        made=made,
        lengths=trained.lengths,
        base=Path(job.base).name if local else job.base,
        hub_id=None if local else job.base,
        licence=licence if re.fullmatch(r"[a-z][a-z0-9.-]*", licence) else None,
        practice=describe_practice(job.base),
        settings=_used(job, trained),
    )


def render(template: Path, **values: Any) -> str:
    """Fill in a template of Markdown. Its filters `code` and `plain` escape untrusted text."""
    environment = jinja2.Environment(  # noqa: S701 (Markdown)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": _code, "plain": _plain}
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def _used(job: TrainingJob, trained: Trained) -> dict[str, str]:
    """The settings as used, without those that had no effect."""
    settings = trained.used or job.settings
    values = settings.model_dump() | {"max_length": trained.lengths.max_length}
    unused = {"evaluate", "epochs" if settings.steps else "steps"}
    unused |= {"rank", "alpha"} if settings.method == "full" else set()
    unused |= {"patience"} if trained.eval_loss is None else set()
    return {n: _value(v) for n, v in values.items() if n not in unused and v is not None}


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _code(text: str) -> str:
    """Untrusted text as code, on one line."""
    return "`" + " ".join(text.split()).replace("`", "'") + "`"


def _plain(text: str) -> str:
    """Untrusted text on one line, with its Markdown escaped."""
    return re.sub(r"[\\`*_\[\]<>&]", r"\\\g<0>", " ".join(text.split()))
