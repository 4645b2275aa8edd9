"""What the result of a job says about a set-up. Pure; must not look or run anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith import aadsts
from trustsmith.doctor.network import are_private
from trustsmith.model.findings import Finding
from trustsmith.model.subject_parts import apart, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.model.findings import Verdict
    from trustsmith.model.proof import Reached, Result

_OK, _NO_ANSWER, _NOT_FOUND = 200, 0, 404
_REFUSED = (401, 403)
#: An identity that trusts something, and not this subject.
_SUBJECT_CODES = ("AADSTS700213", "AADSTS7002131", "AADSTS7002138")
_APPLY = "trustsmith apply"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a job of one environment should find. Empty texts: it is not known here.

    client_id: of the identity that it should sign in as. subjects: any of them is right.
    trusted: the subjects that Entra trusts for that identity. endpoints: of its projects, as far as they are known.
    others: the environments that it was asked to call, and why reaching one of them says nothing ("" if it must not).
    """

    environment: str
    client_id: str = ""
    issuer: str = ""
    subjects: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


def job_findings(result: Result, wanted: Wanted) -> Iterator[Finding]:
    """What a job's result says, against what it should say."""
    yield _subject(result, wanted)
    if wanted.client_id and result.client_id.lower() != wanted.client_id.lower():
        why = f"The job signs in as {result.client_id or 'nobody'}, and this environment's identity is {wanted.client_id}."
        yield Finding(check="identity", verdict="fail", about=wanted.environment, why=why, next=_APPLY)
    yield _exchange(result, wanted)
    if not result.ok:
        return
    if not result.projects:
        why = "The job sees no AZURE_AI_PROJECT_ENDPOINT, so no project was called."
        yield Finding(check="project", verdict="fail", about=wanted.environment, why=why, next=_APPLY)
    seen = {project.endpoint.casefold() for project in result.projects}
    for endpoint in wanted.endpoints if seen else ():
        if endpoint.casefold() not in seen:
            why = f"The file's project answers at {endpoint}, and the job is told {', '.join(sorted(seen))}."
            yield Finding(check="project", verdict="fail", about=wanted.environment, why=why, next=_APPLY)
    for project in result.projects:
        yield _network(project, wanted.environment)
        yield _project(project, wanted.environment)
    for name, why in wanted.others.items():
        yield _isolation(wanted.environment, name, result.others.get(name, ()), why)


def _subject(result: Result, wanted: Wanted) -> Finding:
    check, about = "subject", wanted.environment
    if not result.subject:
        return Finding(
            check=check,
            verdict="fail",
            about=about,
            why="GitHub gave the job no token.",
            original=result.message,
            next="The job needs `permissions: id-token: write`; runs of forks never get it.",
        )
    if not wanted.subjects:
        return Finding(check=check, verdict="pass", about=about, why=f"GitHub sent {result.subject}.")
    why = ""
    if result.subject not in wanted.subjects:
        near = nearest(result.subject, wanted.subjects) or wanted.subjects[0]
        why = f"GitHub sent {result.subject}, and {near} was expected: {apart(result.subject, near)}."
    elif result.issuer != wanted.issuer:
        why = f"GitHub sent the issuer {result.issuer}, and {wanted.issuer} was expected."
    if why:
        return Finding(check=check, verdict="fail", about=about, why=why, next=f"trustsmith plan\n{_APPLY}")
    why = f"GitHub sent what was expected, to the byte: {result.subject}"
    return Finding(check=check, verdict="pass", about=about, why=why)


def _exchange(result: Result, wanted: Wanted) -> Finding:
    waited = f" after {result.waited_s:.0f} s" if result.waited_s >= 1 else ""
    if result.ok:
        why = f"Entra exchanged it{waited}."
        return Finding(check="exchange", verdict="pass", about=wanted.environment, why=why)
    known = aadsts.explain(result.code)
    says = known.says if known else "The job got no token for Foundry."
    near = nearest(result.subject, wanted.trusted) if result.code in _SUBJECT_CODES else None
    if near and near != result.subject:
        says = f"{says} The nearest that it trusts is {near}: {apart(result.subject, near)}."
    return Finding(
        check="exchange",
        verdict="fail",
        about=wanted.environment,
        why=f"{says} {f'It was tried for {result.waited_s:.0f} s.' if waited else ''}".strip(),
        next=known.next if known else "Read the job's log.",
        original=result.message,
    )


def _project(project: Reached, about: str) -> Finding:
    waited = f" after {project.waited_s:.0f} s" if project.waited_s >= 1 else ""
    if project.status == _OK:
        why = f"{project.endpoint} let it in{waited}."
        return Finding(check="project", verdict="pass", about=about, why=why)
    whys = {
        _NO_ANSWER: "did not answer the runner.",
        _NOT_FOUND: "is not there: was the project renamed or deleted?",
    }
    why = whys.get(project.status, f"answered HTTP {project.status}{waited}.")
    nexts = {
        _NO_ANSWER: "If it has a private endpoint, the runner has to be in its network.",
        _NOT_FOUND: "Correct `project` in .github/trustsmith.yml, then: trustsmith apply",
    }
    usual = "trustsmith verify   (says whether the role is assigned)"
    return Finding(
        check="project",
        verdict="fail",
        about=about,
        why=f"{project.endpoint} {why}",
        next=nexts.get(project.status, usual),
        original=project.message,
    )


def _network(project: Reached, about: str) -> Finding:
    if not project.addresses:
        return Finding(
            check="network",
            verdict="fail",
            about=about,
            why=f"The runner's DNS has no address for {project.host}.",
            next="Where the project has a private endpoint, link its private DNS zone to the runner's network.",
        )
    kind = "private" if are_private(project.addresses) else "public"
    plural = "es" if len(project.addresses) > 1 else ""
    why = f"The runner sees {project.host} at the {kind} address{plural} {', '.join(project.addresses)}."
    return Finding(check="network", verdict="pass", about=about, why=why)


def _isolation(about: str, other: str, statuses: Iterable[int | None], excuse: str) -> Finding:
    """What the job could do in another environment's projects: nothing, unless both are the same on purpose."""
    seen = tuple(statuses)
    if excuse:
        return Finding(
            check="isolation",
            verdict="pass",
            about=about,
            why=f"It may reach the projects of {other}: {excuse}.",
        )
    if _OK in seen:
        return Finding(
            check="isolation",
            verdict="fail",
            about=about,
            why=f"It reaches a project of {other}, which it must not: its identity has a role there.",
            next=f"Find that role, and take it away:\n  az role assignment list --all --assignee <client id of {about}>",
        )
    if seen and all(status in _REFUSED for status in seen):
        said = "/".join(str(status) for status in sorted({status for status in seen if status}))
        return Finding(
            check="isolation",
            verdict="pass",
            about=about,
            why=f"The projects of {other} refuse it (HTTP {said}).",
        )
    why = (
        f"It could not be seen whether {other}'s projects refuse it: they were not called, are closed to the runner's "
        "network, or did not answer."
    )
    following = "Calls go only to hosts in the domain of the environment's own project."
    return Finding(check="isolation", verdict="unknown", about=about, why=why, next=following)


def missing_result(
    about: str, url: str, job: Mapping[str, Any] | None, waits: str = "", said: str = ""
) -> Finding:
    """A job whose result is not there. waits: what it still waits for. said: GitHub's own words about it."""
    following = f"Look at the run: {url}"
    if job is None:
        why = "The run has no job for this environment yet."
        return Finding(check="run", verdict="unknown", about=about, why=why, next=following)
    if job.get("status") != "completed":
        why = f"The time was up while the job {f'waited for {waits}' if waits else 'was not done'}."
        following += "\nRun it again with more time: trustsmith verify --run --timeout 30m"
        return Finding(check="run", verdict="unknown", about=about, why=why, next=following)
    ended = str(job.get("conclusion"))
    why = f"The job ended without a result ({ended})."
    if not job.get("steps"):
        why = f"GitHub did not let the job start ({ended})."
        following += (
            "\nIf it is about branches: this environment does not let the default branch deploy; run it by hand "
            "from one that may."
        )
    verdict: Verdict = "fail" if ended == "failure" else "unknown"
    return Finding(check="run", verdict=verdict, about=about, why=why, next=following, original=said)


def unread_log(about: str, url: str, why: str, said: str) -> Finding:
    """A job whose log is there, and could not be fetched. why, said: of the error."""
    following = (
        f"Look at the run: {url}\nLogs are kept on a host of their own: check the network, and HTTPS_PROXY."
    )
    why = f"The job's log could not be read: {why}"
    return Finding(check="run", verdict="unknown", about=about, why=why, next=following, original=said)
