"""The parts of the scan: shells' commands, GitHub's expressions, and what names say."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.corpus.cases import CASES
from tests.corpus.marks import repository_of
from trustsmith.errors import Problem
from trustsmith.migrate import names, patterns
from trustsmith.migrate.expressions import references
from trustsmith.migrate.inventory import Seen
from trustsmith.migrate.listing import Listing
from trustsmith.migrate.listing import listing as listed
from trustsmith.migrate.scan import scan
from trustsmith.migrate.shell import commands, option
from trustsmith.ui import report_migrate

DOCS = Path(__file__).resolve().parents[2] / "docs" / "migrate.md"
SARIF = Path(__file__).resolve().parents[1] / "contracts" / "sarif.json"


def words(script: str) -> list[list[str]]:
    return [[word.text for word in command.words] for command in commands(script)]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("a b; c | d && e || f &\ng", [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("a 'b c' \"d $e\" f\\ g", [["a", "b c", "d $e", "f g"]]),
        ("a \\\n  b \\\r\n  c", [["a", "b", "c"]]),
        ("a `\n  b ^\n c", [["a", "b", "c"]]),
        ("a # b\n# c\nd#e f", [["a"], ["d#e", "f"]]),
        ("cat <<'X' >f\naz login\nX\nb", [["cat", "<<'X'", ">f"], ["b"]]),
        ("cat <<-EOF | b\n\tc\n\tEOF\nd", [["cat", "<<-EOF"], ["b"], ["d"]]),
        ('a <<< "$B"', [["a", "<<<", "$B"]]),
        ("a 2>&1 >/dev/null &>x", [["a", "2>&1", ">/dev/null", "&>x"]]),
        ("A=$(b c | d) e", [["A=$(b c | d)", "e"], ["b", "c"], ["d"]]),
        ("bash -ec 'a; b'", [["bash", "-ec", "a; b"], ["a"], ["b"]]),
        ("a ${{ x && 'y z' }}b \"${{ w || v }}\"", [["a", "${{ x && 'y z' }}b", "${{ w || v }}"]]),
        ("if a; then b; fi", [["if", "a"], ["then", "b"], ["fi"]]),
        ("{ a; }\nf() { b; }", [["a"], ["f"], ["b"]]),
        ("REM az login\n:: x\nd", [["d"]]),
        ("", []),
    ],
)
def test_commands(script: str, found: list[list[str]]) -> None:
    assert words(script) == found


@given(st.text(alphabet="a b'\"\\`$(){}|&;<>#\n=-", max_size=60))
def test_any_text_is_read_to_its_end_and_words_stand_where_they_say(script: str) -> None:
    for command in commands(script):
        assert 0 <= command.start < command.end <= len(script)
        for word in command.words:
            assert command.start <= word.start < word.end <= command.end


@pytest.mark.parametrize("text", ["${{ " + "''" * 100_000, "${{ " * 100_000, "${{ '" + "}" * 300_000])
def test_an_expression_without_an_end_takes_no_time(text: str) -> None:
    began = time.process_time()
    assert not list(references(text))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["toJSON(secrets.*)", "join(secrets . *, '')", "(secrets)['X']", "secrets['A''B']"]
)
def test_all_secrets_however_they_are_spelled(text: str) -> None:
    (found,) = references(f"${{{{ {text} }}}}")
    assert (found.context, found.name) == ("secrets", "")


_LOGIN = "az login --service-principal -u x -t y -p $A\n"


@pytest.mark.parametrize(
    "script",
    [
        "A=$(" * 5_000,
        'A="$A x"\n' * 200 + _LOGIN,
        "cd a\n" * 200 + "./x.sh\n",
        "./x.sh " * 5_000,
        _LOGIN * 500,
        "echo ${{ secrets.A }}\n" * 2_000 + _LOGIN,
        "echo '" + " " * 100_000 + "b'",
    ],
)
def test_no_script_takes_long(script: str) -> None:
    began = time.process_time()
    steps = {"steps": [{"run": script}]}
    text = json.dumps({"on": "push", "jobs": {"a": {"runs-on": "x", **steps}}})
    scan(repository_of({".github/workflows/a.yml": text}))
    assert time.process_time() - began < 5  # a third of it, where others are at work


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("az login -p x", "x"),
        ("az login --password x", "x"),
        ("az login --password=x", "--password=x"),
        ("az login -p$X", "-p$X"),
        ("az login --passthrough", None),
        ("az login -p", None),
    ],
)
def test_options(line: str, value: str | None) -> None:
    (command,) = commands(line)
    found = option(command.words, "-p", "--password")
    assert (found.text if found else None) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${{ secrets.a }}", [("secrets", "A", "")]),
        ("${{secrets['A_B']}} ${{ Secrets . c }}", [("secrets", "A_B", ""), ("secrets", "C", "")]),
        ("${{ secrets[matrix.x] }}", [("secrets", "", "matrix.x"), ("matrix", "x", "")]),
        ("${{ toJSON(secrets) }}", [("secrets", "", "")]),
        ("${{ 'secrets.A' }} secrets.B", []),
        ("${{ format('}}', secrets.A) }}", [("secrets", "A", "")]),
        ("${{ github.event.inputs.Env || inputs.x }}", [("inputs", "env", ""), ("inputs", "x", "")]),
        ("${{ github.secrets.x }} ${{ my-secrets.x }} ${{ secretsx.y }}", []),
        ("${{ env.A }} ${{ vars.b }}", [("env", "A", ""), ("vars", "B", "")]),
    ],
)
def test_references(text: str, found: list[tuple[str, str, str]]) -> None:
    assert [(r.context, r.name, r.computed) for r in references(text)] == found


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("AZURE_CREDENTIALS", patterns.OTHER_USE),
        ("AZURECREDENTIALS", patterns.OTHER_USE),
        ("DEV_AZURE_CREDS", patterns.OTHER_USE),
        ("AZURE_CLIENT_SECRET_PROD", patterns.OTHER_USE),
        ("AZURE_AD_CLIENT_SECRET", patterns.OTHER_USE),
        ("ARM_CLIENT_SECRET", patterns.OTHER_USE),
        ("AZURE_SERVICE_PRINCIPAL", patterns.OTHER_USE),
        ("ACR_PASSWORD", patterns.REGISTRY_PASSWORD),
        ("AZURE_REGISTRY_PROD_PASSWORD", patterns.REGISTRY_PASSWORD),
        ("PROD_AZURE_AI_FOUNDRY_API_KEY", patterns.API_KEY),
        ("AZUREOPENAI__APIKEY", patterns.API_KEY),
        ("AZURE_STORAGE_CONNECTION_STRING", patterns.STORAGE_KEY),
        ("AZUREAPPSERVICE_PUBLISHPROFILE_1A2B", patterns.PUBLISH_CREDENTIAL),
        *(
            (name, "")
            for name in (
                "AZURE_CLIENT_ID",
                "AZURE_CLIENT_SECRET_ID",
                "AZURE_DEVOPS_CREDENTIALS",
                "AZURE_SQL_PASSWORD",
                "AWS_SECRET_ACCESS_KEY",
                "OPENAI_API_KEY",
                "SWARM_CREDS",
                "NPM_TOKEN",
                "CLIENT_SECRET",
                "AZURE_AKS_SSH_PUBLIC_KEY",
                "MACRO_KEY",
            )
        ),
    ],
)
def test_what_names_say(name: str, pattern: str) -> None:
    assert names.of_secret(name) == pattern


def test_every_pattern_has_its_section_and_is_in_the_corpus() -> None:
    text = DOCS.read_text("utf-8")
    sections = re.findall(r"^### `([a-z-]+)`$", text, re.MULTILINE)
    assert sorted(sections) == sorted(patterns.PATTERNS)
    shown, others = text.split("Other long-lived keys of Azure", 1)
    assert {f"`{p.id}`" for p in patterns.PATTERNS.values() if not p.entra} <= set(
        re.findall(r"`[a-z-]+`", others)
    )
    assert "`registry-password`\n" not in shown
    assert {found.pattern for case in CASES for found in case.expected} == set(patterns.PATTERNS)


# -- what is shown ---------------------------------------------------------------------------------------------------

LOGIN = """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v2
        with:
          creds: '{"clientSecret":"abc8Q~never-to-be-shown-never-to-be-shown"}'
      - run: docker login contoso.azurecr.io -u ci -p ${{ secrets.CI_PW }}
"""
PROBLEM = Problem("broken.yml", 3, 1, "This is not valid YAML: a tab is used for indentation.", "Mend it.")


def listing(text: str = LOGIN, *problems: Problem) -> Listing:
    repository = repository_of({".github/workflows/a b.yml": text})
    uses = scan(repository)
    return listed(repository, uses, seen=Seen(), problems=list(problems), today="", left=uses[:1])


def test_text_says_where_what_and_what_instead() -> None:
    text = "\n".join(line.text for line in report_migrate.lines(listing(LOGIN, PROBLEM)))
    assert "  8:19  -      azure-login-creds: azure/login signs in with a secret (by hand)" in text
    assert "  9:55  CI_PW  registry-password: " in text
    assert "broken.yml:3:1: This is not valid YAML" in text
    assert "azure-login-creds  azure/login with client-id" in text
    assert text.endswith("2 uses of 1 secret in 1 file; 1 can be rewritten, 1 by hand.")


def test_what_is_said_of_all_uses_is_said_once() -> None:
    repository = repository_of({".github/workflows/a.yml": LOGIN})
    uses = scan(repository)
    found = listed(repository, uses, seen=Seen(), problems=[], today="", left=uses)
    assert [line.text for line in report_migrate.lines(found) if "by hand" in line.text] == [
        "2 uses of 1 secret in 1 file; 0 can be rewritten, 2 by hand."
    ]


def test_a_secret_that_is_written_out_is_never_shown() -> None:
    found = listing(LOGIN, PROBLEM)
    shown = [line.text for line in report_migrate.lines(found)]
    assert "never-to-be-shown" not in "".join(shown) + json.dumps(
        [found.as_json(), report_migrate.sarif(found)]
    )


def test_json_has_what_was_promised() -> None:
    first, second = listing().as_json()["findings"]
    promised = {"file", "line", "pattern", "secret", "level", "replacement", "rewritable"}
    assert promised <= set(first)
    assert (first["secret"], second["secret"], second["secrets"]) == ("", "CI_PW", ["CI_PW"])
    assert (second["line"], second["column"], second["entra"]) == (9, 55, False)


def test_sarif_is_what_the_standard_says() -> None:
    document = report_migrate.sarif(listing(LOGIN, PROBLEM))
    schema = json.loads(SARIF.read_text("utf-8"))
    problems = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(
        document
    )
    assert [problem.message for problem in problems] == []
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": ".github/workflows/a%20b.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8, "startColumn": 19},
    }


def test_sarif_of_names_that_are_no_text() -> None:
    found = listing(LOGIN.replace("  live:", '  "live\\ud800":'))
    assert report_migrate.sarif(found)["runs"][0]["results"]


def test_the_same_use_keeps_its_fingerprint_when_lines_move() -> None:
    def prints(text: str) -> list[str]:
        results = report_migrate.sarif(listing(text))["runs"][0]["results"]
        return [result["partialFingerprints"]["trustsmith/v1"] for result in results]

    assert prints(LOGIN) == prints(f"# one more line\n{LOGIN}")
    assert len(set(prints(LOGIN))) == 2


def test_nothing_found_is_said_so() -> None:
    (last,) = (line.text for line in report_migrate.lines(listing("on: push\njobs: {}\n")))
    assert last == "No use of a long-lived Azure credential in 1 file."
