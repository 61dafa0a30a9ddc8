"""SPSS data files, read and written without knowing what a Survey is; the shapes that every reader returns."""

from cxlab.spss._read import (
    NOTES,
    SPSS,
    TEXT,
    USER_MISSING,
    WARNED,
    Calendar,
    Contents,
    Note,
    parse,
    read_sav,
    to_contents,
)
from cxlab.spss._write import write_sav

__all__ = [
    "NOTES",
    "SPSS",
    "TEXT",
    "USER_MISSING",
    "WARNED",
    "Calendar",
    "Contents",
    "Note",
    "parse",
    "read_sav",
    "to_contents",
    "write_sav",
]
