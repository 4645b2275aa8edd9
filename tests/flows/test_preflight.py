"""Preflight: what stands in the way is found before the first change, all of it at once; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.faults import CONFIG, FAULTS, HEALTHY, Fault, may_not_assign
from trustsmith.errors import ConfigError, NotAllowed, TrustsmithError, UsageError

if TYPE_CHECKING:
    from tests.flows.conftest import Bench

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
_BY_NAME = {str(fault): fault for fault in (*FAULTS, *HEALTHY)}
_STOPPED = {
    "may not assign roles": NotAllowed,
    "a role that waits in pim": NotAllowed,
    "a condition for another role": NotAllowed,
    "a condition for people": NotAllowed,
    "may not register": NotAllowed,
    "an application of another's to change-configured": NotAllowed,
    "a disabled subscription": UsageError,
    "the free plan": UsageError,
    "the team plan": UsageError,
    "a timer on the team plan": UsageError,
    "no protected branch": UsageError,
    "a deny assignment for all": NotAllowed,
    "a role to take away elsewhere-configured": NotAllowed,
    "a role to take away under a lock-configured": NotAllowed,
    "a team without the repository": UsageError,
    "a user without the repository": UsageError,
    "no such role": UsageError,
    "an archived repository": UsageError,
    "no such team": ConfigError,
    "a token of no administrator": NotAllowed,
}


def _prepared(bench: Bench, name: str) -> Fault:
    fault = _BY_NAME[name]
    bench.happen(fault)
    bench.forget()
    return fault


@pytest.mark.parametrize("name", _STOPPED)
def test_nothing_is_written(bench: Bench, name: str) -> None:
    fault = _prepared(bench, name)
    with pytest.raises(_STOPPED[name]) as stopped:
        bench.apply()
    assert bench.writes() == []
    assert fault.configured or not list(bench.checkout.rglob("deploy-agents.yml"))
    error = stopped.value
    assert isinstance(error, TrustsmithError)
    if not isinstance(error, ConfigError) and fault.check != "repository-administrator":
        assert fault.check in error.message
        assert "nothing was changed" in error.message
    assert fault.word in f"{error.message} {error.hint} {error.original}" or isinstance(error, ConfigError)


def test_everything_that_is_missing_is_named_at_once(bench: Bench) -> None:
    _prepared(bench, "the team plan")
    bench.edit(may_not_assign)
    bench.edit(lambda world: world.repository.update(teams={}))
    bench.forget()
    with pytest.raises(NotAllowed) as stopped:
        bench.apply()
    assert all(check in str(stopped.value) for check in ("protection-available", "assign-roles", "reviewers"))
    assert bench.writes() == []


def test_another_side_is_not_held_up(bench: Bench) -> None:
    _prepared(bench, "may not assign roles")
    bench.apply("entra")
    assert bench.writes()


@pytest.mark.parametrize(
    "name",
    [
        "done, and no right to assign any more-configured",
        "done, and no right to register any more-configured",
        "done on a plan that is not shown-configured",
    ],
)
def test_what_is_not_needed_any_more_is_not_asked_for(bench: Bench, name: str) -> None:
    _prepared(bench, name)
    bench.apply("entra", "azure", "github")
    assert bench.writes() == []


def test_what_could_not_be_told_is_left_to_the_service(bench: Bench) -> None:
    _prepared(bench, "a plan of another name")
    bench.write(CONFIG.replace("reviewers: [team:platform], wait_minutes: 10, branches: [main]", ""))
    bench.apply("entra", "azure", "github")
    assert bench.writes()
