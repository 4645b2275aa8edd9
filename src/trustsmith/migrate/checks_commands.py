"""Checks of what scripts do with a credential: sign-ins, and variables and options that carry one. One function a pattern.

Each looks at one command; must not ask where the credential comes from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate import names, patterns
from trustsmith.migrate.checks_values import NO_USER
from trustsmith.migrate.hits import Hit, is_secret
from trustsmith.migrate.shell import commands, has, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.shell import Command, Word

_CONTAINERS = {"docker", "podman", "buildah", "skopeo", "nerdctl", "oras"}
_TERRAFORM = {"terraform", "tofu", "terragrunt"}
_POWERSHELL = {"connect-azaccount", "login-azaccount", "add-azaccount", "connect-azuread"}
_ASSIGNED = re.compile(r"(?:^|[\s\"'])(?:\$env:)?([A-Za-z_]\w*)=(.+)", re.DOTALL)
_SETTING = re.compile(r"(client_secret|client_certificate_password|access_key|sas_token)=(.+)", re.DOTALL)
_OPTION = re.compile(r"--?[\w-]*client-?_?secret", re.IGNORECASE)
_CODE = re.compile(
    r"(?:ClientSecretCredential|ServicePrincipalAuthentication|ServicePrincipalCredentials)\s*\("
)
_STORAGE_SETTINGS = {"access_key", "sas_token"}


def az_login(spot: Spot, command: Command) -> Iterator[Hit]:
    """`az login` with a password or a certificate."""
    words = command.after("az", "login")
    if words is None or has(words, "--federated-token", "--identity", "-i"):
        return
    value = option(words, "-p", "--password") or option(words, "--certificate")
    if value is not None:
        yield _hit(patterns.AZ_LOGIN_SECRET, spot, command, value)


def azd_login(spot: Spot, command: Command) -> Iterator[Hit]:
    """`azd auth login` with a client secret or a certificate."""
    words = command.after("azd", "auth", "login") or command.after("azd", "login")
    value = option(words, "--client-secret", "--client-certificate") if words else None
    if value is not None:
        yield _hit(patterns.AZD_CLIENT_SECRET, spot, command, value)


def powershell_login(spot: Spot, command: Command) -> Iterator[Hit]:
    """`Connect-AzAccount -Credential`; the secret is what the script turns into a secure string."""
    for name in _POWERSHELL:
        words = command.after(name)
        value = option(words, "-credential") if words else None
        if value is None:
            continue
        made = next(_secure_strings(spot), None)
        yield _hit(patterns.POWERSHELL_CREDENTIAL, spot, command, made or value)


def _secure_strings(spot: Spot) -> Iterator[Word]:
    for command in commands(spot.node.value):
        words = command.after("convertto-securestring")
        if words:
            yield option(words, "-string") or words[0]
    for command in commands(spot.node.value):
        for place, word in enumerate(command.words[:-1]):
            if word.text.lower() == "convertto-securestring":
                yield command.words[place + 1]


def registry_login(spot: Spot, command: Command) -> Iterator[Hit]:
    """`docker login` and its like, for Azure's registries."""
    words = command.after("az", "acr", "login")
    if words is None and command.name in _CONTAINERS | {"sudo"}:
        words = next((found for name in _CONTAINERS if (found := command.after(name, "login"))), None)
    words = words or command.after("helm", "registry", "login")
    if not words or not _is_acr(spot, command, words):
        return
    value = option(words, "-p", "--password") or _piped(command, words)
    if value is not None and "az acr" not in value.text:
        yield _hit(patterns.REGISTRY_PASSWORD, spot, command, value)


def _is_acr(spot: Spot, command: Command, words: tuple[Word, ...]) -> bool:
    user = option(words, "-u", "--username")
    if user is not None and user.text.strip("\"'") == NO_USER:
        return False
    if "acr" in [word.text for word in command.words[:3]]:
        return True
    return any(names.of_registry(_meaning(spot, word.text)) for word in words)


def _meaning(spot: Spot, text: str) -> str:
    """A word and, if it is a variable, what the file says that it is."""
    named = re.search(r"(?:\$\{?|\$\{\{\s*env\.|\$env:)(\w+)", text)
    if named is None:
        return text
    for holder in (spot.step, spot.job, spot.workflow):
        if holder is not None and named[1] in holder.env:
            return f"{text} {holder.env[named[1]].value.value}"
    return text


def _piped(command: Command, words: tuple[Word, ...]) -> Word | None:
    """What is piped in as the password."""
    if not has(words, "--password-stdin", "--password_stdin"):
        return None
    if command.source is None or len(command.source.words) < 2:  # noqa: PLR2004 - a name, and what it prints
        return None
    return None if command.source.name == "az" else command.source.words[-1]


def registry_option(spot: Spot, command: Command) -> Iterator[Hit]:
    """Passwords of registries that are handed to Azure or to a cluster."""
    words = command.after("az")
    value = None
    if words:
        value = option(
            words, "--registry-password", "--docker-registry-server-password", "--container-registry-password"
        )
        if value is None and [word.text for word in words[:3]] == ["containerapp", "registry", "set"]:
            value = option(words, "--password")
    elif words := command.after("kubectl", "create", "secret", "docker-registry"):
        server = option(words, "--docker-server")
        if server is not None and names.of_registry(_meaning(spot, server.text)):
            value = option(words, "--docker-password")
    if value is not None and "az acr" not in value.text:
        yield _hit(patterns.REGISTRY_PASSWORD, spot, command, value)


def storage_option(spot: Spot, command: Command) -> Iterator[Hit]:
    """`az storage` with a key."""
    words = command.after("az", "storage")
    value = option(words, "--account-key", "--connection-string", "--sas-token") if words else None
    if value is not None:
        yield _hit(patterns.STORAGE_KEY, spot, command, value)


def assignment(spot: Spot, command: Command) -> Iterator[Hit]:
    """Variables that tools read a credential from, set in a script or handed to a program; settings of Terraform."""
    for place, word in enumerate(command.words):
        raw = spot.node.value[word.start : word.end]
        found = _ASSIGNED.search(raw)
        pattern = names.of_variable(found[1]) if found else ""
        if not pattern and command.name in _TERRAFORM and (found := _SETTING.search(raw)):
            stored = found[1] in _STORAGE_SETTINGS
            pattern = patterns.STORAGE_KEY if stored else patterns.TERRAFORM_SECRET
        if found and pattern and _carries(found[2]):
            start = word.start + found.start(2)
            yield Hit(pattern=pattern, spot=spot, start=start, end=word.end, command=command)
        yield from _powershell_variable(spot, command, place)


def _powershell_variable(spot: Spot, command: Command, place: int) -> Iterator[Hit]:
    """`$env:NAME = …`."""
    named = re.fullmatch(r"\$env:(\w+)", command.words[place].text, re.IGNORECASE)
    equals, *said = [*command.words[place + 1 : place + 3], None, None][:2]
    pattern = names.of_variable(named[1]) if named else ""
    if (
        pattern
        and equals is not None
        and equals.text == "="
        and said[0] is not None
        and _carries(said[0].text)
    ):
        yield _hit(pattern, spot, command, said[0])


def _carries(text: str) -> bool:
    return is_secret(text) or re.search(r"\$[\w{(]|%\w+%", text) is not None


def other_programs(spot: Spot, command: Command) -> Iterator[Hit]:
    """Programs that are told a tenant and a client secret."""
    if command.after("azd") or command.after("az") or command.name in _TERRAFORM:
        return
    tenant = any(re.match(r"--?[\w-]*tenant", word.text, re.IGNORECASE) for word in command.words)
    for word, value in zip(command.words, command.words[1:], strict=False):
        flag, joined, _ = word.text.partition("=")
        if tenant and _OPTION.fullmatch(flag) and command.after(command.name):
            yield _hit(patterns.OTHER_USE, spot, command, word if joined else value)


COMMAND_CHECKS: tuple[Callable[[Spot, Command], Iterator[Hit]], ...] = (
    az_login,
    azd_login,
    powershell_login,
    registry_login,
    registry_option,
    storage_option,
    assignment,
    other_programs,
)


def in_script(spot: Spot) -> Iterator[Hit]:
    """What all of these find in a script."""
    for command in commands(spot.node.value):
        for check in COMMAND_CHECKS:
            yield from check(spot, command)


def in_code(spot: Spot, variables: frozenset[str]) -> Iterator[Hit]:
    """What a program does with a credential. variables: those that it is started with."""
    start = 0
    for line in spot.node.value.splitlines(keepends=True):
        if not line.lstrip().startswith(("#", "//", "*")):
            if found := _CODE.search(line):
                yield Hit(
                    pattern=patterns.ENV_CLIENT_SECRET,
                    spot=spot,
                    start=start + found.start(),
                    end=start + found.end(),
                )
            for found in re.finditer(r"[\"'](\w+)[\"']|process\.env\.(\w+)", line):
                name = found[1] or found[2]
                if name in variables and (pattern := names.of_variable(name)):
                    yield Hit(
                        pattern=pattern, spot=spot, start=start + found.start(), end=start + found.end()
                    )
        start += len(line)


def _hit(pattern: str, spot: Spot, command: Command, word: Word) -> Hit:
    """A hit at the value of an option; of `--password=X` at the X."""
    raw = spot.node.value[word.start : word.end]
    joined = re.match(r"--?[\w-]+[=:]", raw)
    start = word.start + (joined.end() if joined else 0)
    return Hit(pattern=pattern, spot=spot, start=start, end=word.end, command=command)
