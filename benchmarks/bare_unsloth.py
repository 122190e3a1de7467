"""Unsloth as its own examples use it, without a line of this project: what ours is compared with.

    python -m benchmarks.bare_unsloth BASE ROWS LENGTH STEPS BATCH ACCUMULATION METHOD

ROWS is a file of chats, {"messages": […]} a line. Prints one line of JSON.
"""

import json
import os
import sys
import tempfile
import time

os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
FIRST = 3
"""Steps before the clock: kernels are compiled in them."""


def main() -> None:
    base, rows, method = sys.argv[1], sys.argv[2], sys.argv[7]
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
            def __init__(self) -> None:
                self.ends: list[tuple[float, float]] = []

            def on_step_end(self, args, state, control, **more):
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
                warmup_steps=1,
                bf16=gpu and is_bfloat16_supported(),
                fp16=False,
                use_cpu=not gpu,
                logging_steps=1,
                save_strategy="no",
                seed=3407,
                report_to=[],
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
        peak = torch.cuda.max_memory_allocated() / 1e9 if gpu else None
        print(json.dumps({"tokens_per_second": (after - before) / (ended - began), "peak": peak}))


if __name__ == "__main__":
    main()
