"""Workflows that call workflows at the sandbox's GitHub, and what a matrix makes of a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.github_contract import client, put_secret
from tests.contract.workflows import AGENTS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Sandbox

CALLED = """\
on:
  workflow_call:
    inputs:
      target: {type: string, required: true}
      loud: {type: boolean}
      times: {type: number, default: 3}
    secrets:
      WORD: {required: true}
    outputs:
      said: {value: "${{ jobs.say.outputs.said }}"}
env: {LEVEL: called}
jobs:
  say:
    runs-on: x
    environment: ${{ inputs.target }}
    permissions: {id-token: write, contents: read}
    outputs: {said: "${{ steps.say.outputs.said }}"}
    steps:
      - id: say
        shell: python
        run: |
          import base64, json, os, urllib.request as request
          url = os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=x"
          asked = request.Request(url, headers={"Authorization": "bearer " + os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]})
          body = json.load(request.urlopen(asked))["value"].split(".")[1]
          claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
          for name in ("sub", "job_workflow_ref", "workflow_ref", "environment"):
              print(name, claims[name])
          open(os.environ["GITHUB_OUTPUT"], "a").write("said=${{ inputs.target }} ${{ inputs.times }} ${{ inputs.loud }}\\n")
      - run: echo "$LEVEL ${{ env.TOP }} ${{ secrets.WORD == 'open' }} ${{ secrets.OTHER == '' }} ${{ vars.PLACE }}"
"""
CALLER = """\
on: workflow_dispatch
env: {TOP: of the caller}
permissions: {contents: read, id-token: write}
jobs:
  first:
    name: To ${{ matrix.target }}
    strategy: {matrix: {target: [dev, staging]}, max-parallel: 1}
    uses: ./.github/workflows/called.yml
    with: {target: "${{ matrix.target }}", loud: true}
    secrets: {WORD: "${{ secrets.WORD }}"}
  last:
    needs: first
    runs-on: x
    steps: [{run: 'echo "${{ needs.first.result }}: ${{ needs.first.outputs.said }}"'}]
"""
REFUSED = {
    "{uses: ./.github/workflows/called.yml, secrets: inherit}": "Input target is required, but not provided",
    "{uses: ./.github/workflows/called.yml, secrets: inherit, with: {target: dev, odd: 1}}": "Invalid input, odd",
    "{uses: ./.github/workflows/called.yml, with: {target: dev}}": "Secret WORD is required",
    "{uses: ./.github/workflows/called.yml, with: {target: dev, loud: x}, secrets: inherit}": "'x' for the input 'loud'",
    "{uses: ./.github/workflows/called.yml, with: {target: dev}, secrets: inherit, permissions: {}}": (
        "The nested job 'say' is requesting 'id-token: write', but is only allowed 'id-token: none'."
    ),
    "{uses: ./.github/workflows/caller.yml}": "no 'workflow_call' trigger",
    "{uses: ./.github/workflows/endless.yml}": "more than 10 levels",
    "{uses: contoso/none/.github/workflows/x.yml@main}": "workflow was not found",
}
ENDLESS = "on: workflow_call\njobs: {again: {uses: ./.github/workflows/endless.yml}}\n"
MATRIX = """\
on: workflow_dispatch
jobs:
  many:
    strategy:
      max-parallel: 1
      matrix:
        environment: [dev, prod]
        include:
          - {environment: dev, runner: ubuntu-latest}
          - {environment: prod, runner: [self-hosted, prod-net]}
    environment: ${{ matrix.environment }}
    runs-on: ${{ matrix.runner }}
    steps:
      - run: echo "$(date +%s%N) ${{ strategy.job-index }}/${{ strategy.job-total }} ${{ vars.PLACE }}" >> FILE; sleep 0.2
      - run: date +%s%N >> FILE
  group:
    strategy: {matrix: {letter: [a, b]}, fail-fast: FAST}
    runs-on: {group: big, labels: [x, y]}
    steps:
      - {if: matrix.letter == 'b', run: sleep 1}
      - {if: matrix.letter == 'a', run: exit 1}
"""


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def _values(hub: Hub) -> None:
    put_secret(hub.http, f"{AGENTS}/actions", "WORD", "open")
    put_secret(hub.http, f"{AGENTS}/actions", "OTHER", "not handed on")
    for name in ("dev", "staging", "prod"):
        hub.http.put(f"{AGENTS}/environments/{name}")
        place = {"name": "PLACE", "value": f"in {name}"}
        hub.http.post(f"{AGENTS}/environments/{name}/variables", json=place).raise_for_status()


def test_called_workflow(hub: Hub) -> None:
    _values(hub)
    hub.push(CALLED, "called.yml")
    hub.push(CALLER, "caller.yml")
    number = hub.dispatch("caller.yml")
    assert hub.ended(number) == "success"
    assert list(hub.jobs(number)) == ["To dev / say", "To staging / say", "last"]
    workflows = "contoso/agents/.github/workflows"
    assert hub.output(number, "To staging / say") == [
        "sub repo:contoso@1001/agents@4001:environment:staging",
        f"job_workflow_ref {workflows}/called.yml@refs/heads/main",
        f"workflow_ref {workflows}/caller.yml@refs/heads/main",
        "environment staging",
        "called  true true in staging",
    ]
    assert hub.output(number, "last") == ["success: staging 3 true"]


def test_workflow_of_another_repository(hub: Hub) -> None:
    called = "on: workflow_call\njobs: {say: {runs-on: x, steps: [{run: 'echo ${{ github.repository }}'}]}}\n"
    files = {".github/workflows/shared.yml": called}
    hub.sandbox.control("push", {"repository": "contoso/legacy", "files": files})
    caller = "on: workflow_dispatch\njobs: {one: {uses: contoso/legacy/.github/workflows/shared.yml@main}}\n"
    hub.push(caller, "caller.yml")
    number = hub.dispatch("caller.yml")
    assert hub.ended(number) == "success"
    assert hub.output(number, "one / say") == ["contoso/agents"]


def test_calls_that_are_refused(hub: Hub) -> None:
    _values(hub)
    jobs = "".join(f"  job{place}: {job}\n" for place, job in enumerate(REFUSED))
    files = {".github/workflows/caller.yml": CALLER, ".github/workflows/endless.yml": ENDLESS}
    hub.push(CALLED, "called.yml", **files)
    hub.push(
        f"on: workflow_dispatch\npermissions: {{id-token: write, contents: read}}\njobs:\n{jobs}", "odd.yml"
    )
    number = hub.dispatch("odd.yml")
    assert hub.ended(number) == "failure"
    shown = sorted(hub.jobs(number).items())
    for (name, job), told in zip(shown, REFUSED.values(), strict=True):
        annotations = hub.http.get(f"{AGENTS}/check-runs/{job['id']}/annotations").json()
        assert name.startswith("job")
        assert told in annotations[0]["message"], name


def test_called_workflow_is_skipped_and_cancelled(hub: Hub) -> None:
    called = "on: workflow_call\njobs: {sleep: {runs-on: x, steps: [{run: sleep 60}]}}\n"
    caller = """\
on: workflow_dispatch
jobs:
  no: {if: false, uses: ./.github/workflows/called.yml}
  after: {needs: no, runs-on: x, steps: [{run: echo}]}
  yes: {uses: ./.github/workflows/called.yml}
"""
    hub.push(called, "called.yml")
    hub.push(caller, "caller.yml")
    number = hub.dispatch("caller.yml")
    while hub.jobs(number).get("yes / sleep", {}).get("status") != "in_progress":
        time.sleep(0.02)
    hub.http.post(f"{AGENTS}/actions/runs/{number}/cancel")
    assert hub.ended(number) == "cancelled"
    ends = {name: job["conclusion"] for name, job in hub.jobs(number).items()}
    assert ends == {"no": "skipped", "after": "skipped", "yes / sleep": "cancelled"}


@pytest.mark.parametrize(("fast", "other"), [("true", "cancelled"), ("false", "success")])
def test_matrix(hub: Hub, tmp_path: Path, fast: str, other: str) -> None:
    _values(hub)
    file = tmp_path / "times"
    hub.push(MATRIX.replace("FILE", str(file)).replace("FAST", fast), "matrix.yml")
    number = hub.dispatch("matrix.yml")
    assert hub.ended(number) == "failure"
    shown = hub.jobs(number)
    labels = {name: job["labels"] for name, job in shown.items()}
    assert labels["many (dev, ubuntu-latest)"] == ["ubuntu-latest"]
    assert labels["many (prod, self-hosted, prod-net)"] == ["self-hosted", "prod-net"]
    assert labels["group (a)"] == ["x", "y"]
    assert (shown["group (a)"]["conclusion"], shown["group (b)"]["conclusion"]) == ("failure", other)
    lines = [line.split(" ", 1) for line in file.read_text().splitlines()]
    assert [line[1:] for line in lines] == [["0/2 in dev"], [], ["1/2 in prod"], []]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
