"""What to say of a text that is no query: what is odd about it, or what belongs there instead."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The first row whose terminals of language.lark are all possible at that place tells.
_EXPECTATIONS = (
    ({"STRING", "NUMBER_OR_DATE"}, "a value belongs here"),
    ({"STRING", "NAME"}, "parameters belong here"),
    ({"MATCHES", "SIGN"}, "an operator belongs here"),
    ({"SIGN", "CONTAINS"}, "an operator belongs here"),
    ({"SIGN", "IN"}, "an operator belongs here"),
    ({"NOT", "NAME"}, "a filter belongs here"),
    ({"_AND", "_OR"}, "AND, OR or the end belongs here"),
    ({"_AND"}, "AND and a second value belong here"),
    ({"MATCHES"}, "CONTAINS or MATCHES belongs here"),
    ({"CONTAINS"}, "CONTAINS belongs here"),
    ({"NULL"}, "NULL or NOT NULL belongs here"),
    ({"IN"}, "IN belongs here"),
    ({"COLON"}, "a colon belongs here, or MATCHES before the parenthesis"),
    ({"COMMA"}, "a comma or a closing parenthesis belongs here"),
    ({"RPAR"}, "a closing parenthesis belongs here"),
    ({"LPAR"}, "an opening parenthesis belongs here"),
    ({"NAME"}, "a parameter belongs here"),
    ({"$END"}, "no parenthesis is open here"),
)
# People paste a whole ShopifyQL statement; a segment is only its condition.
_WHOLE_STATEMENT = re.compile(r"\s*(FROM|SHOW|SELECT|WHERE)\s", re.IGNORECASE)

_CHARACTERS = {
    "'": "a text begins here and its closing quote is missing",
    '"': "a text is written in single quotes",
    "\u2018": "a text is written in straight single quotes",
    "\u2019": "a text is written in straight single quotes",
    "\u201c": "a text is written in straight single quotes",
    "\u00a0": "a no-break space, pasted perhaps, is no blank here",
    "$": "an amount is written without its currency sign",
    "€": "an amount is written without its currency sign",
    "£": "an amount is written without its currency sign",
}


def about_character(character: str) -> str:
    """What is wrong with a character that begins nothing the language has."""
    return _CHARACTERS.get(character, f"'{character}' is unexpected")


def about_place(terminals: Iterable[str]) -> str:
    """What belongs where one of these terminals would have been right."""
    possible = set(terminals)
    return next((words for row, words in _EXPECTATIONS if row <= possible), "it has no place")


def is_statement(text: str) -> bool:
    """Whether this is a statement with FROM, SHOW or WHERE rather than a condition."""
    return _WHOLE_STATEMENT.match(text) is not None
