"""Subjects: what is shown, templates, renames and opt-ins between two runs, and the way from names to ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import config, project

if TYPE_CHECKING:
    from tests.cli.desk import Desk, Json

AGENTS = "repo:contoso@1001/agents@4001:environment:dev"
LEGACY = "repo:contoso/legacy:environment:dev"
WITH_IDS = "repo:contoso@1001/legacy@4002:environment:dev"


def repository(desk: Desk, number: str = "4001") -> Json:
    found: Json = desk.world().data["github"]["repositories"][number]
    return found


def trusted(desk: Desk) -> list[str]:
    """The subjects that anything of ours trusts."""
    return sorted(c["subject"] for a in desk.world().apps.values() for c in a["federatedIdentityCredentials"])


def change(desk: Desk, **values: Any) -> None:
    """Change contoso/agents by hand."""
    desk.edit(lambda world: world.repository.update(values))


def follow(desk: Desk, *keys: str) -> None:
    """Give contoso/agents a subject template of its own."""
    template = {"use_default": False, "use_immutable_subject": False, "include_claim_keys": list(keys)}
    change(desk, subject_template=template)


def test_both_sides_are_shown_before_and_after(desk: Desk) -> None:
    desk.write(config())
    before = desk("subjects", "--format", "json").ends(0).json["subjects"]
    subject = "repo:contoso@1001/agents@4001:environment:dev"
    assert before == [{"environment": "dev", "sent": [subject], "to_come": [], "trusted": [], "match": False}]
    desk("apply", "--yes").ends(0)
    desk.forget()
    shown = desk("subjects", "--check").ends(0)
    assert f"GitHub sends  {AGENTS}  the same to the byte" in shown.out
    assert desk.writes() == []
    assert desk.job("dev")["sub"] == AGENTS


def test_github_s_side_is_shown_to_those_who_are_not_signed_in_to_azure(desk: Desk) -> None:
    desk.write(config())
    desk.env = {n: v for n, v in desk.env.items() if not n.startswith("AZURE_")}
    done = desk("subjects").ends(0, "Entra could not be looked at")
    assert f"GitHub sends  {AGENTS}" in done.out
    assert "NOT TRUSTED" not in done.out
    desk("subjects", "--check").ends(3)


@pytest.mark.parametrize(
    ("keys", "subject"),
    [
        (
            ["repository_owner_id", "repository_id", "context"],
            "repository_owner_id:1001:repository_id:4001:environment:dev",
        ),
        (
            ["repo", "context", "job_workflow_ref"],
            f"{AGENTS}:job_workflow_ref:contoso/agents/.github/workflows/deploy-agents.yml@refs/heads/main",
        ),
    ],
)
def test_a_template_is_followed(desk: Desk, keys: list[str], subject: str) -> None:
    follow(desk, *keys)
    desk.write(config() + "    protection: {branches: [main]}\n")
    desk("apply", "--yes").ends(0)
    assert subject in trusted(desk)
    assert desk("subjects", "--check", "--format", "json").ends(0).json["subjects"][0]["match"] is True


@pytest.mark.parametrize(
    ("keys", "said"),
    [(["repo"], "leaves out the environment"), (["repo", "context", "run_id"], "names run_id")],
)
def test_a_template_that_cannot_be_followed_is_refused_before_anything_is_made(
    desk: Desk, keys: list[str], said: str
) -> None:
    follow(desk, *keys)
    desk.write(config())
    desk("apply", "--yes").ends(5, said, "gh api -X PUT repos/contoso/agents/actions/oidc/customization/sub")
    assert desk.writes() == []


@pytest.mark.parametrize(
    ("moved", "old"),
    [
        ({"subject_template": {"use_default": False, "include_claim_keys": ["context", "repo"]}}, "template"),
        ({"name": "Agents"}, "spelling"),
        ({"name": "robots", "redirects": ["contoso/agents"]}, "rename"),
    ],
    ids=["template", "spelling", "rename"],
)
def test_a_saved_plan_is_refused_when_subjects_changed_meanwhile(desk: Desk, moved: Json, old: str) -> None:
    desk.write(config())
    saved = desk.write(desk("plan", "--format", "json").ends(0).out, desk.checkout / "plan.json")
    change(desk, **moved)
    desk.forget()
    desk("apply", "--yes", saved).ends(5, "This is not the plan that was saved")
    assert desk.writes() == [], old


def test_from_names_to_ids_without_a_moment_without_trust(desk: Desk) -> None:
    desk.write(config(repository="contoso/legacy"))
    desk("apply", "--yes").ends(0)
    assert trusted(desk) == [LEGACY]
    desk("subjects").ends(0, "immutable_subjects: true")
    desk.write(config("immutable_subjects: true", repository="contoso/legacy"))
    assert "run trustsmith apply again in ten minutes" in desk("apply", "--yes").ends(0).out
    assert trusted(desk) == [LEGACY, WITH_IDS]
    assert not repository(desk, "4002")["immutable_subject"]
    desk("apply", "--yes").ends(5, "immutable-subjects=contoso/legacy")
    desk("apply", "--yes", "--allow", "immutable-subjects=contoso/legacy").ends(0)
    assert repository(desk, "4002")["immutable_subject"]
    assert trusted(desk) == [LEGACY, WITH_IDS]
    plan = desk("plan", "--check", "--format", "json").ends(3).json
    assert (plan["changes"], plan["waiting"]) == ([], [])
    (old,) = plan["strays"]
    assert LEGACY in str(old)
    desk("apply", "--yes", "--allow", f"remove={old['name']}").ends(0)
    assert trusted(desk) == [WITH_IDS]
    desk("plan", "--check").ends(0)


def test_a_first_set_up_offers_ids_and_does_not_impose_them(desk: Desk) -> None:
    words = ("setup", "--no-input", "--yes", "--repo", "contoso/legacy", "--env", f"dev={project('dev')}")
    desk(*words).ends(0, "immutable_subjects: true")
    assert not repository(desk, "4002")["immutable_subject"]
    desk.change_config("environments:", "workflows: {}\nenvironments:")
    assert "deploy-agents.yml" in desk("setup", "--no-input", "--yes").ends(0).out


def test_an_opt_in_keeps_the_template(desk: Desk) -> None:
    desk.write(config("immutable_subjects: true", repository="contoso/legacy"))
    template = {
        "use_default": False,
        "include_claim_keys": ["repo", "context"],
        "use_immutable_subject": False,
    }
    desk.edit(lambda w: w.data["github"]["repositories"]["4002"].update(subject_template=template))
    desk("apply", "--yes").ends(0)
    desk("apply", "--yes", "--allow", "immutable-subjects=contoso/legacy").ends(0)
    kept = repository(desk, "4002")["subject_template"]
    assert kept == template | {"use_immutable_subject": True}
