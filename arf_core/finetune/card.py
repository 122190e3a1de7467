"""The texts that go with a student: a model card, and a Modelfile for Ollama."""

from typing import Any

from arf_core.finetune.artifacts import Artifacts
from arf_core.finetune.dataset import read_rows
from arf_core.finetune.job import Place, Trained, TrainingJob
from arf_core.finetune.tokens import chat_text

PRACTICE_NOTE = (
    "**A practice model.** Its base is tiny and was made from nothing; it is there to try the "
    "path, not to summarise."
)


def modelfile(weights: str, tokenizer: Any, place: Place) -> str:
    """For `ollama create`. The template is the student's own, in Ollama's words."""
    system = read_rows(place.train_file)[0].messages[0]["content"]
    asked = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    template = chat_text(tokenizer, asked, asks=True)
    lines = [
        f"FROM ./{weights}",
        f'TEMPLATE """{template}"""',
        f'SYSTEM """{system}"""',
        "PARAMETER temperature 0",
        f'PARAMETER stop "{tokenizer.eos_token}"',
    ]
    return "\n".join(lines) + "\n"


def model_card(job: TrainingJob, trained: Trained, made: Artifacts) -> str:
    """The card as Markdown: what it learnt from, how, and what came out."""
    settings = "\n".join(
        f"| {name} | {value} |" for name, value in job.settings.model_dump().items()
    )
    lengths = trained.lengths
    matched = f", matched in size with {', '.join(job.matched_with)}" if job.matched_with else ""
    evaluated = f", {trained.eval_loss:.4f} on the dev split" if trained.eval_loss else ""
    ended = " (stopped early: the dev loss got no better)" if trained.stopped_early else ""
    return f"""# {job.name}

{
        PRACTICE_NOTE
        if job.practice
        else f"A summariser of customer-service conversations, trained from `{job.base}`."
    }

- learnt from: {job.rows} summaries of system `{job.system}` ({job.choice} rows of the train split
  {matched}), fingerprint `{job.fingerprint}`; {job.dev_rows} of the dev split to evaluate on; the
  test split was never seen
- base: `{job.base_name}`, licence: {job.licence}; the student is under the same licence
- trainer: `{job.trainer}`, {trained.steps} steps in {trained.seconds:.1f} s on {trained.device}
  {ended}
- loss: {trained.final_loss:.4f} at the last step{evaluated}; counted on the answers alone,
  {100 * lengths.learned_share:.0f} % of the tokens
- length: rows of at most {lengths.max_length} tokens; shortened in the middle of the conversation:
  {lengths.truncated}, left out because their answer did not fit: {lengths.too_long}

| setting | value |
|---|---|
{settings}

## Files

{_files(made)}

Its answer to a conversation of the training set: “{made.smoke.answer[:400]}”
"""


def _files(made: Artifacts) -> str:
    lines = [f"- `{made.merged}/`: the whole model in 16 bit, for transformers, vLLM and the like"]
    if made.adapter:
        lines.append(f"- `{made.adapter}/`: the adapter alone")
    for kind, file in made.gguf.items():
        check = made.checks[kind]
        lines.append(
            f"- `{file}`: for llama.cpp and Ollama. Compared with the merged model on "
            f"{check.tokens} tokens: ids all equal, largest difference of a logit "
            f"{check.largest_difference:.2g} (spread {check.spread:.3g}), same next token at "
            f"{100 * check.same_choice:.1f} % of {check.positions} positions"
        )
    if made.gguf_missing:
        lines.append(f"- no GGUF: {made.gguf_missing}")
    if made.modelfile:
        lines.append(f"- `{made.modelfile}`: `ollama create NAME -f Modelfile`")
    return "\n".join(lines)
