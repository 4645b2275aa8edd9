"""The repository: there, ours to administer, and with the protection that the file asks for. Pure; asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.doctor.check import ENTRA, GITHUB, Check, bad, fine, is_answer, open_question, unread
from trustsmith.errors import NotAllowed, NotFound, TrustsmithError
from trustsmith.model.environments import GitHubEnvironment
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence, Json
    from trustsmith.model.config import Protection
    from trustsmith.model.findings import Finding

_ENVIRONMENTS, _BRANCHES = "environments", "deployment branches and tags"
_REVIEWERS, _TIMER = "required reviewers", "a wait timer"
#: What private repositories have, by plan (GitHub Docs, "Deployments and environments"). Public ones have all of it.
_BY_PLAN = {
    "free": frozenset[str](),
    "pro": frozenset({_ENVIRONMENTS, _BRANCHES}),
    "team": frozenset({_ENVIRONMENTS, _BRANCHES}),
    "enterprise": frozenset({_ENVIRONMENTS, _BRANCHES, _REVIEWERS, _TIMER}),
}
_RULES = {"required_reviewers": _REVIEWERS, "wait_timer": _TIMER, "branch_policy": _BRANCHES}


def repository(evidence: Evidence) -> Iterator[Finding]:
    """The token sees it, under the name that the file gives."""
    answer, name = evidence.github.repository, evidence.config.repository
    if isinstance(answer, NotFound):
        yield bad(
            f"GitHub shows no repository {name} to this token.",
            next=f"Check `repository` in the file, and that the token may see it:\n  gh repo view {name}",
        )
    elif answer is None or isinstance(answer, TrustsmithError):
        yield from unread(answer, f"the repository {name}")
    elif str(answer["full_name"]).lower() != name.lower():
        yield bad(
            f"{name} is now called {answer['full_name']}. GitHub redirects for as long as nobody takes the old name.",
            next=f"Write the new name in the file:\n  repository: {answer['full_name']}",
        )
    else:
        yield fine(f"{answer['full_name']}, {answer.get('visibility') or 'private'}.")


def administrator(evidence: Evidence) -> Iterator[Finding]:
    """Environments and their secrets are for administrators of the repository."""
    answer = _repository(evidence)
    if answer is None or answer.get("permissions") is None:
        return
    if denied := not_administrator(answer):
        yield bad(denied.message, next=denied.hint)
    else:
        yield fine("The token's owner administers the repository.")


def not_administrator(answer: Json) -> NotAllowed | None:
    """The error that the token may not administer the repository; None when it may, or GitHub does not say."""
    if (answer.get("permissions") or {}).get("admin", True):
        return None
    return NotAllowed(
        f"The GitHub token may not administer {answer['full_name']}: environments and their secrets need that.",
        service="github",
        hint="Use a token of an administrator of the repository (GH_TOKEN), or leave GitHub's part to one:\n"
        "  trustsmith apply --only entra   (and --only azure)",
    )


def archived(evidence: Evidence) -> Iterator[Finding]:
    """An archived repository can only be read, and runs no workflow."""
    answer = _repository(evidence)
    if answer is None:
        return
    if answer.get("archived"):
        name = answer["full_name"]
        next_step = f"Bring it back, or name another one in the file:\n  gh repo unarchive {name}"
        yield bad(
            "The repository is archived: nothing in it can be changed, and no workflow runs.", next=next_step
        )
    elif answer.get("disabled"):
        yield bad("GitHub has disabled the repository.", next="Ask GitHub Support.")
    else:
        yield fine("The repository is not archived.")


def protection(evidence: Evidence) -> Iterator[Finding]:
    """Each protection rule exists on the owner's plan; a rule that does not would leave an open environment behind."""
    answer = _repository(evidence)
    if answer is None:
        return
    available = _available(evidence, answer)
    for environment in everywhere(evidence.config):
        name, wanted = environment.name, _wanted(environment.protection)
        if _is_there(evidence, name):
            yield fine("Protected as the file says.", name)
        elif available is None:
            if untold := [rule for rule in wanted if rule not in _seen(evidence)]:
                yield _unknown_plan(answer, untold, name)
        elif missing := [rule for rule in wanted if rule not in available]:
            owner = answer["full_name"].partition("/")[0]
            yield bad(
                f"The GitHub plan of {owner} does not have {_list(missing)} for private repositories.",
                name,
                next="Make the repository public, move to a plan that has it, or leave it out of the file "
                f"({'observer' if environment.observes else f'environments.{name}.protection'}).",
            )
        else:
            yield fine(f"The plan has {_list(wanted)}.", name)


def _unknown_plan(answer: Json, rules: list[str], name: str) -> Finding:
    owner = answer["full_name"].partition("/")[0]
    return open_question(
        f"GitHub does not show this token the plan of {owner}, and private repositories have {_list(rules)} on some "
        "plans only.",
        name,
        next=f"Ask an owner of {owner} for the plan:\n  gh api orgs/{owner} --jq .plan.name",
    )


def _wanted(rules: Protection) -> list[str]:
    asked = {
        _ENVIRONMENTS: True,
        _BRANCHES: bool(rules.branches or rules.tags),
        _REVIEWERS: bool(rules.reviewers),
        _TIMER: bool(rules.wait_minutes),
    }
    return [rule for rule, is_asked in asked.items() if is_asked]


def _available(evidence: Evidence, answer: Json) -> frozenset[str] | None:
    """The rules that the repository can have; None when its owner's plan is not shown."""
    if answer.get("visibility") in {"public", "internal"} or answer.get("private") is False:
        return _BY_PLAN["enterprise"]
    owner: Any = evidence.github.owner
    plan = (owner.get("plan") or {}).get("name") if is_answer(owner) else None
    return _BY_PLAN.get(str(plan).lower())


def _seen(evidence: Evidence) -> set[str]:
    """What some environment of the repository has already, and so what the plan has."""
    answers = evidence.github.environments
    if answers is None or isinstance(answers, TrustsmithError):
        return set()
    found = {
        _RULES.get(str(rule.get("type")), "") for a in answers for rule in a.get("protection_rules") or ()
    }
    return found | ({_ENVIRONMENTS} if answers else set())


def _is_there(evidence: Evidence, name: str) -> bool:
    """Whether nothing is left to do about the environment: then its rules were taken."""
    plan, key = evidence.made.plan, Key(GitHubEnvironment.kind, name)
    return (
        plan is not None and key in evidence.made.live and all(change.key != key for change in plan.changes)
    )


def _list(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]


def reviewers(evidence: Evidence) -> Iterator[Finding]:
    """Each reviewer exists, and can read the repository, as GitHub demands of them."""
    known, readers = evidence.github.reviewers, evidence.github.readers
    for name in dict.fromkeys([*known, *readers]):
        kind, _, login = name.partition(":")
        answer, reads = known.get(name), readers.get(name)
        if isinstance(answer, NotFound):
            next_step = (
                "Correct `reviewers` in the file; teams are named by their slug, people by their login."
            )
            yield bad(f"GitHub knows no {kind} {login!r} that this token may see.", name, next=next_step)
        elif isinstance(answer, TrustsmithError):
            yield from unread(answer, f"{kind} {login}", name)
        elif reads is False:
            yield bad(
                f"The {kind} {login} cannot read {evidence.config.repository}, so GitHub does not take them as reviewer.",
                name,
                next="Give them access (repository settings, Collaborators and teams), or name somebody else.",
            )
        elif isinstance(reads, TrustsmithError):
            yield from unread(reads, f"the rights of {kind} {login}", name)
        else:
            yield fine("Exists, and can read the repository.", name)


def protected_branches(evidence: Evidence) -> Iterator[Finding]:
    """The rule "protected branches" lets every branch deploy while no branch is protected (GitHub Docs, as above)."""
    answer = evidence.github.protected
    for environment in evidence.config.environments:
        if environment.protection.branches != "protected":
            continue
        if isinstance(answer, TrustsmithError):
            yield from unread(answer, "the protected branches", environment.name)
        elif answer == []:
            yield bad(
                "Only protected branches are to deploy, but no branch is protected: GitHub then lets every branch.",
                environment.name,
                next="Protect the branch that deploys (repository settings, Branches), or name it in the file:\n"
                f"  environments.{environment.name}.protection.branches: [main]",
            )
        elif answer is not None:
            yield fine(f"Protected: {', '.join(str(branch['name']) for branch in answer)}.", environment.name)


def spelling(evidence: Evidence) -> Iterator[Finding]:
    """The subject of a job's token has the environment's name as GitHub spells it, and Entra compares with case."""
    answers = evidence.github.environments
    if isinstance(answers, TrustsmithError) and not isinstance(answers, NotFound):
        yield from unread(answers, "the environments of the repository")
    if answers is None or isinstance(answers, TrustsmithError):
        return
    names = {str(answer["name"]).lower(): str(answer["name"]) for answer in answers}
    for environment in everywhere(evidence.config):
        there = names.get(environment.name.lower(), environment.name)
        if there != environment.name:
            yield bad(
                f"GitHub spells this environment {there!r}; a job's token says it like that, and Entra compares with case.",
                environment.name,
                next=f"Write {there!r} in the file.",
            )
        else:
            yield fine("Spelled as GitHub has it, or not there yet.", environment.name)


def _repository(evidence: Evidence) -> Json | None:
    answer = evidence.github.repository
    return None if isinstance(answer, TrustsmithError) else answer


CHECKS = (
    Check("repository", GITHUB | ENTRA, repository),
    Check("repository-administrator", GITHUB, administrator),
    Check("repository-archived", GITHUB, archived),
    Check("protection-available", GITHUB, protection),
    Check("reviewers", GITHUB, reviewers),
    Check("protected-branches", GITHUB, protected_branches),
    Check("environment-spelling", GITHUB | ENTRA, spelling),
)
