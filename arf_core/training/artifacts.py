"""Make a trained student's files: the merged model, GGUF files, a Modelfile, a model card; each is
tried before it counts."""

import json
import shutil
from pathlib import Path
from typing import Any

from arf_core.errors import ArfError
from arf_core.models.chat_template import chat_text
from arf_core.models.model_identity import PRACTICE
from arf_core.training.card import model_card, modelfile
from arf_core.training.gguf_check import check_gguf
from arf_core.training.gguf_file import write_gguf
from arf_core.training.run_folder import RunFolder, write_atomically
from arf_core.training.train import open_tokenizer
from arf_core.training.training_records import Artifacts, GgufCheck, Smoke, TrainingJob
from arf_core.training.training_set import read_rows

SMOKE_TOKENS = 64
CHECKED_ROWS = 4


def make_artifacts(run: RunFolder) -> Artifacts:
    """Make the files of a trained student. Raises what the libraries raise."""
    job, trained = run.job(), run.trained()
    assert trained is not None
    model, tokenizer = merge(run, job)
    smoke = _smoke(run, model, tokenizer)
    files: dict[str, str] = {}
    checks: dict[str, GgufCheck] = {}
    missing = None if job.gguf else "not asked for"
    try:
        for kind in job.gguf:
            files[kind], checks[kind] = _gguf(run, kind, model, tokenizer, job.practice)
    except ArfError as error:
        missing = str(error)
    if files:
        weights = Path(files.get("q8_0") or next(iter(files.values()))).name
        text = modelfile(weights, tokenizer, run)
        (run.folder / "gguf" / "Modelfile").write_text(text, encoding="utf-8")
    else:
        shutil.rmtree(run.folder / "gguf", ignore_errors=True)
    made = Artifacts(
        adapter="adapter" if run.adapter.is_dir() else None,
        merged="merged",
        gguf=files,
        checks=checks,
        gguf_missing=missing,
        modelfile="gguf/Modelfile" if files else None,
        card="README.md",
        smoke=smoke,
    )
    (run.folder / "README.md").write_text(model_card(job, trained, made), encoding="utf-8")
    write_atomically(run.artifacts_file, made.model_dump_json())  # last: it marks all as complete
    return made


def merge(run: RunFolder, job: TrainingJob) -> tuple[Any, Any]:
    """Write the merged model in 16 bit. Returns it in 32 bit, with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    if job.settings.method == "full":
        tokenizer = open_tokenizer(str(run.merged))
        model = AutoModelForCausalLM.from_pretrained(run.merged, dtype=torch.float32)
    else:
        from peft import PeftModel

        tokenizer = open_tokenizer(str(run.adapter))
        base = AutoModelForCausalLM.from_pretrained(job.base, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, str(run.adapter)).merge_and_unload()
    model = model.to(torch.bfloat16)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(run.merged)
    tokenizer.save_pretrained(run.merged)
    if job.practice:
        for folder in (run.merged, run.adapter):
            if folder.is_dir():
                (folder / PRACTICE).write_text(json.dumps({"practice": True}), encoding="utf-8")
    del model
    # read back, so that every comparison is with the files: in the model above, the position
    # frequencies, which no file has, were rounded along with the weights
    kept = AutoModelForCausalLM.from_pretrained(run.merged, dtype=torch.float32)
    return kept.eval(), tokenizer


def _smoke(run: RunFolder, model: Any, tokenizer: Any) -> Smoke:
    """Ask the merged model once, with the chat template that it was trained with."""
    import torch

    row = read_rows(run.train_file)[0]
    prompt = chat_text(tokenizer, row.messages[:-1], asks=True)
    inputs = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
    room = int(model.config.max_position_embeddings) - SMOKE_TOKENS
    ids = inputs["input_ids"][:, -room:]
    with torch.no_grad():
        answer = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=SMOKE_TOKENS,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
    text = tokenizer.decode(answer[0, ids.shape[1] :], skip_special_tokens=True)
    return Smoke(conversation=row.conversation, prompt_tokens=ids.shape[1], answer=text.strip())


def _gguf(
    run: RunFolder, kind: str, model: Any, tokenizer: Any, practice: bool
) -> tuple[str, GgufCheck]:
    """A GGUF file, relative to the run folder, and its check. Raises ArfError where it fails."""
    name = run.folder.name
    file = run.folder / "gguf" / f"{name}-{kind}.gguf"
    unchecked = file.with_suffix(".unchecked")
    file.parent.mkdir(exist_ok=True)
    rows = read_rows(run.train_file)[:CHECKED_ROWS]
    texts = [chat_text(tokenizer, row.messages, asks=False) for row in rows]
    try:
        write_gguf(unchecked, model, tokenizer, kind, name, practice=practice)
        check = check_gguf(unchecked, model, tokenizer, texts, kind)
        unchecked.replace(file)
    finally:
        unchecked.unlink(missing_ok=True)
    return str(file.relative_to(run.folder)), check
