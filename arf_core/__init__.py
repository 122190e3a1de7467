"""ARF Studio: find what a teacher model gets wrong, correct it, teach a small model with it.

    from arf_core import Project, analyze, load, revise

    project = Project.open("chats")
    load(project, "chats.csv", system="teacher")
    analyze(project, system="teacher", detector="llm")

The verbs are imported when they are first used, so that `import arf_core` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arf_core.analysis.analyze import analyze as analyze
    from arf_core.analysis.annotations import load_labels as load_labels
    from arf_core.errors import ArfError as ArfError
    from arf_core.evaluate.agreement import agreement as agreement
    from arf_core.evaluate.rates import error_rates as error_rates
    from arf_core.importing.load import load as load
    from arf_core.importing.load import preview as preview
    from arf_core.project import Project as Project
    from arf_core.review.decisions import apply_decisions as apply_decisions
    from arf_core.revision.revise import revise as revise
    from arf_core.revision.verify import revise_and_verify as revise_and_verify
    from arf_core.revision.verify import verify as verify
    from arf_core.training import finetune as finetune
    from arf_core.training.export import export as export
    from arf_core.training.generate import generate as generate

__version__ = "0.1.0"

_MODULES = {
    "ArfError": "errors",
    "Project": "project",
    "agreement": "evaluate.agreement",
    "analyze": "analysis.analyze",
    "apply_decisions": "review.decisions",
    "error_rates": "evaluate.rates",
    "export": "training.export",
    "finetune": "training",
    "generate": "training.generate",
    "load": "importing",
    "load_labels": "analysis.annotations",
    "preview": "importing",
    "revise": "revision.revise",
    "revise_and_verify": "revision.verify",
    "verify": "revision.verify",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
