"""Workflows of the sandbox's GitHub that use actions as they are: JavaScript, composite, of the checkout, none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import running
from tests.contract.github_contract import client
from tests.contract.workflows import AGENTS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTIONS = Path(__file__).parent / "actions"
SHA = "1234567890123456789012345678901234567890"
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="JavaScript actions need node")
OTHERS = {
    "{uses: contoso/image@v1}": "The sandbox does not run Docker actions: contoso/image@v1.",
    "{uses: 'docker://alpine:3'}": "The sandbox does not run Docker actions: docker://alpine:3.",
    "{uses: contoso/none@v1}": "Unable to resolve action contoso/none@v1: there is no folder",
    "{uses: contoso/report}": "Expected format",
    "{uses: contoso/../../report@v1}": "Expected format",
    "{uses: ./not/there}": "Did you forget to run actions/checkout",
    "{uses: ./../..}": "leads out of the checkout",
    "{uses: ./broken/kind}": "does not run actions that use 'perl'",
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A repository's Actions at a sandbox with our own actions in its folder."""
    with running(tmp_path_factory.mktemp("sandbox"), "--actions", str(ACTIONS)) as sandbox:
        sandbox.reset()
        with client(sandbox) as http:
            yield Hub(sandbox, http)


@NEEDS_NODE
def test_javascript_action(hub: Hub) -> None:
    steps = f"""
- id: report
  uses: contoso/report@{SHA} # v1.2.3
  with: {{Who: octocat, old: x, odd: y}}
  env: {{LEVEL: step}}
- run: |
    echo "${{{{ steps.report.outputs.greeting }}}}, $GREETED"
    echo "${{{{ steps.report.outputs.older }}}}"
"""
    conclusion, lines = hub.once(steps)
    assert conclusion == "success"
    assert lines == [
        "pre of octocat",
        "##[warning]Unexpected input(s) 'odd', valid inputs are ['who', 'loud greeting', 'from', 'old']",
        "##[warning]Input 'old' has been deprecated with message: Use 'who'",
        "INPUT_FROM=contoso/agents INPUT_LOUD_GREETING=false INPUT_ODD=y INPUT_OLD=x INPUT_WHO=octocat",
        f"report contoso/report {SHA}",
        "string undefined",
        "*** and::not a command",
        "::error::quoted",
        "::until-then::",
        "hello octocat, octocat",
        "one",
        "two",
        "post of octocat",
    ]
    number = hub.http.get(f"{AGENTS}/actions/runs").json()["workflow_runs"][0]["id"]
    steps_shown = [(step["number"], step["name"]) for step in hub.jobs(number)["one"]["steps"]]
    assert steps_shown == [
        (1, "Set up job"),
        (2, f"Pre Run contoso/report@{SHA}"),
        (3, f"Run contoso/report@{SHA}"),
        (4, 'Run echo "${{ steps.report.outputs.greeting }}, $GREETED"'),
        (5, f"Post Run contoso/report@{SHA}"),
        (6, "Complete job"),
    ]


@NEEDS_NODE
def test_javascript_action_that_fails_is_tidied_up_after(hub: Hub) -> None:
    steps = f"""
- name: Greet nobody
  uses: contoso/report@{SHA}
  with: {{who: nobody}}
- run: echo never
- if: failure()
  run: test -n "$ACTIONS_ID_TOKEN_REQUEST_URL" && echo told
"""
    conclusion, lines = hub.once(steps, head="permissions: {id-token: write}")
    assert conclusion == "failure"
    assert lines[3] == "undefined string"
    assert lines[-4:] == ["##[error]Nobody%3A is there", "to greet", "told", "post of nobody"]


@NEEDS_NODE
def test_composite_action(hub: Hub) -> None:
    steps = """
- id: wrap
  uses: contoso/wrap@v1
  env: {LEVEL: outside}
- run: echo "${{ steps.wrap.outputs.said }} / ${{ steps.wrap.outputs.file }} / $GREETED"
- uses: contoso/report@v2
- {id: bad, uses: contoso/wrap@main, with: {fail: true, who: x}, continue-on-error: true}
- run: echo "${{ steps.bad.outcome }} ${{ job.status }}"
"""
    conclusion, lines = hub.once(steps)
    assert conclusion == "success"
    assert "INPUT_FROM=outside INPUT_LOUD_GREETING=false INPUT_WHO=world" in lines
    assert "hello world / beside the action world / world" in lines
    assert "second edition" in lines
    assert lines[-4:] == [
        "##[error]Process completed with exit code 4.",
        "failed inside true success",
        "failure success",
        "post of world",
    ]
    assert lines[:2] == ["pre of world", "pre of x"]
    assert lines.count("never after a failure") == 1


def test_action_of_the_checkout(hub: Hub) -> None:
    action = """\
inputs: {word: {default: "${{ github.ref_name }}"}}
outputs: {word: {value: "${{ steps.say.outputs.word }}"}}
runs:
  using: composite
  steps:
    - {id: say, run: 'echo "word=${{ inputs.word }}" >> "$GITHUB_OUTPUT"', shell: bash}
    - {run: "echo ${{ secrets.WORD }}", shell: bash, if: "inputs.word == 'peek'"}
"""
    files = {"tools/say/action.yaml": action, "broken/kind/action.yml": "runs: {using: perl, main: x}\n"}
    hub.push("# nothing\n", "other.yml", **files)
    steps = """
- uses: actions/checkout@v7
- {id: say, uses: ./tools/say}
- run: echo "${{ steps.say.outputs.word }}"
- {uses: ./tools/say, with: {word: peek}}
"""
    conclusion, lines = hub.once(steps)
    assert conclusion == "failure"
    assert lines[0] == "main"
    assert "Unrecognized named-value: 'secrets'" in lines[1]


def test_what_is_no_action_fails_its_step_alone(hub: Hub) -> None:
    hub.push("# nothing\n", "other.yml", **{"broken/kind/action.yml": "runs: {using: perl, main: x}\n"})
    tolerated = "".join(f"- {step[:-1]}, continue-on-error: true}}\n" for step in OTHERS)
    conclusion, lines = hub.once(f"- uses: actions/checkout@v7\n{tolerated}- run: echo done")
    assert conclusion == "success"
    for told, line in zip(OTHERS.values(), lines, strict=False):
        assert told in line
    assert lines[-1] == "done"
    assert str(ACTIONS / "contoso" / "none") in lines[2]
