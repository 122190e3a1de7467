"""A student as what it is to its project: a report, the models it is asked as, its removal."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from arf_core.errors import InputError
from arf_core.finetune.run_folder import ANSWER, ENDS, FOLDER, GGUF, Phase, Place, TrainingState
from arf_core.models.registry import add_model, remove_model
from arf_core.project import Project
from arf_core.records import Record


class FinetuneReport(Record):
    """What a training came to, or how far it is."""

    name: str
    state: Phase
    steps: int
    total: int
    final_loss: float | None
    eval_loss: float | None = None
    seconds: float
    """Of training."""
    artifacts: dict[str, str]
    """Files by what they are, within the project's folder."""
    models: tuple[str, ...]
    """Names under which the student can be asked at once."""
    practice: bool
    message: str = ""


def report_of(
    project: Project, place: Place, state: TrainingState, models: Sequence[str] = ()
) -> FinetuneReport:
    steps = place.steps()
    trained = place.trained()
    losses = [row.loss for row in steps if row.loss is not None]
    return FinetuneReport(
        name=place.folder.name,
        state=state.phase,
        steps=trained.steps if trained else state.step,
        total=state.total,
        final_loss=trained.final_loss if trained else (losses[-1] if losses else None),
        eval_loss=trained.eval_loss if trained else None,
        seconds=trained.seconds if trained else (steps[-1].seconds if steps else 0.0),
        artifacts=_artifacts(project, place),
        models=tuple(models),
        practice=place.job().practice,
        message=state.message,
    )


def _artifacts(project: Project, place: Place) -> dict[str, str]:
    if (made := place.artifacts()) is None:
        return {}
    parts = {"adapter": made.adapter, "merged": made.merged, "card": made.card}
    parts |= {f"gguf_{kind}": file for kind, file in made.gguf.items()}
    parts |= {"modelfile": made.modelfile}
    folder = place.folder.relative_to(project.path)
    return {what: str(folder / file) for what, file in parts.items() if file}


def register(project: Project, place: Place) -> tuple[str, ...]:
    """Enter the student under its name, and its GGUF file as `<name>-gguf`; a model that is there
    already stays as it is, unless its file is gone. Returns the names."""
    made = _artifacts(project, place)
    name = place.folder.name
    entries: dict[str, dict[str, object]] = {
        name: {"provider": "transformers", "path": made["merged"]}
    }
    if file := made.get("gguf_q8_0") or made.get("gguf_f16"):
        entries[name + GGUF] = {
            "provider": "llama_cpp",
            "path": file,
            "context_tokens": place.window(),
            "max_tokens": ANSWER,
        }
    earlier = name + GGUF in project.settings.models and name + GGUF not in entries
    if earlier and not can_be_asked(project, name + GGUF):
        project.settings = remove_model(project, name + GGUF).settings
    for model, options in entries.items():
        if model not in project.settings.models:
            project.settings = add_model(project, model, options).settings
    return tuple(entries)


def can_be_asked(project: Project, model: str) -> bool:
    """Is it entered in the project, and is its file or folder still there?"""
    options = project.settings.models.get(model)
    if options is None:
        return False
    return (project.path / Path(str(options.get("path", ""))).expanduser()).exists()


def refuse_taken_name(project: Project, name: str) -> None:
    """A model of this name that is another one would be asked in the student's place."""
    for model in (name, name + GGUF):
        if model in project.settings.models and not _is_of(project, model, name):
            raise InputError(
                f"There is a model {model!r} already, and it is not this student.",
                "Choose another name with --into.",
            )


def refuse_running(place: Place) -> None:
    """Raises InputError where it waits or works: nobody takes its files away."""
    state = place.state()
    if place.alive() or (state is not None and state.phase not in ENDS):
        raise InputError(
            f"The student {place.folder.name!r} is being trained.",
            "Stop it first: press Stop on page Finetune, or give its command again and Ctrl-C.",
        )


def remove_student(project: Project, place: Place) -> tuple[str, ...]:
    """Remove a student: its folder, and the models that it is asked as. The summaries that it wrote
    stay. Returns the models' names. Raises InputError where there is none, or it is being trained.
    """
    name = place.folder.name
    if not place.job_file.is_file():
        raise InputError(
            f"There is no student {name!r}.", f"See {project.path / FOLDER} for those there are."
        )
    refuse_running(place)
    models = tuple(m for m in (name, name + GGUF) if _is_of(project, m, name))
    for model in models:
        project.settings = remove_model(project, model).settings
    shutil.rmtree(place.folder)
    return models


def _is_of(project: Project, model: str, student: str) -> bool:
    """Is there such a model, and is it this student?"""
    options = project.settings.models.get(model, {})
    return f"{FOLDER}/{student}/" in str(options.get("path"))
