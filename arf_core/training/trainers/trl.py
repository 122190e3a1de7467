"""Plain TRL and PEFT: any model of transformers, on CPU, one GPU or, under `accelerate launch`, on
several."""

from typing import Any

from arf_core.training.run_folder import RunFolder
from arf_core.training.train import ADAPTED, run_training
from arf_core.training.training_records import Trained, TrainingJob

NEEDS: tuple[str, ...] = ()
CHANGES_LIBRARIES = False


def train(run: RunFolder) -> Trained:
    """Raises the same errors as `run_training`."""
    import torch
    from trl import SFTTrainer

    # TRL's fused loss, which saves the memory of the logits, is written in Triton for a GPU
    trainer_class = SFTTrainer if torch.cuda.is_available() else _with_plain_loss()
    return run_training(run, _load, trainer_class)


def _with_plain_loss() -> Any:
    """TRL's trainer with transformers' own loss."""
    from transformers import Trainer
    from trl import SFTTrainer

    class PlainLoss(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, *arguments: Any, **named: Any) -> Any:
            return Trainer.compute_loss(self, *arguments, **named)

    return PlainLoss


def _load(job: TrainingJob, max_length: int) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    settings, gpu = job.settings, torch.cuda.is_available()
    # trained weights are kept in 32 bit: small steps vanish in 16
    trained = settings.method == "full" or not gpu
    options: dict[str, Any] = {"dtype": torch.float32 if trained else torch.bfloat16}
    if settings.method == "qlora":
        options["quantization_config"] = _in_four_bit()
    model = AutoModelForCausalLM.from_pretrained(job.base, trust_remote_code=False, **options)
    if settings.method == "full":
        return model
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(settings.seed)
    adapter = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=ADAPTED,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, adapter)


def _in_four_bit() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
