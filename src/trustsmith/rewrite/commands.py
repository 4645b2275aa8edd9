"""Commands of steps that sign in: `az login -p` and `azd auth login --client-secret`.

Each function rewrites one use in a draft, or raises Cannot. Must not touch variables, permissions or environments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate.shell import Command, Word, commands, has, option
from trustsmith.rewrite.draft import Cannot, Draft, Ids
from trustsmith.rewrite.edits import Edit, content_end, without
from trustsmith.rewrite.ids import change_variable, client
from trustsmith.rewrite.scripts import as_block, cut, cut_lines, is_nested, is_quoted
from trustsmith.rewrite.signins import login_lines, of_workflow

if TYPE_CHECKING:
    from trustsmith.migrate.scan import Use
    from trustsmith.model.workflow import Step

#: Options of `az login` that azure/login makes unnecessary.
_PLAIN = (
    "--service-principal",
    "--allow-no-subscriptions",
    "--only-show-errors",
    ">",
    "2>&1",
    "/dev/null",
    ">/dev/null",
)
_WITH_VALUE = {"-u", "--username", "-p", "--password", "-t", "--tenant", "-o", "--output", "--query"}
_IN_STEP = {"name", "id", "if", "env", "run", "continue-on-error", "timeout-minutes", "shell"}
#: Commands before a sign-in that do not need one.
_PREPARING = {"set", "echo", "printf", "export", "cd"}
_POSIX = {"", "bash", "sh"}
_ASK = (
    '--federated-token "$(curl -fsSH "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" '
    '"$ACTIONS_ID_TOKEN_REQUEST_URL&audience={}" | jq -r .value)"'
)


def az_login(draft: Draft, use: Use) -> None:
    """`az login -p` becomes azure/login where the command stands alone, else a sign-in with a federated token."""
    command = use.hit.command if use.hit else None
    if command is None:
        raise Cannot("the secret is only handed over here")
    words = command.after("az", "login") or ()
    if not has(words, "--service-principal"):
        raise Cannot("a person's name and password cannot be federated: sign in as an application")
    if option(words, "--certificate") is not None:
        raise Cannot("a certificate is used")
    try:
        _as_action(draft, use, command)
    except Cannot:
        _as_token(draft, use, command)


def _as_action(draft: Draft, use: Use, command: Command) -> None:
    step, job = of_workflow(use)
    script, words = use.spot, command.after("az", "login") or ()
    if (
        script.key != "run"
        or not command.alone
        or not _is_plain(words)
        or is_nested(script.node.value, command)
        or _is_preceded(script.node.value, command)
    ):
        raise Cannot("the sign-in depends on what is around it")
    ids = Ids(
        client=_expression(step, option(words, "-u", "--username")),
        tenant=_expression(step, option(words, "-t", "--tenant")),
        subscription=None,
    )
    others = [c for c in commands(script.node.value) if c != command and c.name != "set"]
    chosen = others[0].after("az", "account", "set") if others else None
    subscription = option(chosen, "-s", "--subscription") if chosen else None
    if subscription is not None:
        ids = Ids(client=ids.client, tenant=ids.tenant, subscription=_expression(step, subscription))
    rest = others[1:] if subscription is not None else others
    whole = not rest and "#" not in script.node.value
    if whole and {pair.key.value for pair in step.node.pairs} <= _IN_STEP:
        _step_for_run(draft, step, ids)
        draft.sign_in(job, step)
    else:
        draft.change(use.file, [cut_lines(script, command.start, command.end)])
        draft.sign_in(job, step, ids)
    draft.was_signed_in(job, step, ids.client, ", ".join(use.secrets))


def _is_preceded(script: str, command: Command) -> bool:
    """Whether anything is done before a sign-in, perhaps as somebody else, or it is one of several."""
    others = [each for each in commands(script) if each != command]
    return any(each.start < command.start and each.name not in _PREPARING for each in others) or any(
        each.after("az", "login") is not None for each in others
    )


def _is_plain(words: tuple[Word, ...]) -> bool:
    """Whether `az login` has nothing but what azure/login does as well."""
    waiting = False
    for word in words:
        name, joined, _ = word.text.partition("=")
        if waiting:
            waiting = False
        elif name in _WITH_VALUE:
            waiting = not joined
        elif word.text not in _PLAIN:
            return False
    return True


def _expression(step: Step, word: Word | None) -> str:
    """What a word of a command stands for, as a value of an input. Raises Cannot when only the shell knows."""
    if word is None:
        raise Cannot("an id is missing")
    text, name = _said(word)
    for holder in (step, step.job, step.job.workflow) if name else ():
        pair = holder.env.get(name)
        if pair is not None:
            return pair.value.value
    if "$" not in re.sub(r"\$\{\{.*?\}\}", "", text) and "%" not in text and text:
        return text
    raise Cannot("an id is put together in the script")


def _said(word: Word) -> tuple[str, str]:
    """What an option is given, and the variable that this is, if it is one."""
    text = re.sub(r"^--?[\w-]+=", "", word.text).strip("\"'")
    named = re.fullmatch(r"\$(?:env:|\{)?(\w+)\}?|%(\w+)%", text, re.IGNORECASE)
    return text, (named[1] or named[2]) if named else ""


def _keep_application(draft: Draft, use: Use, word: Word | None) -> None:
    """See that the client id that stays in a command is the configured one. Raises Cannot."""
    step, job = of_workflow(use)
    text, name = _said(word) if word is not None else ("", "")
    if name:
        change_variable(draft, step, job, name)
        return
    wanted = client(draft, job, text)
    if text and wanted == text:
        return
    if word is None or text not in word.text:
        raise Cannot("an id is missing")
    start = word.start + use.spot.node.value[word.start : word.end].find(text)
    draft.change(use.file, [cut(use.spot, start, start + len(text), wanted)])


def _step_for_run(draft: Draft, step: Step, ids: Ids) -> None:
    """The step becomes one of azure/login; its name, condition and variables stay."""
    run, shell = step.node.pair("run"), step.node.pair("shell")
    assert run is not None  # noqa: S101 - the command was found in it
    text = step.job.workflow.text
    edits: list[Edit | None] = [
        Edit(run.key.start, content_end(text, run.value), login_lines(draft, step, ids))
    ]
    if shell is not None:
        edits.append(without(text, step.node, shell))
    draft.change(step.job.workflow.file, edits)


def _as_token(draft: Draft, use: Use, command: Command) -> None:
    """The password gives way to a token that GitHub is asked for then and there."""
    step, job = of_workflow(use)
    spot, value = use.spot, use.hit
    if (
        spot.key != "run"
        or step.shell.partition(" ")[0] not in _POSIX
        or "windows" in job.node.text("runs-on")
    ):
        raise Cannot("this sign-in stands where no step can take its place")
    if value is None or is_quoted(spot, command) or command.after("docker") is not None:
        raise Cannot("the sign-in is inside of another command's quotes")
    words = command.words
    place = next(i for i, word in enumerate(words) if word.start <= value.start < word.end)
    start = words[place].start if words[place].text.startswith("-") else words[place - 1].start
    asked = _ASK.format(draft.choices.audience)
    if spot.node.style:
        draft.change(use.file, [cut(spot, start, words[place].end, asked)])
    else:
        draft.change(
            use.file,
            [as_block(step, spot, spot.node.value[:start] + asked + spot.node.value[words[place].end :])],
        )
    draft.sign_in(job)
    _keep_application(draft, use, option(words, "-u", "--username"))


def azd_login(draft: Draft, use: Use) -> None:
    """`--client-secret X` gives way to azd's own way of asking GitHub."""
    command, value = use.hit.command if use.hit else None, use.hit
    if command is None or value is None:
        raise Cannot("the secret is only handed over here")
    if "audience" in draft.choices.also:
        raise Cannot("azd asks for a token with another audience than the one in use here")
    _, job = of_workflow(use)
    words = command.words
    if "certificate" in command.words[0].text or any("certificate" in word.text for word in words):
        raise Cannot("a certificate is used")
    client_id = option(words, "--client-id")
    if client_id is not None and "$(" in client_id.text:
        raise Cannot("the client id is taken out of the secret as well")
    _keep_application(draft, use, client_id)
    place = next(i for i, word in enumerate(words) if word.start <= value.start < word.end)
    start = words[place].start if words[place].text.startswith("-") else words[place - 1].start
    draft.change(
        use.file, [cut(use.spot, start, words[place].end, '--federated-credential-provider "github"')]
    )
    draft.sign_in(job)
