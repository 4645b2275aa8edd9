"""Variables that carry a secret: Terraform's give way to ARM_USE_OIDC, the SDKs' and those that nothing reads go.

A variable goes only when nothing that is left still reads it. Must not touch steps, permissions or environments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate.calls import scripts
from trustsmith.migrate.expressions import references
from trustsmith.model.document import spots
from trustsmith.rewrite.draft import Cannot, Draft, Ids
from trustsmith.rewrite.edits import in_place_of
from trustsmith.rewrite.ids import change_variable, own
from trustsmith.rewrite.scripts import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.document import Node, Pair
    from trustsmith.model.workflow import Job, Step, Workflow

_TERRAFORM = re.compile(r"\b(?:terraform|tofu|terragrunt)\b")
_OIDC = "ARM_USE_OIDC"
#: Actions after which nothing but preparing has been done.
_PREPARING = re.compile(
    r"actions/(?:checkout|setup-[\w-]+|cache)|hashicorp/setup-terraform|azure/setup-[\w-]+"
)


def terraform(draft: Draft, use: Use) -> None:
    """`ARM_CLIENT_SECRET` gives way to `ARM_USE_OIDC`."""
    spot = use.spot
    if "audience" in draft.choices.also:
        raise Cannot("Terraform asks for a token with another audience than the one in use here")
    if use.hit is not None and use.hit.command is not None:
        _exported(draft, use)
        return
    if spot.variable != "ARM_CLIENT_SECRET":
        raise Cannot("Terraform's own configuration reads it: take it out there as well")
    holder, pair = _holder(spot)
    jobs = [job for job in _jobs(spot) if _TERRAFORM.search(_said(job))]
    if not jobs:
        raise Cannot("no job is seen to run Terraform")
    _nobody_reads(draft, spot)
    if any(_OIDC in each.env for each in (spot.workflow, spot.job, spot.step) if each is not None):
        draft.take_out(use.file, spot.text, _node(holder), pair)
    else:
        draft.change(use.file, [in_place_of(spot.text, _mapping(holder), pair, {_OIDC: '"true"'})])
    for job in jobs:
        draft.sign_in(job)
        change_variable(draft, spot.step, job, "ARM_CLIENT_ID")


def _exported(draft: Draft, use: Use) -> None:
    """`export ARM_CLIENT_SECRET=…`, `echo "ARM_CLIENT_SECRET=…" >> "$GITHUB_ENV"`."""
    hit, spot = use.hit, use.spot
    name = "ARM_CLIENT_SECRET="
    assert hit is not None  # noqa: S101 - the caller has looked
    if spot.workflow is None or spot.job is None or not spot.job.id or spot.key != "run":
        raise Cannot("it is in a script or an action, which may be run elsewhere as well")
    if spot.node.value[hit.start - len(name) : hit.start] != name:
        raise Cannot("Terraform is handed the secret as a setting of its own")
    end = hit.end - (spot.node.value[hit.end - 1] == '"' and spot.node.value[hit.start] != '"')
    draft.change(use.file, [cut(spot, hit.start - len(name), end, f"{_OIDC}=true")])
    draft.sign_in(spot.job)
    change_variable(draft, spot.step, spot.job, "ARM_CLIENT_ID")


def sdk(draft: Draft, use: Use) -> None:
    """`AZURE_CLIENT_SECRET` goes, and the job signs in before whatever read it."""
    spot = use.spot
    if use.hit is not None and use.hit.command is not None:
        raise Cannot("the secret is handed to another program")
    if spot.variable != "AZURE_CLIENT_SECRET":
        raise Cannot("the program that reads it has to be changed")
    holder, pair = _holder(spot)
    jobs = _jobs(spot)
    if spot.step is None and len(jobs) != 1:
        raise Cannot("several jobs have the variable: move it to those that need it")
    job = spot.job or jobs[0]
    _nobody_reads(draft, spot)
    draft.take_out(use.file, spot.text, _node(holder), pair)
    draft.sign_in(job, spot.step or _first_that_works(job), _ids(spot))


def _first_that_works(job: Job) -> Step | None:
    return next((step for step in job.steps if not _PREPARING.fullmatch(step.action)), None)


def _ids(spot: Spot) -> Ids:
    """The ids that stand beside the secret."""
    found = {}
    for field, name in (("client", "AZURE_CLIENT_ID"), ("tenant", "AZURE_TENANT_ID")):
        for holder in (spot.step, spot.job, spot.workflow):
            if holder is not None and name in holder.env and field not in found:
                found[field] = holder.env[name].value.value
    return Ids(subscription=None, **found)


def carrier(draft: Draft, use: Use) -> None:
    """A variable that only handed the secret on goes, when what it was handed to is rewritten."""
    holder, pair = _holder(use.spot)
    _nobody_reads(draft, use.spot)
    draft.take_out(use.file, use.spot.text, _node(holder), pair)


def id_of_json(draft: Draft, use: Use) -> None:
    """`fromJSON(secrets.X).clientId` gives way to a variable that holds the id alone."""
    spot = use.spot
    said = spot.node.value[use.start : use.end]
    found = re.fullmatch(
        r"\$\{\{\s*fromJSON\(\s*secrets\.\w+\s*\)\s*\.(client|tenant|subscription)Id\s*\}\}",
        said,
        re.IGNORECASE,
    )
    if found is None or spot.workflow is None or spot.workflow.is_action:
        raise Cannot("it is taken apart in a way of its own")
    if spot.job is None or not spot.job.steps:
        raise Cannot("no environment keeps the ids here: read them in the jobs that need them")
    wanted = own(draft, spot.job, f"AZURE_{found[1].upper()}_ID")
    draft.change(use.file, [cut(spot, use.start, use.end, wanted)])
    draft.read_ids(spot.job)


# -- who reads a variable -------------------------------------------------------------------------------------------


def _holder(spot: Spot) -> tuple[Step | Job | Workflow, Pair]:
    """Whose variable it is. Raises Cannot for what is none, or cannot be edited there."""
    for each in (spot.step, spot.job, spot.workflow):
        pair = each.env.get(spot.variable) if each is not None and spot.variable else None
        if each is not None and pair is not None and pair.value is spot.node:
            if spot.workflow is not None and spot.workflow.is_action:
                raise Cannot(
                    "an action cannot read variables: hand it the ids as inputs in place of the secret"
                )
            shared = (_node(each), _mapping(each), pair.value)
            if any(node.alias or node.anchor for node in shared):
                raise Cannot("the variables are shared through an anchor")
            return each, pair
    raise Cannot("the secret is handed over in a way of its own")


def _node(holder: Step | Job | Workflow) -> Node:
    return getattr(holder, "node", None) or holder.root  # type: ignore[union-attr]  # a workflow has no node


def _mapping(holder: Step | Job | Workflow) -> Node:
    found = _node(holder).get("env")
    assert found is not None  # noqa: S101 - the variable was found in it
    return found


def _jobs(spot: Spot) -> list[Job]:
    """The jobs that see a variable."""
    if spot.job is not None:
        return [spot.job]
    return [job for job in (spot.workflow.jobs if spot.workflow else ()) if job.steps]


def _said(job: Job) -> str:
    return " ".join(f"{step.action} {step.run.value if step.run else ''}" for step in job.steps)


def _nobody_reads(draft: Draft, spot: Spot) -> None:
    """Raise Cannot when something that stays still reads a variable, in the file or in a script that it runs."""
    name = spot.variable
    for other in _readers(draft, spot):
        for start, end in _mentions(other, name):
            places = spots(other.text, other.node)
            if not draft.is_changed(other, places[start], places[end - 1] + 1):
                raise Cannot(
                    f"{name} is still read at {other.file}:{other.text.count(chr(10), 0, places[start]) + 1}"
                )


def _readers(draft: Draft, spot: Spot) -> Iterator[Spot]:
    """The texts that see the variable, but for its own: those around it, and of actions and scripts that are called."""
    used = {step.local for step in _steps(spot) if step.local}
    for other in draft.repository.spots:
        workflow = other.workflow
        if (workflow is not None and workflow.is_action and workflow.folder in used) or (
            _sees(spot, other) and other.node is not spot.node
        ):
            yield other
    for script in scripts(draft.repository):
        if any(
            _sees(spot, root) or (root.workflow and root.workflow.folder in used) for root in _roots(script)
        ):
            yield script


def _steps(spot: Spot) -> list[Step]:
    """The steps that see a variable."""
    if spot.step is not None:
        return [spot.step]
    return list(spot.job.steps if spot.job is not None else spot.workflow.steps if spot.workflow else ())


def _sees(spot: Spot, other: Spot) -> bool:
    """Whether a text stands where the variable is set."""
    return (
        other.workflow is spot.workflow
        and (spot.job is None or other.job is spot.job)
        and (spot.step is None or other.step is spot.step)
    )


def _roots(script: Spot) -> Iterator[Spot]:
    """The texts of workflows and actions that a script is called from, through other scripts too."""
    for call in script.calls:
        yield from _roots(call.spot) if call.spot.calls else (call.spot,)


def _mentions(spot: Spot, name: str) -> Iterator[tuple[int, int]]:
    """Where a text reads a variable: as `env.NAME`, or by its name in a script or a program."""
    text = spot.node.value
    for each in references(text, bare=spot.is_condition):
        if each.context == "env" and each.name == name:
            yield each.start, each.end
    if spot.key == "run" or not spot.path or spot.input:
        for found in re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)", text):
            if not text.startswith("=", found.end()) or text[found.start() - 1 : found.start()] == "$":
                yield found.span()


def is_carrier(use: Use) -> bool:
    """Whether a use is only a variable on the way to another; what a program does with its own is not known."""
    return use.passes and bool(use.spot.variable)
