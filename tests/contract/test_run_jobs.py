"""What the jobs of a workflow run do at the sandbox's GitHub: steps, outputs, matrices, variables, secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.github_contract import client, put_secret
from tests.contract.workflows import AGENTS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Sandbox

FLOW = """\
on: workflow_dispatch
env: {LEVEL: workflow, TOP: "${{ github.repository }}"}
defaults: {run: {shell: bash}}
jobs:
  first:
    runs-on: x
    outputs: {word: "${{ steps.say.outputs.word }}", text: "${{ steps.say.outputs.text }}"}
    steps:
      - id: say
        run: |
          echo word=hello >> "$GITHUB_OUTPUT"
          printf 'text<<END\\na\\nb\\nEND\\n' >> "$GITHUB_OUTPUT"
  many:
    name: many ${{ matrix.letter }}${{ matrix.extra }}
    needs: [first]
    runs-on: [x]
    env: {LEVEL: job}
    strategy:
      matrix:
        letter: [a, b]
        include: [{letter: b, extra: "!"}, {letter: c}]
    steps:
      - env: {LEVEL: "step ${{ matrix.letter }}"}
        run: echo "${{ needs.first.outputs.word }} $LEVEL $TOP ${{ env.LEVEL }}"
  broken:
    runs-on: x
    continue-on-error: ${{ github.ref_name == 'main' }}
    steps:
      - {id: bad, run: exit 3}
      - {run: echo never}
      - {if: failure(), run: "echo ${{ steps.bad.outcome }}"}
      - {if: "${{ always() && github.actor == 'OCTOCAT' }}", run: echo always}
      - {if: "success() || cancelled()", run: echo never}
  after:
    needs: [many, broken]
    if: ${{ needs.broken.result == 'failure' }}
    runs-on: x
    steps: [{run: echo never}]
  last:
    needs: [after]
    if: always()
    runs-on: x
    steps:
      - run: echo "${{ toJSON(needs.after.result) }} ${{ join(fromJSON('[1,2]'), '+') }}"
"""
TALK = """\
- run: |
    echo "ADDED=by a step" >> "$GITHUB_ENV"
    mkdir tools && printf '#!/bin/sh\\necho a tool\\n' > tools/tool && chmod +x tools/tool
    echo "$PWD/tools" >> "$GITHUB_PATH"
    echo "# done" >> "$GITHUB_STEP_SUMMARY"
- run: tool && echo "$ADDED ${{ env.ADDED }}" && basename "$(pwd)"
- {run: pwd | xargs basename, working-directory: tools}
- shell: python
  run: |
    import json, os, ssl
    print(os.environ["GITHUB_REF_NAME"], os.environ["CI"], "ACTIONS_ID_TOKEN_REQUEST_URL" in os.environ)
    print(json.load(open(os.environ["GITHUB_EVENT_PATH"]))["ref"])
    print("trustsmith sandbox" in str(ssl.create_default_context().get_ca_certs()))
- {shell: sh, run: "echo ${{ runner.os }} ${{ job.status }}"}
- {continue-on-error: true, run: exit 1}
- {timeout-minutes: 0.002, continue-on-error: true, run: sleep 20}
- run: echo done
"""
BAD_STEPS = {
    "{uses: azure/login@v3}": "The sandbox does not run actions: azure/login@v3",
    "{run: \"echo ${{ hashFiles('x') }}\"}": "Unrecognized function: 'hashFiles'",
    "{run: 'echo ${{ inputs.a'}": "has no end",
    "{run: echo, if: 'nobody.is == 1'}": "Unrecognized named-value: 'nobody'",
    "{run: echo, shell: pwsh}": "does not run the shell 'pwsh'",
    "{run: 'echo odd >> $GITHUB_OUTPUT'}": "Invalid format 'odd'",
    "{run: 'echo a\\<\\<END >> $GITHUB_OUTPUT'}": "Matching delimiter not found 'END'",
    "{run: echo, working-directory: none}": "none",
    "{run: echo, timeout-minutes: soon}": "soon",
    "{run: echo, env: [A]}": "A mapping is needed",
    "{run: kill -9 $$}": "exit code 137",
}
BAD_JOBS = {
    "{uses: ./.github/workflows/other.yml}": "workflow was not found",
    "{runs-on: x, container: x, steps: [{run: echo}]}": "containers",
    "{runs-on: x, if: 'nobody()', steps: [{run: echo}]}": "nobody",
    "{runs-on: x, strategy: {matrix: 7}, steps: [{run: echo}]}": "cannot be started",
    "{runs-on: x, strategy: {matrix: {a: []}}, steps: [{run: echo}]}": "no combination",
    "{runs-on: '${{ nobody }}', steps: [{run: echo}]}": "nobody",
    "{runs-on: x, outputs: {a: '${{ nobody }}'}, steps: [{run: echo}]}": "nobody",
    "{runs-on: x, environment: '${{ nobody }}', steps: [{run: echo}]}": "nobody",
    "{runs-on: x, env: {A: '${{ nobody }}'}, steps: [{run: echo}]}": "nobody",
}


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def test_jobs_that_need_each_other(hub: Hub) -> None:
    hub.push(FLOW, "flow.yml")
    number = hub.dispatch("flow.yml")
    assert hub.ended(number) == "success"
    ends = {name: job["conclusion"] for name, job in hub.jobs(number).items()}
    assert ends == {
        "first": "success",
        "many a": "success",
        "many b!": "success",
        "many c": "success",
        "broken": "failure",
        "after": "skipped",
        "last": "success",
    }
    assert hub.output(number, "many b!") == ["hello step b contoso/agents step b"]
    assert hub.output(number, "broken") == [
        "##[error]Process completed with exit code 3.",
        "failure",
        "always",
    ]
    steps = [step["conclusion"] for step in hub.jobs(number)["broken"]["steps"]]
    assert steps == ["success", "failure", "skipped", "success", "success", "skipped", "success"]
    assert hub.output(number, "last") == ["skipped 1+2"]


def test_steps_talk_to_those_that_follow(hub: Hub) -> None:
    conclusion, lines = hub.once(TALK)
    assert conclusion == "success"
    assert lines == [
        "a tool",
        "by a step by a step",
        "agents",
        "tools",
        "main true False",
        "refs/heads/main",
        "True",
        "Linux success",
        "##[error]Process completed with exit code 1.",
        "##[error]The step has timed out after 0.002 minutes.",
        "done",
    ]


def test_secrets_are_starred_out(hub: Hub) -> None:
    for name, value in (("WORD", "open-sesame"), ("LINES", "one-line\ntwo-line"), ("EMPTY", " ")):
        put_secret(hub.http, f"{AGENTS}/actions", name, value)
    steps = """
- env: {WORD: "${{ secrets.WORD }}", LINES: "${{ secrets.LINES }}"}
  run: |
    echo "open-sesame and $WORD"
    echo "$LINES"
    echo "::add-mask::by-the-step"
    echo "by-the-step"
    echo "::error file=a.py,line=1::it broke"
    echo "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" | wc -c | xargs test 100 -lt
    echo "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
- run: echo ${{ secrets.WORD }}
"""
    conclusion, lines = hub.once(steps, head="permissions: {id-token: write}")
    assert conclusion == "success"
    assert lines == ["*** and ***", "***", "***", "***", "##[error]it broke", "***", "***"]
    number = hub.http.get(f"{AGENTS}/actions/runs").json()["workflow_runs"][0]["id"]
    assert "sesame" not in hub.log(hub.jobs(number)["one"])


def test_checkout_is_played(hub: Hub) -> None:
    steps = """
- {id: out, uses: actions/checkout@v7}
- {id: python, uses: Actions/Setup-Python@v7, with: {python-version: "3.13"}}
- run: |
    cat README.md; ls -A
    test "$(command -v python)" = "${{ steps.python.outputs.python-path }}" && python -m pip --version
    echo "${{ steps.out.outputs.ref }} ${{ steps.out.outputs.commit == github.sha }}"
"""
    conclusion, lines = hub.once(steps)
    assert conclusion == "success"
    assert re.match(r"Played: Python 3\.", lines.pop(0))
    assert lines.pop(3).startswith("pip ")
    assert lines == ["# agents", ".github", "README.md", "refs/heads/main true"]


def test_what_cannot_be_run_fails_and_says_why(hub: Hub) -> None:
    jobs = [f"{{runs-on: x, steps: [{step}]}}" for step in BAD_STEPS] + list(BAD_JOBS)
    text = "".join(f"  job{place}: {job}\n" for place, job in enumerate(jobs))
    hub.push(f"on: [workflow_dispatch]\njobs:\n{text}", "odd.yml")
    number = hub.dispatch("odd.yml")
    assert hub.ended(number) == "failure"
    shown = hub.jobs(number)
    for place, told in enumerate([*BAD_STEPS.values(), *BAD_JOBS.values()]):
        job = shown[f"job{place}"]
        annotations = hub.http.get(f"{AGENTS}/check-runs/{job['id']}/annotations").json()
        assert told in (annotations[0]["message"] if annotations else hub.log(job))
        assert job["conclusion"] == "failure"
        assert all(step["status"] == "completed" for step in job["steps"])


def test_job_that_takes_too_long(hub: Hub) -> None:
    text = """\
on: [workflow_dispatch]
jobs:
  one:
    runs-on: x
    timeout-minutes: 0.002
    steps:
      - run: sleep 20
      - {if: always(), run: echo tidied up}
      - run: echo never
"""
    hub.push(text, "long.yml")
    number = hub.dispatch("long.yml")
    assert hub.ended(number) == "cancelled"
    assert "maximum execution time" in hub.output(number, "one")[0]
    assert hub.output(number, "one")[-1] == "tidied up"
