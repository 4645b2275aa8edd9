"""The wizard's decisions: flags over file over what was found; questions only for what is open."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.property.worlds import project
from trustsmith import wizard
from trustsmith.errors import UsageError
from trustsmith.model.config import Config, Environment, Protection, Reviewer, Workflow, default_workflows
from trustsmith.wizard import Answers, Found, decide, interview

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
TENANT = "11111111-1111-1111-1111-111111111111"
DEV, PROD = project("dev"), project("prod")
FOUND = Found(repository="contoso/agents", tenant=TENANT, default_branch="trunk", projects=(DEV, PROD))
ANSWERS = Answers(environments={"dev": (DEV,), "prod": (PROD,)})
PLATFORM = Reviewer(kind="team", name="platform")


def rules(config: Config, name: str = "prod") -> Protection:
    return config.environment(name).protection


def test_what_was_found_and_flags_make_a_configuration() -> None:
    config, warnings = decide(ANSWERS, FOUND, None)
    assert (config.repository, config.tenant) == ("contoso/agents", TENANT)
    assert [e.name for e in config.environments] == ["dev", "prod"]
    assert (config.store, config.identity.per, config.cloud) == ("secrets", "environment", "AzureCloud")
    assert config.workflows == default_workflows(("dev", "prod"))
    assert rules(config, "dev") == Protection()
    assert rules(config) == Protection(branches=("trunk",))
    assert len(warnings) == 1
    assert "--reviewer prod=team:NAME" in warnings[0]


def test_every_flag_has_its_place() -> None:
    flags = replace(
        ANSWERS,
        repository="o/n",
        tenant="t",
        cloud="AzureChinaCloud",
        store="variables",
        per="repository",
        reviewers={"prod": (PLATFORM,)},
        waits={"prod": 10},
        tags={"prod": ("v*",)},
    )
    config, warnings = decide(flags, FOUND, None)
    assert (config.repository, config.tenant, config.cloud) == ("o/n", "t", "AzureChinaCloud")
    assert (config.store, config.identity.per) == ("variables", "repository")
    assert rules(config) == Protection(reviewers=(PLATFORM,), wait_minutes=10, tags=("v*",))
    assert warnings == []


def test_protected_is_a_word_and_not_a_branch() -> None:
    config, _ = decide(replace(ANSWERS, branches={"prod": ("protected",)}), FOUND, None)
    assert rules(config).branches == "protected"
    config, _ = decide(replace(ANSWERS, branches={"prod": ("main", "release/*")}), FOUND, None)
    assert rules(config).branches == ("main", "release/*")


@pytest.mark.parametrize("name", ["prod", "Production", "LIVE", "live-eu", "prod2"])
def test_what_looks_like_production(name: str) -> None:
    assert wizard.is_production(name)


@pytest.mark.parametrize("name", ["dev", "preprod", "staging", "alive"])
def test_what_does_not(name: str) -> None:
    assert not wizard.is_production(name)


def test_what_is_missing_is_named_as_flags() -> None:
    lacking = wizard.missing(Answers(), Found(), None)
    assert [flag.split()[0] for flag in lacking] == ["--repo", "--tenant", "--env"]
    with pytest.raises(UsageError) as error:
        decide(Answers(), Found(), None)
    assert all(flag in error.value.hint for flag in ("--repo", "--tenant", "--env"))
    assert wizard.missing(ANSWERS, FOUND, None) == []


FILE = Config(
    repository="o/n",
    tenant="t",
    environments=(
        Environment(name="prod", projects=(PROD,), endpoint="https://given", client_id="c"),
        Environment(name="dev", projects=(DEV,), protection=Protection(branches=("main",))),
    ),
    store="variables",
    workflows=default_workflows(("prod", "dev")),
)


def test_the_file_is_where_it_starts() -> None:
    config, warnings = decide(Answers(), FOUND, FILE)
    assert config == FILE
    assert len(warnings) == 1
    assert wizard.missing(Answers(), Found(), FILE) == []


def test_an_environment_that_is_in_the_file_is_not_protected_behind_its_back() -> None:
    config, _ = decide(Answers(environments={"prod": (PROD,)}), FOUND, FILE)
    assert config == FILE


def test_flags_override_the_file_and_new_environments_come_last() -> None:
    flags = Answers(
        environments={"live": (project("eu"),), "prod": (DEV,)}, branches={"dev": ("a",)}, store="secrets"
    )
    config, _ = decide(flags, FOUND, FILE)
    assert [e.name for e in config.environments] == ["prod", "dev", "live"]
    assert rules(config, "dev").branches == ("a",)
    assert rules(config, "live").branches == ("trunk",)
    assert config.store == "secrets"
    assert config.workflows == default_workflows(("prod", "dev", "live"))


def test_another_project_is_not_where_the_old_endpoint_leads() -> None:
    moved = decide(Answers(environments={"prod": (DEV,)}), FOUND, FILE)[0].environment("prod")
    assert (moved.projects, moved.endpoint, moved.client_id) == ((DEV,), None, "c")
    more = decide(Answers(environments={"prod": (PROD, DEV)}), FOUND, FILE)[0].environment("prod")
    assert more.endpoint == "https://given"


def test_workflows_that_somebody_wrote_stay() -> None:
    own = (Workflow(name="x", template="deploy-agents", path=".github/workflows/x.yml", stages=(("dev",),)),)
    config, _ = decide(ANSWERS, FOUND, replace(FILE, workflows=own))
    assert config.workflows == own


@pytest.mark.parametrize(
    ("flag", "flags"),
    [
        ("--reviewer", Answers(reviewers={"x": (PLATFORM,)})),
        ("--branch", Answers(branches={"x": ("main",)})),
        ("--tag", Answers(tags={"x": ("v*",)})),
        ("--wait", Answers(waits={"x": 1})),
    ],
)
def test_a_flag_for_no_environment_is_refused(flag: str, flags: Answers) -> None:
    with pytest.raises(UsageError, match=f"{flag} names 'x'") as error:
        decide(flags, FOUND, FILE)
    assert "--env x=PROJECT_ID" in error.value.hint


def test_new_production_without_branches() -> None:
    flags = replace(ANSWERS, environments={"prod": (PROD,), "live": (PROD,), "live2": (PROD,), "dev": (DEV,)})
    named = replace(flags, branches={"live": ("main",)}, tags={"live2": ("v*",)})
    assert wizard.unbranched(named, None) == ["prod"]
    assert wizard.unbranched(named, FILE) == []


@dataclass
class Script:
    """Somebody who types these lines, and takes the default where there is none."""

    typed: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str, parse: Callable[[str], T], default: str = "", why: str = "") -> T:
        del why
        self.asked.append(question)
        return parse(next((text for word, text in self.typed.items() if word in question), default))

    def choose(self, question: str, options: Sequence[tuple[T, str]], default: T | None, why: str = "") -> T:
        del why
        self.asked.append(question)
        wanted = next((text for word, text in self.typed.items() if word in question), None)
        chosen = next((value for value, said in options if wanted and said.startswith(wanted)), default)
        return options[0][0] if chosen is None else chosen


def test_return_at_every_question_gives_what_was_proposed() -> None:
    found = replace(FOUND, projects=(PROD, project("staging"), DEV))
    answers = interview(Script(), found, Answers())
    assert (answers.repository, answers.tenant) == (FOUND.repository, TENANT)
    assert answers.environments == {"dev": (DEV,), "staging": (project("staging"),), "prod": (PROD,)}
    assert (answers.per, answers.store) == ("environment", "secrets")
    assert answers.reviewers == {}
    assert answers.branches == {"prod": ("trunk",)}
    config, _ = decide(answers, found, None)
    assert rules(config).branches == ("trunk",)


def test_what_is_typed_counts() -> None:
    typed = {
        "Repository": "o/n",
        "tenant": TENANT.replace("1", "2"),
        "order of deployment": "test, live, test",
        "project of live": "foundry-prod/agents",
        "Identities": "one for all",
        "Where the ids go": "variables",
        "Reviewers of live": "team:platform, user:ann",
        "Branches that deploy": "main, release/*",
    }
    answers = interview(Script(typed), FOUND, Answers())
    assert (answers.repository, answers.tenant) == ("o/n", TENANT.replace("1", "2"))
    assert answers.environments == {"test": (DEV,), "live": (PROD,)}
    assert (answers.per, answers.store) == ("repository", "variables")
    assert answers.reviewers == {"live": (PLATFORM, Reviewer(kind="user", name="ann"))}
    assert answers.branches == {"live": ("main", "release/*")}


def test_what_flags_said_is_not_asked() -> None:
    flags = replace(
        ANSWERS,
        repository="o/n",
        tenant="t",
        store="secrets",
        per="environment",
        reviewers={"prod": ()},
        tags={"prod": ("v*",)},
    )
    script = Script()
    assert interview(script, FOUND, flags) == flags
    assert script.asked == []


def test_without_a_visible_project_its_id_is_typed() -> None:
    found = replace(FOUND, projects=())
    answers = interview(Script({"ARM id": DEV.id}), found, Answers())
    assert answers.environments == {"dev": (DEV,)}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Repository", "contoso"),
        ("Repository", "https://github.com/o/n"),
        ("Repository", "o/n/m"),
        ("tenant", "contoso.com"),
        ("order of deployment", " , "),
        ("ARM id", "agents"),
        ("Reviewers", "platform"),
        ("Reviewers", "team:"),
        ("Branches", ","),
    ],
)
def test_an_answer_that_cannot_be_right_is_refused(word: str, text: str) -> None:
    script = Script({word: text, "order of deployment": "prod", "ARM id": DEV.id} | {word: text})
    with pytest.raises(UsageError):
        interview(script, replace(FOUND, projects=()), Answers())


@pytest.mark.parametrize("text", ["platform", "team:", ":x", "group:x", ""])
def test_a_reviewer_is_a_team_or_a_user(text: str) -> None:
    assert wizard.reviewer("user:ann") == Reviewer(kind="user", name="ann")
    with pytest.raises(UsageError, match="names no reviewer"):
        wizard.reviewer(text)
