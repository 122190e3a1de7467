"""What stands in one cell, as text or as an id."""

from arf_core.importing.rows import Cell, RowFault


def text_of(cell: Cell) -> str:
    """The words in a cell, exactly as they stand. Raises RowFault for what cannot be text."""
    if isinstance(cell, str):
        return checked(cell)
    if cell is None:
        return ""
    if isinstance(cell, list):
        return "\n".join(_part(p) for p in cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(cell)
    raise RowFault("the words of a message are no text", repr(cell))


def _part(part: Cell) -> str:
    """A part of a message in chat format."""
    if isinstance(part, str):
        return checked(part)
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return checked(part["text"])
    raise RowFault("the words of a message are no text", repr(part))


def checked(text: str) -> str:
    """The same text. Raises RowFault for what no database or file can hold."""
    if "\0" in text:
        raise RowFault("a NUL character stands in the text", text)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RowFault("half of a character pair (lone surrogate)", text) from error
    return text


def id_of(cell: Cell) -> str:
    """An id as text: 12 and 12.0 are "12". Empty where there is none."""
    if isinstance(cell, str):
        return checked(cell)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool | list | dict):
        raise RowFault("the id is neither text nor a number", repr(cell))
    return str(cell)
