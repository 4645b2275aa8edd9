"""Steps that sign in with azure/login: the secret gives way to ids, in workflows and in actions of the checkout.

Each function rewrites one use in a draft, or raises Cannot. Must not touch variables, permissions or environments.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.migrate.hits import mentions
from trustsmith.migrate.names import is_id
from trustsmith.rewrite.draft import Cannot, Draft, Ids
from trustsmith.rewrite.edits import (
    Edit,
    content_end,
    in_place_of,
    indent_of,
    line_end,
    next_line,
    scalar,
    without,
)
from trustsmith.rewrite.ids import client, inputs, instead, varies

if TYPE_CHECKING:
    from trustsmith.migrate.scan import Use
    from trustsmith.model.document import Node, Pair
    from trustsmith.model.workflow import Job, Step

_V3 = re.compile(r"v3(\.\d+)*")
_PINNED = re.compile(r"[ \t]+# v\d[\w.]*[ \t]*(?=\r?\n|$)")
#: Parts of a run by which an expression decides.
_OF_RUN = re.compile(r"(?<![\w.'])(?:github|runner|job|strategy)\.(?!event\.inputs\.)")
_SHARED = "it is shared with other jobs through an anchor"


def azure_login(draft: Draft, use: Use) -> None:
    """`creds` gives way to ids; azure/login becomes the pinned v3."""
    if use.spot.workflow is not None and use.spot.workflow.is_action:
        _of_action(draft, use)
        return
    step, job = of_workflow(use)
    given, creds = _inputs(step), step.inputs["creds"]
    _one_application(draft, use, job)
    ids = _ids_of(creds.value.value)
    free = step.inputs.get("allow-no-subscriptions")
    if free is not None and free.value.value == "true" and not ids.subscription:
        ids = replace(ids, subscription=None)
    given_ids = {**inputs(draft, job, ids), **draft.choices.also}
    wanted = {name: value for name, value in given_ids.items() if name not in step.inputs}
    text = job.workflow.text
    edit = in_place_of(text, given, creds, wanted) if wanted else without(text, given, creds)
    draft.change(use.file, [edit, *pinned(draft, step)])
    draft.sign_in(job)
    draft.was_signed_in(job, step, ids.client, ", ".join(use.secrets))


def _inputs(step: Step) -> Node:
    given = step.node.get("with")
    if given is None or given.alias or given.anchor:
        raise Cannot(_SHARED)
    return given


def _one_application(draft: Draft, use: Use, job: Job) -> None:
    """Raise Cannot when the run decides whose secret it is, and no environment decides with it."""
    found = [each for each in mentions(use.spot) if use.start <= each.start < use.end]
    if any(each.context in {"steps", "needs"} for each in found):
        raise Cannot("a step of the job provides the secret")
    said = use.spot.node.value
    if any(each.context == "secrets" and _OF_RUN.search(said[slice(*each.expression)]) for each in found):
        raise Cannot(
            "whether there is a secret depends on the run: have the step's `if` or the environment decide"
        )
    several = len({each.name for each in found if each.context == "secrets" and not is_id(each.name)}) > 1
    if (several or any(each.computed for each in found)) and not varies(draft, job):
        raise Cannot(
            "whose secret it is depends on the run: give each environment a job, or take it from a matrix"
        )


def _ids_of(creds: str) -> Ids:
    """The ids that a service principal's JSON spells out, as they are written there."""
    found = {}
    for name in ("clientId", "tenantId", "subscriptionId"):
        value = r"[\w.-]+" if name == "tenantId" else "[0-9a-fA-F-]{36}"
        said = re.search(rf"{name}\\?[\"']?\s*:\s*\\?[\"']?(\$\{{\{{.*?\}}\}}|{value})", creds)
        if said:
            found[name.removesuffix("Id")] = said[1]
    return Ids(**found)


def ignored_secret(draft: Draft, use: Use) -> None:
    """A secret in an input that azure/login does not have goes."""
    step, job = of_workflow(use)
    pair = step.inputs[use.spot.input]
    _inputs(step)
    draft.take_out(use.file, job.workflow.text, step.node, pair)
    draft.change(use.file, pinned(draft, step))
    draft.sign_in(job)


def pinned(draft: Draft, step: Step) -> list[Edit]:
    """`uses: azure/login@…` of an older version, pinned to the newest v3."""
    uses, text = step.uses, step.job.workflow.text
    assert uses is not None  # noqa: S101 - whoever asks has seen the action
    name, _, ref = uses.value.partition("@")
    if _V3.fullmatch(ref) or ref == draft.choices.pin.sha:
        return []
    quote = uses.style if uses.style in ("'", '"') else ""
    said, end = f"{quote}{name}@{draft.choices.pin.sha}{quote}", uses.end
    if old := _PINNED.match(text, end):
        return [Edit(uses.start, old.end(), f"{said} # {draft.choices.pin.version}")]
    behind = text[end : next_line(text, end)].strip()
    comment = f" # {draft.choices.pin.version}" if not behind or behind.startswith("#") else ""
    return [Edit(uses.start, end, said + comment)]


def of_workflow(use: Use) -> tuple[Step, Job]:
    """The step and the job of a use in a workflow. Raises Cannot for actions and scripts."""
    step, job = use.spot.step, use.spot.job
    if use.spot.workflow is None:
        raise Cannot(
            "it is in a script, which may be run elsewhere as well: sign in with azure/login in the job before it, and take the sign-in out of the script"
        )
    if use.spot.workflow.is_action:
        raise Cannot("an action cannot read variables: hand it the ids as inputs, in place of the secret")
    if step is None or job is None:
        raise Cannot("it is in no step")
    if step.node.flow:
        raise Cannot("the step is written in brackets")
    steps = job.node.get("steps")
    if any(node is None or node.alias or node.anchor for node in (job.node, steps, step.node)):
        raise Cannot(_SHARED)
    return step, job


def login_lines(draft: Draft, step: Step, ids: Ids) -> str:
    """`uses: azure/login@…` with its inputs, indented as the step's keys are; without what is before the first."""
    text, root = step.job.workflow.text, step.job.workflow.root
    column = step.node.pairs[0].key.column - 1
    inner = " " * (column + indent_of(root))
    lines = [
        f"uses: azure/login@{draft.choices.pin.sha} # {draft.choices.pin.version}",
        " " * column + "with:",
    ]
    lines += [
        f"{inner}{name}: {scalar(value)}"
        for name, value in {**inputs(draft, step.job, ids), **draft.choices.also}.items()
    ]
    return line_end(text).join(lines)


# -- actions of the checkout -----------------------------------------------------------------------------------------

_DESCRIPTIONS = {
    "client-id": "the client id of the Entra application to sign in as",
    "tenant-id": "the id of its tenant",
    "subscription-id": "the id of the Azure subscription",
}


def _of_action(draft: Draft, use: Use) -> None:
    """An action is handed no secret any more, by all workflows of the checkout that use it; but the ids, if it had none."""
    action, step = use.spot.workflow, use.spot.step
    secret = re.fullmatch(
        r"\$\{\{\s*inputs\.([\w-]+)\s*\}\}", use.spot.node.value[use.start : use.end].strip()
    )
    if action is None or step is None or secret is None:
        raise Cannot("the action gets the secret in a way of its own")
    name = secret[1].lower()
    declared, holder = action.inputs.get(name), action.root.get("inputs")
    if declared is None or holder is None or holder.flow or _is_mentioned(draft, use, name):
        raise Cannot("the action does more with the secret")
    callers = list(draft.repository.callers(action))
    if not callers:
        raise Cannot("nothing in this checkout uses the action: change it together with what does")
    ids = _ids_of(use.spot.node.value)
    has_ids = use.start > 0 and all(said and "vars." not in said for said in (ids.client, ids.tenant))
    if (use.start > 0 and not has_ids) or (not has_ids and set(_DESCRIPTIONS) & set(action.inputs)):
        raise Cannot("the action gets the ids in a way of its own")
    for job, caller in callers:
        _hand(draft, job, caller, name, ids.client if has_ids else "")
    wanted = {each: f"${{{{ inputs.{each} }}}}" for each in _DESCRIPTIONS}
    if has_ids:
        chosen = ids.subscription and "vars." not in ids.subscription
        subscription = (
            {"subscription-id": ids.subscription or ""} if chosen else {"allow-no-subscriptions": "true"}
        )
        wanted = {"client-id": ids.client, "tenant-id": ids.tenant, **subscription}
    gone = without(action.text, holder, declared) if has_ids else _declared(action.text, declared)
    creds = in_place_of(action.text, _inputs(step), step.inputs["creds"], {**wanted, **draft.choices.also})
    draft.change(action.file, [creds, gone, *pinned(draft, step)])


def _is_mentioned(draft: Draft, use: Use, name: str) -> bool:
    """Whether an action reads an input anywhere but in this use."""
    for spot in draft.repository.spots:
        for each in mentions(spot) if spot.workflow is use.spot.workflow else ():
            here = spot.node is use.spot.node and use.start <= each.start < use.end
            if each.context == "inputs" and each.name == name and not here:
                return True
    return False


def _hand(draft: Draft, job: Job, caller: Step | None, name: str, named: str) -> None:
    """What a caller hands to an action, without the secret, and with the ids in its place.

    named: the client id that the action has already, "" for none.
    """
    pair = caller.inputs.get(name) if caller is not None else None
    if caller is None or pair is None or job.workflow.is_action or not job.id:
        raise Cannot("the action is used by another action, or without the secret")
    given, text = _inputs(caller), job.workflow.text
    gone = without(text, given, pair) if named else in_place_of(text, given, pair, inputs(draft, job, Ids()))
    draft.change(job.workflow.file, [gone])
    draft.sign_in(job)
    if named:
        _keep_application(draft, job, caller, named)
    draft.was_signed_in(job, caller, named, pair.value.value)


def _keep_application(draft: Draft, job: Job, caller: Step, named: str) -> None:
    """See that the client id that an action has, or is handed, is the configured one."""
    handed = re.fullmatch(r"\$\{\{\s*inputs\.([\w-]+)\s*\}\}", named)
    pair = caller.inputs.get(handed[1].lower()) if handed else None
    said = pair.value.value if pair is not None else named
    wanted = client(draft, job, said)
    if wanted != said and pair is None:
        raise Cannot("the action names an application itself, which may be another one than the configured")
    if wanted != said and pair is not None:
        draft.change(job.workflow.file, [instead(job.workflow.text, pair, wanted)])


def _declared(text: str, pair: Pair) -> Edit:
    """Three inputs in place of one, indented as that was."""
    column = pair.key.column - 1
    end, outer, inner = line_end(text), " " * column, " " * (column + 2)
    lines = []
    for name, said in _DESCRIPTIONS.items():
        lines += [f"{name}:", f"{inner}description: {said}", f"{inner}required: true"]
    said = end.join(
        line if line.startswith(" ") or not number else outer + line for number, line in enumerate(lines)
    )
    return Edit(pair.key.start, content_end(text, pair.value), said)
