"""People decide on corrections: the queue, one card at a time, decisions, and their application."""
