"""Figures: numbers, money, percentages, dates, times, lengths of time, quantities, codes.

`figures` finds those of a text, each with all that it may mean.
"""

from arf_core.checks.figures.model import Amount, Clock, Code, Day, Figure, Kind, Reading
from arf_core.checks.figures.scan import figures

__all__ = ["Amount", "Clock", "Code", "Day", "Figure", "Kind", "Reading", "figures"]
