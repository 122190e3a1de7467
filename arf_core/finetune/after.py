"""What is made of a trained student: one merged model, GGUF files, a Modelfile, a model card; each
tried before it is called good."""

import json
import shutil
from pathlib import Path
from typing import Any

from arf_core.errors import ArfError
from arf_core.finetune.artifacts import Artifacts, GgufCheck, Smoke
from arf_core.finetune.card import model_card, modelfile
from arf_core.finetune.dataset import read_rows
from arf_core.finetune.gguf_check import check_gguf
from arf_core.finetune.gguf_file import write_gguf
from arf_core.finetune.run_folder import Place, Trained, TrainingJob, write_whole
from arf_core.finetune.training import open_tokenizer
from arf_core.models.chat_template import chat_text
from arf_core.models.model_identity import PRACTICE

SMOKE_TOKENS = 64
CHECKED_ROWS = 4


def make_artifacts(place: Place) -> Artifacts:
    """Make what is not there yet. Raises what the libraries raise where the disk or memory ends."""
    job = place.job()
    trained = Trained.model_validate_json(place.trained_file.read_text(encoding="utf-8"))
    model, tokenizer = _merged(place, job)
    smoke = _smoke(place, model, tokenizer)
    gguf, checks, why = _gguf(place, job, model, tokenizer)
    if gguf:
        text = modelfile(Path(gguf.get("q8_0") or next(iter(gguf.values()))).name, tokenizer, place)
        (place.folder / "gguf" / "Modelfile").write_text(text, encoding="utf-8")
    made = Artifacts(
        adapter="adapter" if place.adapter.is_dir() else None,
        merged="merged",
        gguf=gguf,
        checks=checks,
        gguf_missing=why,
        modelfile="gguf/Modelfile" if gguf else None,
        card="README.md",
        smoke=smoke,
    )
    (place.folder / "README.md").write_text(model_card(job, trained, made), encoding="utf-8")
    write_whole(place.artifacts_file, made.model_dump_json())  # last: it means that all is there
    return made


def _merged(place: Place, job: TrainingJob) -> tuple[Any, Any]:
    """The merged model in 32 bit for what follows; its folder holds it in 16 bit."""
    import torch
    from transformers import AutoModelForCausalLM

    if job.settings.method == "full":
        tokenizer = open_tokenizer(str(place.merged))
        model = AutoModelForCausalLM.from_pretrained(place.merged, dtype=torch.float32)
    else:
        from peft import PeftModel

        tokenizer = open_tokenizer(str(place.adapter))
        base = AutoModelForCausalLM.from_pretrained(job.base, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, str(place.adapter)).merge_and_unload()
    model = model.to(torch.bfloat16)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(place.merged)
    tokenizer.save_pretrained(place.merged)
    if job.practice:
        for folder in (place.merged, place.adapter):
            if folder.is_dir():
                (folder / PRACTICE).write_text(json.dumps({"practice": True}), encoding="utf-8")
    del model
    # read again, so that every comparison is with what is kept: in the model that was written the
    # frequencies of its positions, which no file has, were rounded along with the weights
    kept = AutoModelForCausalLM.from_pretrained(place.merged, dtype=torch.float32)
    return kept.eval(), tokenizer


def _smoke(place: Place, model: Any, tokenizer: Any) -> Smoke:
    """Ask it once, with the template that it was trained with."""
    import torch

    row = read_rows(place.train_file)[0]
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
    place: Place, job: TrainingJob, model: Any, tokenizer: Any
) -> tuple[dict[str, str], dict[str, GgufCheck], str | None]:
    """The files that passed; why there is none, in words."""
    folder = place.folder / "gguf"
    files: dict[str, str] = {}
    checks: dict[str, GgufCheck] = {}
    if not job.gguf:
        return files, checks, "not asked for"
    texts = [
        chat_text(tokenizer, row.messages, asks=False)
        for row in read_rows(place.train_file)[:CHECKED_ROWS]
    ]
    folder.mkdir(exist_ok=True)
    try:
        for kind in job.gguf:
            file = folder / f"{place.folder.name}-{kind}.gguf"
            unchecked = file.with_suffix(".unchecked")
            name = place.folder.name
            write_gguf(unchecked, model, tokenizer, kind, name, practice=job.practice)
            checks[kind] = check_gguf(unchecked, model, tokenizer, texts, kind)
            unchecked.replace(file)
            files[kind] = str(file.relative_to(place.folder))
    except ArfError as error:
        for file in folder.glob("*.unchecked"):
            file.unlink()
        if not files:
            shutil.rmtree(folder)
        return files, checks, str(error)
    return files, checks, None
