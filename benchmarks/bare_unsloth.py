"""Unsloth as its own examples use it, without a line of this project: what ours is compared with.

    python -m benchmarks.bare_unsloth BASE ROWS LENGTH STEPS BATCH ACCUMULATION METHOD FIGURES

ROWS is a file of chats, {"messages": […]} a line. Writes one line of JSON into the file FIGURES:
tokens a second and tokens a step after the first steps, bytes at the peak, the last loss.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
FIRST = 3
"""Steps before the clock: kernels are compiled in them."""


def main() -> None:
    base, rows, method, figures = sys.argv[1], sys.argv[2], sys.argv[7], Path(sys.argv[8])
    length, steps, batch, accumulation = map(int, sys.argv[3:7])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNSLOTH_COMPILE_LOCATION"] = f"{folder}/compiled"
        import torch
        from unsloth import FastLanguageModel, is_bfloat16_supported  # first: it changes the others
        from unsloth.chat_templates import train_on_responses_only

        # isort: split
        from datasets import load_dataset
        from transformers import TrainerCallback
        from trl import SFTConfig, SFTTrainer

        gpu = torch.cuda.is_available()
        model, tokenizer = FastLanguageModel.from_pretrained(
            base,
            max_seq_length=length,
            dtype=None if gpu else torch.float32,
            load_in_4bit=method == "qlora",
        )
        model = FastLanguageModel.get_peft_model(
            model,
            r=16,
            lora_alpha=16,
            target_modules="q_proj k_proj v_proj o_proj gate_proj up_proj down_proj".split(),
            use_gradient_checkpointing="unsloth" if gpu else False,
            random_state=3407,
        )
        chats = load_dataset("json", data_files=rows, split="train", cache_dir=f"{folder}/data")
        texts = chats.map(
            lambda row: {"text": tokenizer.apply_chat_template(row["messages"], tokenize=False)},
            remove_columns=chats.column_names,
        )

        class Clock(TrainerCallback):
            """Looks where a step's loss is known: the GPU has then done that step."""

            def __init__(self) -> None:
                self.ends: list[tuple[float, float]] = []
                self.loss = 0.0

            def on_log(self, args, state, control, logs=None, **more):
                if logs and "loss" in logs:
                    self.loss = float(logs["loss"])
                    self.ends.append((time.monotonic(), float(state.num_input_tokens_seen)))

        clock = Clock()
        trainer = SFTTrainer(
            model=model,
            processing_class=tokenizer,
            train_dataset=texts,
            args=SFTConfig(
                output_dir=f"{folder}/out",
                dataset_text_field="text",
                max_length=length,
                max_steps=steps,
                per_device_train_batch_size=batch,
                gradient_accumulation_steps=accumulation,
                learning_rate=2e-4,
                lr_scheduler_type="linear",
                warmup_steps=1,
                bf16=gpu and is_bfloat16_supported(),
                fp16=False,
                use_cpu=not gpu,
                logging_steps=1,
                save_strategy="no",
                seed=3407,
                report_to=[],
                disable_tqdm=True,
                include_num_input_tokens_seen="non_padding",
            ),
            callbacks=[clock],
        )
        trainer = train_on_responses_only(
            trainer,
            instruction_part="<|im_start|>user\n",
            response_part="<|im_start|>assistant\n",
        )
        trainer.train()
        (began, before), (ended, after) = clock.ends[FIRST - 1], clock.ends[-1]
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said = {
            "tokens_per_second": (after - before) / (ended - began),
            "tokens_per_step": (after - before) / (len(clock.ends) - FIRST),
            "peak": torch.cuda.max_memory_allocated() if gpu else kilobytes * 1024,
            "loss": clock.loss,
        }
        figures.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
