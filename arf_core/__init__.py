"""ARF Studio: find what a teacher model gets wrong, correct it, teach a small model with it."""

__version__ = "0.1.0"
