"""`python -m arf_core.cli`, where the console script is not on the path."""

from arf_core.cli import main

main()
