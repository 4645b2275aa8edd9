"""An observer, from the section in the file to the issue that its job keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.cli.desk import Desk

TOKEN = "github_pat_sandbox-observer-token"
NAME = "trustsmith-localhost-4001-observer"


def at_work(desk: Desk) -> Desk:
    """The desk as a job of the observer's environment has it, once azure/login has signed in."""
    sandbox = desk.sandbox
    job = desk.job("observer", permissions={"id-token": "write", "contents": "read", "issues": "write"})
    url = f"{job['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote('api://AzureADTokenExchange')}"
    headers = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    assertion = desk.checkout.with_name("assertion")
    assertion.write_text(sandbox.http.get(url, headers=headers).json()["value"])
    own = {"AZURE_CLIENT_ID": job["secrets"]["AZURE_CLIENT_ID"], "AZURE_FEDERATED_TOKEN_FILE": str(assertion)}
    return replace(desk, env={**desk.env, **own, "GH_TOKEN": TOKEN, "GITHUB_TOKEN": job["GITHUB_TOKEN"]})


def test_from_the_file_to_the_issue(configured: Desk) -> None:
    configured.change_config("environments:", "observer: {}\nenvironments:")
    first = configured("setup", "--yes").ends(
        0, "The observer cannot read Entra yet", "Privileged Role Administrator"
    )
    assert f"trustsmith apply --only entra --allow graph-permission={NAME}" in first.err
    assert "gh secret set TRUSTSMITH_GITHUB_TOKEN --repo contoso/agents --env observer" in first.err
    admin = configured.as_person("admin@contoso.onmicrosoft.com")
    admin("apply", "--yes", "--only", "entra").ends(5, f"graph-permission={NAME}")
    admin("apply", "--yes", "--only", "entra", "--allow", f"graph-permission={NAME}").ends(0)

    job = at_work(configured)
    clean = job("plan", "--check", "--observer", "--issue", "--format", "json").ends(0, "No issue is open")
    assert (clean.json["not_compared"], clean.json["issue"]["number"]) == ([], None)
    configured.edit(lambda world: world.environment("prod").update(reviewers=[]))
    job("plan", "--check", "--observer", "--issue").ends(3, "Issue #1 opened.", "trustsmith apply")
    issue = configured.world().repository["issues"]["1"]
    assert "| update | github environment | `prod` | it has:" in issue["body"]
    blind = replace(job, env={**job.env, "GH_TOKEN": job.env["GITHUB_TOKEN"]})
    told = blind("plan", "--check", "--observer", "--format", "json").ends(
        3, "Not everything could be compared."
    )
    assert told.json["fingerprint"] is None
    assert {entry["kind"] for entry in told.json["not_compared"]} >= {"github environment"}
    saved = configured.checkout / "plan.json"
    saved.write_text(told.out, encoding="utf-8")
    configured("apply", "plan.json", "--yes").ends(2, "cannot be applied")


def test_an_issue_is_about_a_check(configured: Desk) -> None:
    configured("plan", "--issue").ends(2, "--issue reports what --check finds")
