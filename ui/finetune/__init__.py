"""The page Finetune."""
