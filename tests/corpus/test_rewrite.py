"""What becomes of the corpus when it is rewritten: it parses, what was left is found and nothing else, and once is enough.

What may change in a file is listed here, line by line; everything else has to stay as it is, byte for byte.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.corpus.cases import CASES
from tests.corpus.marks import Case, plain, repository_of
from trustsmith.migrate.scan import scan
from trustsmith.model.pins import Pin
from trustsmith.rewrite import Choices, rewrite
from trustsmith.rewrite.undo import is_keyless, restore, turns
from trustsmith.systems import sources

if TYPE_CHECKING:
    from trustsmith.migrate.scan import Use
    from trustsmith.model.workflow import Workflow
    from trustsmith.rewrite import Rewritten

SHA = "0123456789abcdef0123456789abcdef01234567"
CHOICES = Choices(
    pin=Pin(action="azure/login", version="v3.9.9", sha=SHA, date="2026-01-01"),
    audience="api://AzureADTokenExchange",
    environments={"*": "production"},
)
AZURE = [case for case in CASES if case.expected]

#: Lines that a rewriting may take out: all have to do with a sign-in, or hold what is only there for one.
GONE = re.compile(
    r"""^\s*(?:-\s+)?(?:
    uses:\ .?(?:azure/(?:docker-)?login|docker/login-action)@.* | (?:with|env|secrets|run):(?:\ \|-?)?
    | (?:registry|login-server|username|shell):.* | required:\ true
    | creds:.* | [{}] | "(?:client|tenant|subscription)Id":.* | set\ -euo\ pipefail | az\ account\ set\ .* | --tenant.*
    | .*(?:client[-_]?secret|secret:|password|secrets\.|secrets\[|az\ login|azd\ auth\ login|docker\ login|az\ acr\ login|"\$PW").*
    | env:\ \{.*\} | credentials?:.* | description:\ .* | --username\ .* | .*fromJSON.* | (?:client|tenant)-id:.*
    )\s*(?:\#.*)?$""",
    re.VERBOSE | re.IGNORECASE,
)
#: Lines that it may put in.
NEW = re.compile(
    r"""^\s*(?:-\s+)?(?:
    uses:\ .?azure/login@[0-9a-f]{40}.? | (?:client|tenant|subscription)-id:.* | allow-no-subscriptions:\ true
    | permissions: | contents:\ read | id-token:\ write | environment:\ production | with: | if:.* | env:(?:\ \{.*\})?
    | ARM_USE_OIDC:\ "true" | REGISTRY:\ .* | (?:run:\ )?az\ acr\ login\ --name\ .* | run:\ \|
    | description:\ the\ .* | required:\ (?:true|false)
    | .*--federated-token\ .* | .*--federated-credential-provider\ "github".* | .*ARM_USE_OIDC=true.*
    | .*\$\{\{\ vars\.AZURE_(?:CLIENT|TENANT|SUBSCRIPTION)_ID\ \}\}.*
    )?\s*(?:\#.*)?$""",
    re.VERBOSE | re.IGNORECASE,
)


class Done(NamedTuple):
    """A case, rewritten."""

    before: dict[str, str]
    after: dict[str, str]
    uses: list[Use]
    done: Rewritten


@cache
def rewritten(case: Case) -> Done:
    before = {file: plain(marked).removeprefix("\ufeff") for file, marked in case.files.items()}
    repository = repository_of(before)
    uses = scan(repository)
    done = rewrite(repository, uses, CHOICES)
    return Done(before, before | dict(done.texts), uses, done)


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, with their ends."""
    lines = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    return [line[2:] for line in lines if line.startswith("- ")], [
        line[2:] for line in lines if line.startswith("+ ")
    ]


@pytest.mark.parametrize("case", AZURE, ids=lambda case: case.name)
def test_what_was_left_is_found_again_and_once_is_enough(case: Case) -> None:
    _, after, uses, done = rewritten(case)
    repository = repository_of(after)
    found = scan(repository, {secret for use in uses for secret in use.secrets})
    assert Counter((use.file, use.secrets) for use in found) == Counter(
        (use.file, use.secrets) for use in done.left
    )
    assert rewrite(repository, found, CHOICES).texts == {}


@pytest.mark.parametrize("case", AZURE, ids=lambda case: case.name)
def test_only_lines_of_a_sign_in_change(case: Case) -> None:
    before, after, _, _ = rewritten(case)
    for file, text in before.items():
        gone, new = changed_lines(text, after[file])
        assert [line for line in gone if not GONE.search(line.rstrip("\r\n"))] == []
        assert [line for line in new if not NEW.search(line.rstrip("\r\n"))] == []
        ends = {line[len(line.rstrip("\r\n")) :] for line in text.splitlines(keepends=True)}
        assert {line[len(line.rstrip("\r\n")) :] for line in new} <= ends
        comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
        assert [line for line in after[file].splitlines() if line.lstrip().startswith("#")] == comments


def test_what_is_nothing_of_the_kind_stays() -> None:
    assert [case.name for case in CASES if not case.expected and rewritten(case).done.texts] == []


def test_most_is_rewritten() -> None:
    uses = [use for case in AZURE for use in rewritten(case).uses]
    left = [use for case in AZURE for use in rewritten(case).done.left]
    by_pattern = Counter(use.pattern for use in uses)
    by_pattern.subtract(use.pattern for use in left)
    assert by_pattern["azure-login-creds"] >= 60
    assert by_pattern["az-login-secret"] >= 36
    assert by_pattern["registry-password"] >= 36
    assert by_pattern["terraform-secret"] >= 24
    assert sum(by_pattern.values()) >= 185


def test_each_use_is_rewritten_or_left_with_a_reason() -> None:
    for case in AZURE:
        _, _, uses, done = rewritten(case)
        assert set(done.left) <= set(uses)
        assert all(done.left.values())
        if not done.texts:
            assert set(done.left) == set(uses), case.name


def test_each_rewriting_is_found_again_and_can_be_taken_back() -> None:
    for case in (case for case in AZURE if "," not in case.name or case.name.endswith("as it is")):
        before, after, _, done = rewritten(case)
        histories = {file: [("old", before[file]), ("new", after[file])] for file in done.texts}
        assert all(map(is_keyless, done.texts.values())), case.name
        found = turns(histories, _parsed)
        assert set(found) == set(histories), case.name
        for file, listed in found.items():
            assert restore(after[file], listed, {}, _parsed, _untouched).text == before[file], case.name


def _parsed(text: str, file: str) -> Workflow | None:
    return sources.parsed(text, file)[0]


def _untouched(ours: str, base: str, theirs: str) -> str | None:
    """The merge where nobody has changed anything since."""
    return theirs if ours == base else None
