"""The keys of the configuration file, each once: what it takes, what it means, and what stands for it when left out.

From here the reader knows which keys there are, `editorschema` what editors show, and docs/configuration.md its tables.
What exactly a value may be is in `configvalues` and its neighbours. Must not read or write anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from trustsmith import configshapes as shapes
from trustsmith.configshapes import Key
from trustsmith.model.config import CLOUDS, HOSTED, Config, Identity, Observer, Workflow
from trustsmith.model.foundry import PROJECT_MANAGER
from trustsmith.model.issuers import AUDIENCE, GITLAB, PHASES, TERRAFORM_CLOUD

Keys = Mapping[str, Key]

VERSION = 1
REVIEWERS = 6  # GitHub REST, "Create or update an environment"
LONGEST_WAIT = 43200  # minutes; the same source

_AUDIENCE = shapes.text("text without blanks", r"\S+", AUDIENCE)
_LABELS = shapes.either("label, or list of labels", shapes.TEXT, shapes.listed("", shapes.TEXT))
_RUNNER = shapes.either("runner", _LABELS, shapes.section("runner"))
_OPTION = shapes.either(
    "", shapes.TEXT, shapes.FLAG, shapes.whole(0, 999_999_999), shapes.listed("", shapes.TEXT, least=0)
)

#: The kinds of `trusts`.
TRUSTS: Mapping[str, Keys] = {
    "aks": {
        "issuer": Key(
            shapes.ISSUER,
            "The cluster's issuer, kept to the byte. AKS's own end in a slash. `az aks show --query "
            "oidcIssuerProfile.issuerUrl -o tsv` prints it.",
            required=True,
        ),
        "namespace": Key(shapes.NAME, "The namespace.", required=True),
        "service_account": Key(shapes.NAME, "The service account.", required=True),
        "audience": Key(_AUDIENCE, "The token's audience.", default=AUDIENCE),
    },
    "terraform_cloud": {
        "organization": Key(shapes.NAME, "The organization.", required=True),
        "project": Key(shapes.NAME, "The project's name, with its blanks.", required=True),
        "workspace": Key(shapes.NAME, "The workspace.", required=True),
        "host": Key(
            shapes.HOST_NAME, "Another host, such as a Terraform Enterprise.", default=TERRAFORM_CLOUD
        ),
        "phases": Key(
            shapes.listed("list of `plan`, `apply`", shapes.one_of(*PHASES)),
            "The run phases; each takes one credential.",
            otherwise="both",
        ),
        "audience": Key(
            _AUDIENCE,
            "What `TFC_AZURE_WORKLOAD_IDENTITY_AUDIENCE` says.",
            default=AUDIENCE,
        ),
    },
    "azure_devops": {
        "organization": Key(shapes.NAME, "The organization's name, not its address.", required=True),
        "organization_id": Key(shapes.ID, "The organization's id.", required=True),
        "project": Key(shapes.NAME, "The project.", required=True),
        "service_connection": Key(shapes.NAME, "The service connection.", required=True),
    },
    "azure_devops_entra": {
        "organization_id": Key(shapes.ID, "The organization's id.", required=True),
        "service_connection_id": Key(
            shapes.ID, "The service connection's id: `resourceId` in the address of its page.", required=True
        ),
    },
    "gitlab": {
        "project": Key(
            shapes.text("path", r"[^*]+/[^*]+", "contoso/agents"),
            "The project with its groups: `group/name`.",
            required=True,
        ),
        "branch": Key(shapes.NAME, "The branch whose jobs are trusted.", otherwise="this or `tag`"),
        "tag": Key(shapes.NAME, "The tag whose jobs are trusted.", otherwise="this or `branch`"),
        "host": Key(
            shapes.HOST_NAME, "Another GitLab, which must be reachable from the internet.", default=GITLAB
        ),
        "audience": Key(_AUDIENCE, "What the job's `id_tokens` say as `aud`.", default=AUDIENCE),
    },
}

#: Section → its keys; "" is the top of the file. "environment" and "workflow" are one entry of `environments`,
#: `workflows`; a kind of trust is one of `trusts`.
KEYS: Mapping[str, Keys] = {
    "": {
        "version": Key(shapes.whole(VERSION, VERSION), "The version of this format.", required=True),
        "repository": Key(
            shapes.text("`owner/name`", f"{shapes.OWNER}/{shapes.REPOSITORY}", "contoso/agents"),
            "The GitHub repository. Not an address.",
            required=True,
        ),
        "tenant": Key(
            shapes.ID,
            "The Entra tenant of the identities and of every project. A domain is not accepted; `az account "
            "show --query tenantId -o tsv` prints the id.",
            required=True,
        ),
        "cloud": Key(shapes.one_of(*CLOUDS), "Which Azure.", default=Config.cloud),
        "github": Key(
            shapes.HOST_NAME,
            "Where the repository lives: `github.com`, a GitHub Enterprise Server, or a `ghe.com` host. No "
            "`https://`, no path.",
            default=Config.github,
        ),
        "enterprise": Key(
            shapes.text("slug", shapes.SLUG, "contoso"),
            "The enterprise's slug, when the enterprise has it in the "
            "[issuer](endpoints.md#issuers-and-audiences) of its tokens. On `NAME.ghe.com` it is `NAME`; an "
            "enterprise server has none.",
        ),
        "audience": Key(
            _AUDIENCE,
            "What jobs ask GitHub for, and what the credentials take: one value for both. At most 600 "
            "characters.",
            default=AUDIENCE,
        ),
        "identity": Key(shapes.section("identity"), "How the identities are made.", otherwise="see below"),
        "store": Key(
            shapes.one_of("secrets", "variables"),
            "Where each GitHub environment keeps the ids that a job signs in with. They are not secret: "
            "variables can be read back and show in logs, secrets are masked.",
            default=Config.store,
        ),
        "immutable_subjects": Key(
            shapes.FLAG,
            "Opt the repository in to subjects with ids. `false` leaves it as it is: there is no known way "
            "back. [How that goes](subjects.md#from-names-to-ids).",
            default=Config.immutable_subjects,
        ),
        "runner": Key(_RUNNER, "Where jobs run: [below](#one-runner).", default=HOSTED.labels[0]),
        "templates": Key(
            shapes.text("folder", shapes.FOLDER, ".github/trustsmith-templates"),
            "The folder of your [own templates](templates.md#your-own-templates), from the top of the "
            "repository.",
        ),
        "environments": Key(
            shapes.named("mapping: name → environment", shapes.section("environment"), least=1),
            "The environments, in the order of deployment. At least one.",
            required=True,
        ),
        "observer": Key(
            shapes.section("observer"),
            "Who looks whether everything is still so: [below](#observer). `{}` for one with all defaults.",
        ),
        "workflows": Key(
            shapes.named("mapping: name → workflow", shapes.section("workflow")),
            "The workflow files to generate. Without the key: the templates `deploy-agents` and `check-trust` "
            "for all environments, and with an `observer` `check-drift`, each at "
            "`.github/workflows/<template>.yml`. With `{}`: none.",
            otherwise="`deploy`, `check-trust`, and with an observer `check-drift`",
        ),
    },
    "identity": {
        "kind": Key(
            shapes.one_of("application"),
            "An Entra application with federated credentials. Managed identities come later.",
            default=Identity.kind,
        ),
        "per": Key(
            shapes.one_of("environment", "repository"),
            "One identity for each environment, or one for all of them. With `repository`, whoever gets a "
            "token in one environment may do what any of them may; and there can be at most 20 environments, "
            "since an application holds 20 federated credentials.",
            default=Identity.per,
        ),
        "name": Key(
            shapes.DISPLAY_NAME,
            "The display name's pattern. Placeholders: `{repository}` (without the owner), `{environment}`, "
            "`{owner}`. At most 256 characters when filled in. Applications are found by an id of their own, "
            "never by this name.",
            default=Identity.name,
        ),
        "owners": Key(
            shapes.listed(
                "list", shapes.text("owner", f"{shapes.UPN}|{shapes.GUID}", "ana@contoso.com"), least=0
            ),
            "Users who own the applications: user principal names or object ids.",
        ),
        "service_management_reference": Key(
            shapes.TEXT,
            "The application's service management reference, where a tenant's policy demands one.",
        ),
    },
    "environment": {
        "project": Key(
            shapes.PROJECT,
            "The Foundry project to deploy to: "
            "`/subscriptions/<guid>/resourceGroups/<group>/providers/Microsoft.CognitiveServices/accounts/<account>/projects/<project>`. "
            "Not the endpoint, not the account, not a hub's project. `az resource list --resource-type "
            'Microsoft.CognitiveServices/accounts/projects --query "[].id" -o tsv` lists what you can see.',
            otherwise="this or `projects`",
        ),
        "projects": Key(
            shapes.listed("list of ARM ids", shapes.PROJECT),
            "Several projects.",
            otherwise="this or `project`",
        ),
        "role": Key(
            shapes.ROLE, "What the pipeline may do in each of the projects.", default=PROJECT_MANAGER.slug
        ),
        "grants": Key(
            shapes.listed("list of grants", shapes.section("grant"), least=0, unique=False),
            "Anything beyond that, spelled out.",
        ),
        "client_id": Key(shapes.ID, "An existing application to use, where one may not register another."),
        "endpoint": Key(
            shapes.ENDPOINT,
            "The project's endpoint, `https://<account>.services.ai.azure.com/api/projects/<project>`; for "
            "set-ups that cannot read the project.",
            otherwise="asked of Azure",
        ),
        "protection": Key(
            shapes.section("protection"), "The GitHub environment's protection rules.", otherwise="see below"
        ),
        "runner": Key(_RUNNER, "Where the jobs of this environment run.", otherwise="the file's"),
        "trusts": Key(
            shapes.listed("list of trusts", shapes.one_kind("trust", tuple(TRUSTS)), least=0, unique=False),
            "Workloads outside GitHub that may sign in as this environment's identity: "
            "[below](#other-issuers).",
        ),
    },
    "grant": {
        "role": Key(shapes.ROLE, "As above.", required=True),
        "scope": Key(
            shapes.SCOPE,
            "Where it applies. The words are relative to each of the environment's projects. An id starts "
            "with `/subscriptions/<guid>`; management groups are refused.",
            required=True,
        ),
        "because": Key(
            shapes.TEXT,
            "Why it is needed. It is shown in plans and written to the role assignment.",
            required=True,
        ),
    },
    "protection": {
        "reviewers": Key(
            shapes.listed("list of `team:<slug>`, `user:<login>`", shapes.REVIEWER, least=0, most=REVIEWERS),
            "Who may approve a deployment; one approval is enough. At most 6. `[]` means nobody has to.",
            otherwise="left alone",
        ),
        "wait_minutes": Key(
            shapes.whole(0, LONGEST_WAIT), "How long a deployment waits.", otherwise="left alone"
        ),
        "prevent_self_review": Key(
            shapes.FLAG, "Whether those who started a deployment may not approve it.", otherwise="left alone"
        ),
        "branches": Key(
            shapes.either(
                "list of patterns, or `protected`", shapes.REF_PATTERNS, shapes.one_of("protected")
            ),
            "Which branches may deploy. `*` stops at `/`. `protected` means branches with a protection rule.",
            otherwise="left alone",
        ),
        "tags": Key(
            shapes.REF_PATTERNS,
            "Which tags may deploy. Not together with `branches: protected`.",
            otherwise="left alone",
        ),
    },
    "observer": {
        "environment": Key(
            shapes.NAME, "The GitHub environment; not one of `environments`.", default=Observer.environment
        ),
        "client_id": Key(shapes.ID, "An existing application to use; not one that deploys."),
        "github": Key(
            shapes.one_of("token", "app"),
            "What its jobs read GitHub with: [how it gets there](drift.md#what-others-have-to-do).",
            default=Observer.github,
        ),
        "reach": Key(
            shapes.one_of("accounts", "subscriptions"),
            "Where it is *Reader*, and so [how far it looks for roles](drift.md#what-it-may-not-read).",
            default=Observer.reach,
        ),
    },
    "runner": {
        "group": Key(shapes.TEXT, "A runner group."),
        "labels": Key(
            _LABELS,
            "What the machine has. One of the two keys is needed.",
        ),
    },
    "workflow": {
        "template": Key(
            shapes.text("name", shapes.TEMPLATE, "deploy-agents"),
            "One of the [templates](templates.md), or of your own.",
            required=True,
        ),
        "path": Key(
            shapes.text("path", shapes.WORKFLOW_PATH, ".github/workflows/deploy.yml"),
            "A `.yml` or `.yaml` file directly in `.github/workflows`; GitHub looks nowhere else. No two "
            "workflows share one.",
            otherwise="`.github/workflows/<template>.yml`",
        ),
        "environments": Key(
            shapes.listed(
                "list of names, and of lists of names",
                shapes.either("", shapes.TEXT, shapes.listed("", shapes.TEXT)),
            ),
            "The jobs, in their order. Each must be in `environments`, spelled the same. Names in a list of "
            "their own are side by side: `[dev, [eu, us]]` is a job for `dev`, and then one with a matrix for "
            "both others. `check-drift` takes none: its job runs in the observer's.",
            otherwise="all, in the file's order",
        ),
        "paths": Key(
            shapes.listed("list of patterns", shapes.text("pattern", r"[^/\\][^\\]*", "agents/**")),
            "A push starts the workflow only when it changes one of these (GitHub's `paths`).",
        ),
        "reusable": Key(
            shapes.FLAG,
            "Another workflow [calls it](workflows.md#called-by-another-workflow), and no push starts it.",
            default=Workflow.reusable,
        ),
        "run": Key(
            shapes.SCRIPT,
            "The repository's own command, where the template takes one. May have several lines (`run: |`).",
            otherwise="the template's",
        ),
        "with": Key(
            shapes.named("mapping: option → value", _OPTION, names=shapes.OPTION),
            "The template's options, each text, a whole number, true or false, or a list of texts. A version "
            'needs quotes: `"3.10"`.',
            otherwise="the template's",
        ),
    },
    **TRUSTS,
}


def required(section: str) -> dict[str, bool]:
    """The keys of a section: key → whether it is required."""
    return {name: key.required for name, key in KEYS[section].items()}
