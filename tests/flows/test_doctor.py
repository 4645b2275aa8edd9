"""doctor: in a hundred worlds with one fault each, just that one is named; in healthy ones it is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.faults import FAULTS, HEALTHY, Fault

if TYPE_CHECKING:
    from tests.flows.conftest import Bench
    from trustsmith.model.findings import Finding

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


def _wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict != "pass"]


def test_there_are_a_hundred_of_them() -> None:
    assert len({str(fault) for fault in FAULTS}) >= 100


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named(bench: Bench, fault: Fault) -> None:
    bench.happen(fault)
    found = _wrong(bench.doctor())
    assert {f.check for f in found} == {fault.check}, found
    assert fault.verdict in {f.verdict for f in found}
    assert not fault.about or fault.about in {f.about for f in found}, found
    assert any(fault.word in f"{f.why} {f.next} {f.original}" for f in found), found
    assert all(f.next for f in found), "what to type is always said"


@pytest.mark.parametrize("world", HEALTHY, ids=str)
def test_in_a_healthy_world_it_is_silent(bench: Bench, world: Fault) -> None:
    bench.happen(world)
    assert _wrong(bench.doctor()) == []
