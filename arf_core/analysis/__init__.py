"""Detectors read summaries; people annotate them."""
