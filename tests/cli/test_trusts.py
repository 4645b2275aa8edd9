"""Workloads of other issuers, from the file to Entra and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.desk import WORKFLOW, config

if TYPE_CHECKING:
    from tests.cli.desk import Desk

TRUSTS = """\
    trusts:
      - aks: {issuer: https://westeurope.oic.prod-aks.azure.com/t/c/, namespace: agents, service_account: deployer}
      - terraform_cloud: {organization: contoso, project: Default Project, workspace: dev}
"""


def _subjects(desk: Desk) -> list[str]:
    return sorted(c["subject"] for c in desk.world().app("dev")["federatedIdentityCredentials"])


def test_trusts_are_made_and_taken_away(desk: Desk) -> None:
    desk.write(config("audience: api://contoso") + TRUSTS)
    desk("apply", "--yes").ends(0)
    workspace = "organization:contoso:project:Default Project:workspace:dev:run_phase"
    workloads = [f"{workspace}:apply", f"{workspace}:plan", "system:serviceaccount:agents:deployer"]
    jobs = [subject for subject in _subjects(desk) if subject not in workloads]
    assert len(jobs) == 1
    assert _subjects(desk) == sorted(jobs + workloads)
    audiences = {
        c["subject"]: c["audiences"] for c in desk.world().app("dev")["federatedIdentityCredentials"]
    }
    assert audiences.pop(jobs[0]) == ["api://contoso"]
    assert set(map(tuple, audiences.values())) == {("api://AzureADTokenExchange",)}
    assert 'audience: "api://contoso"' in (desk.checkout / WORKFLOW).read_text("utf-8")
    desk("plan", "--check").ends(0)
    desk.write(config("audience: api://contoso"))
    desk("apply", "--yes").ends(0)
    assert _subjects(desk) == jobs
