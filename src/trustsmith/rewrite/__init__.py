"""Rewrites workflows so that they sign in without a secret: minimal edits of the user's own text, or none.

::

    uses (migrate) ──▶ signins · variables ──▶ draft: edits, jobs that will sign in
                                                 │
                          environments ──▶ jobs: permissions, environment, azure/login
                                                 ▼
                                             Rewritten: texts, what is left and why

Each use is rewritten as a whole or left with a reason. What is outside of the edits stays byte for byte. Must not read
or write files, nor print; a text is never dumped from a tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from trustsmith.migrate import patterns
from trustsmith.model.document import spots
from trustsmith.rewrite import commands, registries, signins, variables
from trustsmith.rewrite.choices import Choices
from trustsmith.rewrite.draft import Cannot, Draft
from trustsmith.rewrite.edits import applied
from trustsmith.rewrite.environments import Chosen, choose, named
from trustsmith.rewrite.ids import one_application
from trustsmith.rewrite.jobs import log_in, permit, place
from trustsmith.rewrite.reusable import callers, hand_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.scan import Use
    from trustsmith.model.workflow import Job
    from trustsmith.rewrite.draft import Signing

__all__ = ["Choices", "Chosen", "Rewritten", "rewrite"]

#: First what signs in, then the variables that fed it.
_FIRST: dict[str, Callable[[Draft, Use], None]] = {
    patterns.AZURE_LOGIN_CREDS: signins.azure_login,
    patterns.AZURE_LOGIN_CLIENT_SECRET: signins.ignored_secret,
    patterns.AZ_LOGIN_SECRET: commands.az_login,
    patterns.AZD_CLIENT_SECRET: commands.azd_login,
    patterns.REGISTRY_PASSWORD: registries.registry,
}
_THEN: dict[str, Callable[[Draft, Use], None]] = {
    patterns.TERRAFORM_SECRET: variables.terraform,
    patterns.ENV_CLIENT_SECRET: variables.sdk,
    patterns.CREDENTIALS_JSON: variables.id_of_json,
}
_WHY = {
    patterns.ACTION_CREDS: "the action takes a secret; use a version of it that takes the sign-in of azure/login",
    patterns.ACTION_CLIENT_SECRET: "the action takes a secret; it may have a version that takes the sign-in of azure/login",
    patterns.POWERSHELL_CREDENTIAL: "put azure/login with enable-AzPSSession: true before it, and take these lines out",
    patterns.SECRET_CONDITION: "what depends on the secret has to be decided anew",
    patterns.OTHER_USE: "what is done with it is not known",
    patterns.API_KEY: "the program has to ask for a token (DefaultAzureCredential) in place of the key",
    patterns.STORAGE_KEY: "it takes a role on the data, and --auth-mode login or use_azuread_auth in place of the key",
    patterns.PUBLISH_CREDENTIAL: "sign in with azure/login before the deployment, and take the credential out",
}


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """texts: the files that change, whole. left: uses that stay, and why. environments: of the jobs that sign in.

    unplaced: jobs that would sign in, and whose environment is for people to say.
    """

    texts: Mapping[str, str]
    left: Mapping[Use, str]
    environments: tuple[Chosen, ...] = ()
    unplaced: tuple[Job, ...] = ()
    notes: tuple[str, ...] = ()


def rewrite(repository: Repository, uses: Sequence[Use], choices: Choices) -> Rewritten:
    """The repository's workflows without the secrets, as far as that is safe."""
    refused: dict[Use, str] = {}
    waiting: dict[Job, None] = {}
    known = dict.fromkeys([*choices.known, *named(repository)])
    while True:
        draft = Draft(repository, choices, known, left=dict(refused))
        _rewrite_uses(draft, [use for use in uses if use not in refused])
        chosen, unplaced, spoiled = _equip_jobs(draft)
        waiting |= dict.fromkeys(unplaced)
        if not spoiled:
            break
        refused |= spoiled  # and once more without them: nothing may be half rewritten
    files = {workflow.file: workflow.text for workflow in repository.workflows}
    texts = {file: applied(files[file], edits) for file, edits in draft.edits.items() if edits}
    return Rewritten(
        texts=texts,
        left=draft.left,
        environments=tuple(chosen),
        unplaced=tuple(waiting),
        notes=tuple(draft.notes),
    )


def _rewrite_uses(draft: Draft, uses: Sequence[Use]) -> None:
    """What signs in first, then the variables that fed it, then what is handed to other workflows."""
    carriers = [use for use in uses if variables.is_carrier(use)]
    rest = [use for use in uses if use not in carriers]
    for table in (_FIRST, _THEN):
        for use in (use for use in rest if use.hit or use.pattern == patterns.CREDENTIALS_JSON):
            if how := table.get(use.pattern):
                draft.try_(how, use)
    for use in (use for use in rest if not use.hit and use.pattern in {**_FIRST, **_THEN}):
        if use.pattern != patterns.CREDENTIALS_JSON:
            draft.try_(_handed_over, use)
    for use in carriers:
        draft.try_(variables.carrier, use)
    handed = [use for use in rest if use.pattern == patterns.WORKFLOW_SECRETS]
    for use in sorted(handed, key=lambda use: not (use.spot.workflow and use.spot.workflow.reusable)):
        draft.try_(hand_nothing, use)
    for use in rest:
        if use.pattern in _WHY:
            draft.left[use] = _WHY[use.pattern]


def _handed_over(draft: Draft, use: Use) -> None:
    """A secret on its way to an action or a script, or to other steps; with the action its callers are rewritten."""
    places = spots(use.spot.text, use.spot.node)
    if draft.is_changed(use.spot, places[use.start], places[use.end - 1] + 1):
        return
    if use.spot.is_script:
        raise Cannot("the script hands it on: take that out when nothing needs it any more")
    raise Cannot("it is handed to an action that still takes it")


def _equip_jobs(draft: Draft) -> tuple[list[Chosen], list[Job], dict[Use, str]]:
    """Permissions, environments and sign-ins of the jobs; jobs without an environment; and the uses that have to stay."""
    chosen: list[Chosen] = []
    unplaced: list[Job] = []
    spoiled: dict[Use, str] = {}
    draft.use = None
    for signing in draft.signing.values():
        job = signing.job
        environment = choose(job, draft.choices.environments, draft.known)
        if environment is None:
            reason = f"job {job.id} has no environment: say which with --environment {quote(f'{job.id}=ENV')}"
            spoiled |= dict.fromkeys(signing.uses, reason)
            unplaced.append(job)
            continue
        try:
            _equip(draft, signing, environment)
        except Cannot as reason:
            spoiled |= dict.fromkeys(signing.uses, str(reason))
        chosen.append(environment)
    return chosen, unplaced, spoiled


def _equip(draft: Draft, signing: Signing, environment: Chosen) -> None:
    """What a job needs to sign in. Raises Cannot."""
    job = signing.job
    one_application(draft, signing)
    place(draft, job, environment.environment)
    if not signing.asks:
        return
    permit(draft, job, [each.job for each in draft.signing.values() if each.asks])
    for caller in callers(draft, job):
        permit(draft, caller, ())
    log_in(draft, signing)
