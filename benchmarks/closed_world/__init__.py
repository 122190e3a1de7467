"""The closed world: an experiment in which the truth is known. See examples/closed_world/README.md.

`language` has facts, conversations and summaries; `writers` the teacher, the editor and the
rewriter; `counting` reads a summary back and holds it against the facts; `base` pre-trains the
small model; `students` trains and asks; `python -m benchmarks.closed_world` makes the table.
"""
