"""How people write YAML: each style turns the text of a workflow into another that says the same. Marks move along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_VALUE = re.compile(r"^( +(?:- )?[\w-]+: )((?:«[^»]*»)?\$\{\{[^\n\"']*\}\})$", re.MULTILINE)


def _as_it_is(text: str) -> str:
    return text


def _double_quotes(text: str) -> str:
    return _VALUE.sub(r'\1"\2"', text)


def _single_quotes(text: str) -> str:
    return _VALUE.sub(r"\1'\2'", text)


def _four_spaces(text: str) -> str:
    text = re.sub(r"^( +)- ", r"\1-   ", text, flags=re.MULTILINE)
    return re.sub(r"^( +)", lambda found: found[1] * 2, text, flags=re.MULTILINE)


def _lists_not_indented(text: str) -> str:
    """`steps:` and its dashes at the same column."""
    head, steps, rest = text.partition("    steps:\n")
    return head + steps + re.sub(r"^  ", "", rest, flags=re.MULTILINE)


def _carriage_returns(text: str) -> str:
    return text.replace("\n", "\r\n")


def _byte_order_mark(text: str) -> str:
    return "\ufeff" + text


def _comments(text: str) -> str:
    """A comment above each step, and behind each value that is an expression."""
    above = "      # creds: ${{ secrets.AZURE_CREDENTIALS }}\n      - "
    return _VALUE.sub(r"\1\2  # see the wiki", re.sub(r"^      - ", above, text, flags=re.MULTILINE))


def _document(text: str) -> str:
    return f"# Ours\n---\n{text}..."


def _blank_lines(text: str) -> str:
    return re.sub(r"^      - ", "\n\n      - ", text, flags=re.MULTILINE)


STYLES: dict[str, Callable[[str], str]] = {
    "as it is": _as_it_is,
    "double quotes": _double_quotes,
    "single quotes": _single_quotes,
    "four spaces": _four_spaces,
    "lists not indented": _lists_not_indented,
    "carriage returns": _carriage_returns,
    "byte order mark": _byte_order_mark,
    "comments": _comments,
    "document": _document,
    "blank lines": _blank_lines,
}

HEAD = """\
name: deploy
on:
  push:
    branches: [main]
  workflow_dispatch:
jobs:
  deploy-live:
    runs-on: ubuntu-latest
    steps:
"""
