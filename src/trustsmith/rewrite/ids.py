"""Which ids a job signs in with: those that the file spells out, else its environment's, from where that keeps them.

A client id of the file stays unless it may name another application than the configuration has for the environment:
GitHub's tokens are good for that one only. Must not rewrite a use.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate.inventory import is_guid
from trustsmith.rewrite.draft import Cannot
from trustsmith.rewrite.edits import Edit, content_end, scalar
from trustsmith.rewrite.environments import choose

if TYPE_CHECKING:
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.document import Pair
    from trustsmith.model.workflow import Job, Step
    from trustsmith.rewrite.draft import Draft, Ids, Signing

_CLIENT = "AZURE_CLIENT_ID"


def inputs(draft: Draft, job: Job, ids: Ids) -> dict[str, str]:
    """The inputs of azure/login. Raises Cannot."""
    given = {
        "client-id": client(draft, job, ids.client),
        "tenant-id": ids.tenant or own(draft, job, "AZURE_TENANT_ID"),
    }
    if ids.subscription is None:
        return given | {"allow-no-subscriptions": "true"}
    return given | {"subscription-id": ids.subscription or own(draft, job, "AZURE_SUBSCRIPTION_ID")}


def own(draft: Draft, job: Job, name: str) -> str:
    """An id that the job's environment keeps. Raises Cannot where the job cannot read it."""
    store = draft.choices.store
    if store == "secrets" and not _reads_secrets(draft.repository, job):
        raise Cannot(
            f"{job.workflow.file} is called without secrets: inherit, so that its jobs cannot read the ids; with "
            "store: variables in the configuration they can"
        )
    return f"${{{{ {store}.{name} }}}}"


def _reads_secrets(repository: Repository, job: Job, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a job can read the secrets of its environment: a called workflow's can when all are inherited."""
    if not job.workflow.reusable:
        return True
    callers = [caller for caller, _ in repository.callers(job.workflow)]
    return (
        job.workflow.file not in seen
        and bool(callers)
        and all(
            caller.node.text("secrets") == "inherit"
            and _reads_secrets(repository, caller, seen | {job.workflow.file})
            for caller in callers
        )
    )


def client(draft: Draft, job: Job, said: str) -> str:
    """The client id to sign in with. said: what the file has for it; "" for nothing. Raises Cannot."""
    wanted = _applications(draft, job)
    if said and (not wanted or wanted == {said.lower()} or _is_own(draft, said)):
        return said
    if is_guid(said) and "" not in wanted:
        raise Cannot(
            f"it signs in as {said}, and the configuration has another application for the environment"
        )
    return own(draft, job, _CLIENT)


def _is_own(draft: Draft, said: str) -> bool:
    return (
        re.fullmatch(rf"\$\{{\{{\s*{draft.choices.store}\.{_CLIENT}\s*\}}\}}", said, re.IGNORECASE)
        is not None
    )


def _applications(draft: Draft, job: Job) -> set[str]:
    """The client ids that the configuration has for a job's environment; of all of them when that depends on the run."""
    chosen = choose(job, draft.choices.environments, draft.known)
    configured = draft.choices.applications
    if chosen is None:
        return set()
    if "${{" in chosen.environment:
        return {each.lower() for each in configured.values()}
    return {configured[chosen.environment].lower()} if chosen.environment in configured else set()


def change_variable(draft: Draft, step: Step | None, job: Job, name: str) -> None:
    """Let a variable that names the application name the configured one. Raises Cannot."""
    if not _applications(draft, job):
        return
    for holder in (step, job, job.workflow):
        pair = holder.env.get(name) if holder is not None else None
        if pair is None:
            continue
        said, text = pair.value.value, job.workflow.text
        wanted = client(draft, job, said)
        if wanted == said:
            return
        if holder is job.workflow and len(job.workflow.jobs) > 1:
            raise Cannot(
                f"{name} is set for all jobs, and may name another application: give each job its own"
            )
        draft.change(job.workflow.file, [instead(text, pair, wanted)])
        return
    raise Cannot(f"{name} is set where it cannot be seen, and may name another application")


def instead(text: str, pair: Pair, value: str) -> Edit:
    """A value in the place of another, in the quotes that this had. Raises Cannot."""
    if pair.value.alias or pair.value.anchor:
        raise Cannot(f"{pair.key.value} is shared through an anchor, and may name another application")
    quote = pair.value.style if pair.value.style in ("'", '"') else ""
    said = f"{quote}{value}{quote}" if quote else scalar(value)
    return Edit(pair.value.start, content_end(text, pair.value), said)


def varies(draft: Draft, job: Job) -> bool:
    """Whether a job's environment will be another in each run, so that the same names stand for other ids."""
    chosen = choose(job, draft.choices.environments, draft.known)
    return chosen is not None and "${{" in chosen.environment


def one_application(draft: Draft, signing: Signing) -> None:
    """Raise Cannot when sign-ins of one job that may be several applications' would become one's."""
    job = signing.job
    identities = {(said, secret) for said, secret, _ in signing.whose}
    become = {(said, secret) for said, secret in identities if not said or client(draft, job, said) != said}
    several = len(become) > 1 or (len(identities) > 1 and signing.logins)
    if not several or (varies(draft, job) and all(step.node.text("if") for *_, step in signing.whose)):
        return
    named = ", ".join(sorted(said or secret for said, secret in identities))
    raise Cannot(
        f"job {job.id} signs in with {named}, which may be several applications', and an environment has one: give each "
        "sign-in a job and an environment of its own"
    )
