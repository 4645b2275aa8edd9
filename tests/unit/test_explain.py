"""`explain` on logs in the shapes that tools print; the texts are made up."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from trustsmith import aadsts
from trustsmith.cli import cli
from trustsmith.errors import TrustsmithError, UsageError
from trustsmith.explain import Believed, Explanation, Sent, explain
from trustsmith.model.config import Config, Environment, Observer
from trustsmith.model.issuers import Aks, TerraformCloud

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
CLIENT, TENANT = "44444444-4444-4444-4444-444444444444", "11111111-1111-1111-1111-111111111111"
SUBJECT = "repo:contoso/agents:environment:dev"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
CONFIG = Config(
    repository="contoso/agents",
    tenant=TENANT,
    environments=(Environment(name="dev", projects=()), Environment(name="prod", projects=())),
)
BELIEVED = Believed(config=CONFIG, issuer=ISSUER, audience=AUDIENCE)
HINT = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
)
IDS = "Trace ID: 5f0a Correlation ID: 6f0a Timestamp: 2026-02-03 04:05:06Z"


def no_match(what: str, value: str) -> str:
    return (
        f"No matching federated identity record found for presented assertion {what} '{value}'. {HINT} {IDS}"
    )


def body(code: int, text: str, **more: Any) -> str:
    """Entra's answer."""
    described = {"error": "invalid_client", "error_description": f"AADSTS{code}: {text}"}
    return json.dumps(described | {"error_codes": [code], "trace_id": "5f0a"} | more)


def login(subject: str, end: str, word: str = "subject claim", issuer: str = ISSUER) -> str:
    """The log of azure/login."""
    return f"""Run azure/login@v3
  with:
    client-id: {CLIENT}
    tenant-id: {TENANT}
    audience: {AUDIENCE}
    auth-type: SERVICE_PRINCIPAL
Running Azure CLI Login.
Federated token details:
 issuer - {issuer}
 {word} - {subject}
 audience - {AUDIENCE}
 job_workflow_ref - contoso/agents/.github/workflows/deploy.yml@refs/heads/main
Attempting Azure CLI login by using OIDC...
Error: {end}
"""


def stamped(text: str, prefix: str = "") -> str:
    """As GitHub's log files have it."""
    lines = (
        f"{prefix}2026-02-03T04:05:0{n % 10}.1234567Z {line}" for n, line in enumerate(text.splitlines())
    )
    return "\n".join(lines)


FULL = Sent(
    subject=SUBJECT,
    issuer=ISSUER,
    audience=AUDIENCE,
    client_id=CLIENT,
    tenant=TENANT,
    workflow="contoso/agents/.github/workflows/deploy.yml@refs/heads/main",
)
OLD = (
    "AADSTS70021: No matching federated identity record found for presented assertion. "
    f"Assertion Issuer: '{ISSUER}'. Assertion Subject: '{SUBJECT}'. Assertion Audience: '{AUDIENCE}'. {IDS}"
)
SUBJECT_ERROR = f"AADSTS700213: {no_match('subject', SUBJECT)}"
ONLY_SUBJECT = Sent(subject=SUBJECT)
CASES: dict[str, tuple[str, str, Sent]] = {
    "azure/login": (login(SUBJECT, SUBJECT_ERROR), "700213", FULL),
    "azure/login, stamped": (stamped(login(SUBJECT, SUBJECT_ERROR)), "700213", FULL),
    "gh run view --log": (stamped(login(SUBJECT, SUBJECT_ERROR), "deploy\tSign in\t"), "700213", FULL),
    "azure/login, coloured": (
        login(SUBJECT, "x").replace("Error: x", f"\x1b[31;1m##[error]{SUBJECT_ERROR}\x1b[0m"),
        "700213",
        FULL,
    ),
    "azure/login, older word": (login(SUBJECT, SUBJECT_ERROR, "subject identifier"), "700213", FULL),
    "azure/login, case": (
        login(
            SUBJECT,
            f"AADSTS7002138: No matching federated identity record found for presented assertion subject '{SUBJECT}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. {HINT}",
        ),
        "7002138",
        FULL,
    ),
    "azure/login, code only": (
        login(SUBJECT, "AADSTS700024: Client assertion is not within its valid time range."),
        "700024",
        FULL,
    ),
    "azure/login, annotation": (f"::error::Login failed with {SUBJECT_ERROR}", "700213", ONLY_SUBJECT),
    "azure/login, issuer with a slash": (
        login(SUBJECT, f"AADSTS700211: {no_match('issuer', ISSUER + '/')}", issuer=f"{ISSUER}/"),
        "700211",
        Sent(issuer=f"{ISSUER}/").over(FULL),
    ),
    "pasted from a page that made a link of digits": (
        f"Error: : AADSTS700[21](https://host/contoso/agents/runs/1#step:6:22)3: {no_match('subject', SUBJECT)}",
        "700213",
        ONLY_SUBJECT,
    ),
    "Azure CLI": (f"ERROR: {SUBJECT_ERROR}\nInteractive authentication is needed.", "700213", ONLY_SUBJECT),
    "Azure CLI, Windows": (f"ERROR: {SUBJECT_ERROR}".replace("\n", "\r\n") + "\r\n", "700213", ONLY_SUBJECT),
    "2023's generic form": (
        f"Error: : {OLD}",
        "70021",
        Sent(subject=SUBJECT, issuer=ISSUER, audience=AUDIENCE),
    ),
    "with an expression": (
        f"AADSTS7002131: No matching federated identity record found for presented assertion subject '{SUBJECT}' or no federated identity credential expression matched. Please check your federated identity credential Subject, Expression, Audience and Issuer",
        "7002131",
        ONLY_SUBJECT,
    ),
    "apostrophe": (
        f"AADSTS700213: {no_match('subject', SUBJECT + chr(39) + 's own')}",
        "700213",
        Sent(subject=f"{SUBJECT}'s own"),
    ),
    "body": (body(700213, no_match("subject", SUBJECT)), "700213", ONLY_SUBJECT),
    "body, indented": (
        json.dumps(json.loads(body(700213, no_match("subject", SUBJECT))), indent=2),
        "700213",
        ONLY_SUBJECT,
    ),
    "body of .NET": (
        body(700213, no_match("subject", SUBJECT)).replace("'", "\\u0027"),
        "700213",
        ONLY_SUBJECT,
    ),
    "body within JSON": (
        json.dumps({"responseBody": body(700213, no_match("subject", SUBJECT))}),
        "700213",
        ONLY_SUBJECT,
    ),
    "body without a text": ('{"error":"invalid_client","error_codes":[700213]}', "700213", Sent()),
    "body with its address only": ("see https://login.example/error?code=700213", "700213", Sent()),
    "azd": (
        "ERROR: logging in: failed fetching token: (invalid_client) "
        + SUBJECT_ERROR.replace(f" {IDS}", "\nTrace ID: 5f0a"),
        "700213",
        ONLY_SUBJECT,
    ),
    "azure-identity for Go": (
        f"ClientAssertionCredential authentication failed. \nPOST https://login.example/{TENANT}/oauth2/v2.0/token\n"
        "-----------\nRESPONSE 401: 401 Unauthorized\n-----------\n"
        + json.dumps(json.loads(body(700213, no_match("subject", SUBJECT))), indent=2),
        "700213",
        Sent(subject=SUBJECT, tenant=TENANT),
    ),
    "azure-identity for Python": (
        "azure.core.exceptions.ClientAuthenticationError: Authentication failed: AADSTS700212: "
        + no_match("audience", "https://github.com/contoso"),
        "700212",
        Sent(audience="https://github.com/contoso"),
    ),
    "MSAL": (
        (
            "Microsoft.Identity.Client.MsalServiceException:\n\tErrorCode: invalid_client\n"
            f"A configuration issue is preventing authentication - {SUBJECT_ERROR}\n"
            "   at Microsoft.Identity.Client.Internal.Requests.RequestBase.HandleTokenRefreshError()"
        ),
        "700213",
        ONLY_SUBJECT,
    ),
    "Terraform, azurerm": (
        "╷\n│ Error: building account: could not acquire access token to parse claims: clientCredentialsToken: received HTTP status 401 with response: "
        + body(700213, no_match("subject", SUBJECT))
        + '\n│ \n│   with provider["azurerm"],\n╵',
        "700213",
        ONLY_SUBJECT,
    ),
    "Terraform, broken into lines": (
        (
            "│ Error: AADSTS700213: No matching federated identity record\n│ found for presented assertion\n"
            f"│ subject '{SUBJECT}'. Check your\n│ federated identity credential"
        ),
        "700213",
        ONLY_SUBJECT,
    ),
    "wrong client": (
        f"AADSTS700016: Application with identifier '{CLIENT}' was not found in the directory 'contoso.com'. This can happen if",
        "700016",
        Sent(client_id=CLIENT, tenant="contoso.com"),
    ),
    "no credential": (
        f"AADSTS70025: The client '{CLIENT}'(agents-dev) has no configured federated identity credentials.",
        "70025",
        Sent(client_id=CLIENT),
    ),
    "no principal": (
        f"AADSTS7000229: The client application {CLIENT} is missing service principal in the tenant {TENANT}. See",
        "7000229",
        Sent(client_id=CLIENT, tenant=TENANT),
    ),
    "no tenant": (
        f"AADSTS90002: Tenant '{TENANT}' not found. Check to make sure",
        "90002",
        Sent(tenant=TENANT),
    ),
    "a tenant that is none": (
        "AADSTS900023: Specified tenant identifier 'a b' is neither",
        "900023",
        Sent(tenant="(not shown)"),
    ),
    "a secret": (
        f"AADSTS7000215: Invalid client secret provided. Ensure … for a secret added to app '{CLIENT}'.",
        "7000215",
        Sent(client_id=CLIENT),
    ),
    "environment variables": (
        f"AZURE_CLIENT_ID: {CLIENT}\nAZURE_TENANT_ID: {TENANT}\nAADSTS7000112: Application is disabled.",
        "7000112",
        Sent(client_id=CLIENT, tenant=TENANT),
    ),
    "starred out": (
        login("***", f"AADSTS700213: {no_match('subject', '***')}"),
        "700213",
        Sent(subject="***").over(FULL),
    ),
    "a malformed token": ("AADSTS5002730: Invalid JWT token. Unsupported key", "5002730", Sent()),
    "a code of tomorrow": ("AADSTS7009999: Something new", "7009999", Sent()),
}


NOTHING = Sent()


def only(text: str, given: Sent = NOTHING, believed: Believed = BELIEVED) -> Explanation:
    (found,) = explain(text, given, believed)
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_was_sent_is_found_in_a_log(name: str) -> None:
    text, code, sent = CASES[name]
    found = only(text)
    assert (found.code, found.sent) == (f"AADSTS{code}", sent)
    assert found.says
    assert found.next


def test_there_are_many_shapes() -> None:
    assert len(CASES) >= 30


def told(subject: str, code: str = "700213", **believed: Any) -> Explanation:
    return only(f"AADSTS{code}", Sent(subject=subject), Believed(**{"config": CONFIG} | believed))


@pytest.mark.parametrize(
    ("subject", "trusted", "cause", "following"),
    [
        (
            "repo:contoso/agents:ref:refs/heads/main",
            "prod",
            "branch instead of environment",
            "one of dev, prod",
        ),
        ("repo:contoso/agents:pull_request", "", "pull request instead of environment", "trustsmith render"),
        ("repo:contoso/agents:environment:Prod", "prod", "only case differs", "as GitHub does"),
        (
            "repo:contoso/agents:environment:prod-eu",
            "prod",
            "another environment",
            "--env prod-eu=PROJECT_ID",
        ),
        ("repo:Contoso/agents:environment:prod", "prod", "only case differs", "`repository:`"),
        ("repo:fabrikam@9/agents@7:environment:prod", "prod", "another owner, or it was renamed", "plan"),
        (
            "repo:contoso@9/agents@7:environment:prod",
            "prod",
            aadsts._SUBJECT,
            "names only",
        ),
        ("repository_owner_id:1:repository_id:2:environment:x", "", "another environment", "setup --env"),
        ("repo:***/***:environment:dev", "dev", "starred out in the log", "--subject"),
    ],
)
def test_a_subject_is_compared_with_the_configuration(
    subject: str, trusted: str, cause: str, following: str
) -> None:
    found = told(subject)
    assert found.trusted.endswith(f":environment:{trusted}" if trusted else "")
    assert found.cause == cause
    assert following in found.next


def test_the_observers_job_is_known() -> None:
    found = told(
        "repo:contoso/agents:environment:Look", config=replace(CONFIG, observer=Observer(environment="look"))
    )
    assert found.trusted == "repo:contoso/agents:environment:look"
    assert (found.cause, "setup --env" in found.next) == ("only case differs", False)
    found = told(
        "repo:fabrikam/agents:environment:look", config=replace(CONFIG, observer=Observer(environment="look"))
    )
    assert found.trusted == "repo:contoso/agents:environment:look"


def test_ids_and_unknown_claims_are_taken_from_what_was_sent() -> None:
    found = told("repo:contoso@9/agents@7:ref:refs/heads/main:job_workflow_ref:x")
    assert found.trusted in {
        f"repo:contoso@9/agents@7:environment:{e}:job_workflow_ref:x" for e in ("dev", "prod")
    }
    assert (
        told("repo:fabrikam@9/agents@7:environment:dev").trusted == "repo:contoso@?/agents@7:environment:dev"
    )
    assert (
        told("repository:Contoso/agents:environment:dev").trusted
        == "repository:contoso/agents:environment:dev"
    )


@pytest.mark.parametrize(
    ("issuer", "how", "following"),
    [
        (f"{ISSUER}/", "a slash at the end", "to the byte"),
        (f"{ISSUER}/contoso", "with an enterprise's name when sent", "`enterprise: contoso`"),
        ("https://ghe.contoso.com/_services/token", "another issuer", "`github`"),
        ("***", "starred out in the log", "--issuer"),
    ],
)
def test_an_issuer_is_compared(issuer: str, how: str, following: str) -> None:
    found = only("AADSTS700211", Sent(issuer=issuer))
    assert found.cause == how
    assert following in found.next


@pytest.mark.parametrize(
    ("audience", "how"),
    [
        (f"{AUDIENCE}China", "the audience of another cloud"),
        ("https://github.com/contoso", "GitHub's default: none was asked for"),
        (AUDIENCE.lower(), "only case differs"),
        ("other", "another audience"),
    ],
)
def test_an_audience_is_compared(audience: str, how: str) -> None:
    found = only("AADSTS700212", Sent(audience=audience))
    assert (found.cause, f"audience: {audience}" in found.next) == (how, True)


def test_what_is_given_goes_before_the_log_and_the_configuration() -> None:
    found = only(
        SUBJECT_ERROR, Sent(subject=f"{SUBJECT}2"), Believed(config=CONFIG, subjects=(f"{SUBJECT}3",))
    )
    assert (found.sent.subject, found.trusted) == (f"{SUBJECT}2", f"{SUBJECT}3")


def test_without_a_configuration_azure_cli_is_named() -> None:
    assert "az ad app federated-credential list" in told(SUBJECT, config=None).next
    made = told(SUBJECT, config=None, subjects=("repo:contoso/agents:environment:prod",))
    assert "az ad app federated-credential create" in made.next
    assert SUBJECT in made.next


def test_a_difference_is_no_propagation() -> None:
    assert told("repo:contoso/agents:environment:dev").passing
    assert not told("repo:contoso/agents:environment:Dev").passing


def test_each_code_is_explained_once_in_the_order_of_the_log() -> None:
    other = login(
        "repo:contoso/agents:pull_request",
        f"AADSTS700213: {no_match('subject', 'repo:contoso/agents:pull_request')}",
    )
    late = "AADSTS700024: Client assertion is not within its valid time range."
    found = explain(other + login(SUBJECT, late) + login(SUBJECT, SUBJECT_ERROR), Sent(), BELIEVED)
    assert [(e.code, e.sent.subject) for e in found] == [
        ("AADSTS700213", "repo:contoso/agents:pull_request"),
        ("AADSTS700024", SUBJECT),
    ]


def test_other_issuers_are_explained_too() -> None:
    trusts = (
        Aks(issuer="https://oidc.contoso.com/", namespace="agents", service_account="deployer"),
        TerraformCloud(organization="contoso", project="Default Project", workspace="dev"),
    )
    config = replace(CONFIG, environments=(replace(CONFIG.environments[0], trusts=trusts),))
    found = told("organization:contoso:project:Default Project:workspace:Dev:run_phase:apply", config=config)
    assert found.trusted == "organization:contoso:project:Default Project:workspace:dev:run_phase:apply"
    assert (found.cause, "`trusts`" in found.next) == ("only case differs", True)
    believed = replace(BELIEVED, config=config)
    assert (
        only("AADSTS700211", Sent(issuer="https://oidc.contoso.com"), believed).cause == "a slash at the end"
    )


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_code_has_a_meaning_a_cause_and_a_next_step() -> None:
    codes = [meaning.code for meaning in aadsts.MEANINGS]
    assert len(codes) == len(set(codes))
    assert all(meaning.says and meaning.cause and meaning.next for meaning in aadsts.MEANINGS)


#: Reference of AADSTS error codes, and those seen with federated credentials.
DOCUMENTED = """
    70021 700211 700212 700213 7002131 7002137 7002138 70025 700024 700016 7000229 7000215 7000222 90002 900023 900144
    7000218 50027 5002730 700027 700030 50166 700021 700222 700223 700238 700235 700237 7002241 53003 50057 7000112
    500011 70011 7000113 50126
"""


def test_every_documented_code_is_known() -> None:
    assert [code for code in DOCUMENTED.split() if aadsts.explain(f"AADSTS{code}") is None] == []


def test_codes_that_pass_by_themselves() -> None:
    passing = {"70021", "700211", "700212", "700213", "7002131", "70025", "700016", "7000229"}
    assert passing == aadsts.PROPAGATION


# -- secrets -----------------------------------------------------------------------------------------------------------

ENTRA_SECRET = "abc8Q~" + "x" * 34
SECRETS = [TOKEN, ENTRA_SECRET, "hunter2hunter2", "ghp_" + "a" * 36]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "shape",
    [
        "client_secret={0} AADSTS7000215: Invalid client secret",
        "AADSTS700213: presented assertion subject 'password={0}'. Check",
        "ARM_CLIENT_SECRET: {0}\nAADSTS700016: Application with identifier '{0}' was not found in the directory '{0}'",
        "AADSTS700211: presented assertion issuer 'https://x:{0}@host/'. Check",
        " subject claim - password: {0}\n audience - secret={0}\nAADSTS700024",
    ],
)
def test_no_secret_of_a_log_is_shown(secret: str, shape: str) -> None:
    found = json.dumps([e.as_json() for e in explain(shape.format(secret), Sent(), BELIEVED)])
    assert "AADSTS" in found
    assert secret not in found


def test_no_token_given_by_a_flag_is_shown() -> None:
    assert TOKEN not in repr(told(TOKEN))
    assert TOKEN not in repr(only("AADSTS700212", Sent(audience=TOKEN, client_id=ENTRA_SECRET)))
    assert ENTRA_SECRET not in repr(only("AADSTS70025", Sent(client_id=ENTRA_SECRET)))


def test_a_long_subject_without_claims_is_not_shown() -> None:
    hidden = base64.b64encode(TOKEN.encode()).decode()
    assert only(f"AADSTS700213: {no_match('subject', hidden)}").sent.subject == "(not shown)"


def test_no_token_given_as_trusted_is_shown() -> None:
    assert TOKEN not in repr(told(SUBJECT, subjects=(TOKEN,)))


def test_a_repository_may_be_called_secret() -> None:
    subject = "repo:contoso/app-secret:environment:password:actor:token"
    assert only(f"AADSTS700213: {no_match('subject', subject)}").sent.subject == subject


def test_a_long_log_takes_no_long_time() -> None:
    lines = "-----\n\n  ***\n'\n" * 20_000
    started = time.monotonic()
    assert only(f"{lines}{login(SUBJECT, SUBJECT_ERROR)}{lines}").sent == FULL
    assert time.monotonic() - started < 5


# -- any text ----------------------------------------------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from(
        [
            *(
                " ",
                "\n",
                "'",
                '"',
                "\\",
                "\x1b[",
                "***",
                ":",
                "AADSTS",
                "AADSTS700213",
                "AADSTS700211: ",
                "assertion subject '",
            ),
            *(
                SUBJECT,
                "assertion issuer '",
                ISSUER,
                "'.",
                " subject claim - ",
                'error_codes":[',
                "70021",
                "repo:",
                "│ ",
                TOKEN,
            ),
        ]
    )
    | st.text(max_size=5)
).map("".join)


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES, st.booleans())
def test_any_text_is_explained_or_not(text: str, subject: str, configured: bool) -> None:  # noqa: FBT001
    found = explain(
        text, Sent(subject=subject), BELIEVED if configured else Believed(subjects=(subject, SUBJECT))
    )
    shown = json.dumps([e.as_json() for e in found])
    assert TOKEN not in shown
    assert all(e.says and e.next for e in found)


# -- the command -------------------------------------------------------------------------------------------------------

FILE = f"""\
version: 1
repository: contoso/agents
tenant: {TENANT}
environments:
  dev:
    project: /subscriptions/{TENANT}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/foundry/projects/dev
"""


def run(folder: Path, *arguments: str, log: str | bytes = "", config: str = FILE) -> Result:
    if config:
        (folder / ".github").mkdir(exist_ok=True)
        (folder / ".github" / "trustsmith.yml").write_text(config, "utf-8")
    return CliRunner().invoke(cli, ["-C", str(folder), "explain", *arguments], input=log)


def said(result: Result) -> str:
    assert result.exception is None, result.exception
    return result.output


def test_the_command_shows_a_table(tmp_path: Path) -> None:
    text = said(run(tmp_path, "700213", "--subject", "repo:contoso/agents:environment:Dev"))
    row = next(line for line in text.splitlines() if line.strip().startswith("environment"))
    assert row.split(maxsplit=3) == ["environment", "Dev", "dev", "only case differs"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_command_reads_a_log(tmp_path: Path, encoding: str) -> None:
    log = login("repo:contoso/agents:pull_request", "AADSTS700213: no")
    (tmp_path / "job.log").write_text(log, encoding)
    for result in (
        run(tmp_path, log=log.encode(encoding)),
        run(tmp_path, "--log", "-", log=log.encode(encoding)),
        run(tmp_path, "--log", str(tmp_path / "job.log")),
    ):
        assert "pull request instead of environment" in said(result)


def test_the_command_speaks_json_and_markdown(tmp_path: Path) -> None:
    arguments = ["AADSTS700213", "--subject", "repo:contoso/agents:environment:Dev"]
    assert "| environment | Dev | dev | only case differs |" in said(
        run(tmp_path, *arguments, "--format", "md")
    )
    hostile = run(tmp_path, "700213", "--subject", "repo:a/b:environment:\x1b[31m", "--format", "md")
    assert "\x1b" not in said(hostile)
    context = run(tmp_path, *arguments, "--format", "json")
    assert "AADSTS700213" not in said(
        context
    )  # the document is printed when the command line ends, see cli.exits


def test_the_command_works_without_a_good_configuration(tmp_path: Path) -> None:
    assert "az ad app" in said(run(tmp_path, "700213", "--subject", SUBJECT, config=""))
    text = said(run(tmp_path, "700213", "--subject", SUBJECT, config="version: 2"))
    assert "Warning: Explained without the configuration" in text
    assert "az ad app" in text


@pytest.mark.parametrize(
    ("arguments", "log"), [([], ""), ([], "all is well"), (["--log", "no-such-file"], ""), (["hello"], "")]
)
def test_nothing_to_explain(tmp_path: Path, arguments: Sequence[str], log: str) -> None:
    error = run(tmp_path, *arguments, log=log).exception
    assert isinstance(error, UsageError)
    assert isinstance(error, TrustsmithError)
    assert error.hint
