"""The shell scripts of the workflows that make infrastructure, run as a runner runs them, with made-up programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.steps import HAVE_BASH, Steps

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = HAVE_BASH

DENIED = 'ERROR: {"code": "AuthorizationFailed", "message": "The client does not have authorization"}'
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
NAME = "--name deploy-dev-77-2-0"


def of(folder: Path, case: str, *programs: str) -> Steps:
    """The steps of a case, with programs that are well."""
    steps = Steps(folder, case)
    steps.env |= {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "TRUSTSMITH_ROW": "0"}
    for program in programs:
        steps.tries(program)
    return steps


# The subscription


def test_a_subscription_that_is_listed_is_not_waited_for(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra", "az")

    done = steps.run("Select")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert steps.log("az.log") == [f"account set --subscription {SUBSCRIPTION}"]


def test_a_subscription_that_is_not_listed_yet_is_looked_for_again(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.tries("az", "doesn't exist", "refresh failed", "doesn't exist")

    done = steps.run("Select")

    assert done.returncode == 0, done.stderr
    assert steps.log("az.log")[1::2] == ["account list --refresh --output none"] * 2
    assert steps.log("sleep.log") == ["5", "10"]


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TRUSTSMITH_WAIT_SECONDS": "4"}, "it has no role there, or the subscription is of another tenant"),
        ({"AZURE_SUBSCRIPTION_ID": ""}, "AZURE_SUBSCRIPTION_ID is empty"),
    ],
)
def test_a_subscription_that_does_not_come_is_explained(
    env: dict[str, str], words: str, tmp_path: Path
) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.tries("az", "doesn't exist")

    done = steps.run("Select", **env)

    assert done.returncode == 1
    assert done.stdout.startswith("::error::")
    assert words in done.stdout
    assert steps.log("sleep.log") == []


# Bicep


def test_what_is_deployed_was_validated_and_shown(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra-files")
    steps.fake("az", 'echo "$*" >>"$FAKES/az.log"\ncase "$*" in *what-if*) echo "+ an account" ;; esac')
    steps.write("bicep/all.bicep")
    steps.write("bicep/dev.bicepparam")
    what = "--resource-group rg-agents --template-file bicep/all.bicep --parameters bicep/dev.bicepparam"

    shown = steps.run("Validate")
    deployed = steps.run("Deploy")

    assert (shown.returncode, deployed.returncode) == (0, 0), shown.stderr + deployed.stderr
    assert steps.log("az.log") == [
        f"deployment group validate --output none {what} {NAME}",
        f"deployment group what-if {what} {NAME}",
        f"deployment group create --query properties.provisioningState --output tsv {what} {NAME}",
    ]
    assert "+ an account" in shown.stdout
    assert steps.log("summary.md") == ["## What would change", "```", "+ an account", "", "```"]


def test_a_deployment_to_a_subscription_names_the_region(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra-subscription", "az")

    assert steps.run("Deploy").returncode == 0
    (line,) = steps.log("az.log")
    assert line.startswith("deployment sub create --query")
    assert line.endswith(f"--location swedencentral --template-file infra/main.bicep {NAME}")


def test_names_of_deployments_are_not_too_long(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra", "az")

    steps.run(
        "Deploy", GITHUB_JOB="x" * 100, GITHUB_RUN_ID="9" * 12, GITHUB_RUN_ATTEMPT="100", TRUSTSMITH_ROW="255"
    )

    assert len(steps.log("az.log")[0].split("--name ")[1]) <= 64


@pytest.mark.parametrize(
    ("files", "missing"), [((), "bicep/all.bicep"), (("bicep/all.bicep",), "bicep/dev.bicepparam")]
)
def test_a_file_that_is_not_there_is_named(files: tuple[str, ...], missing: str, tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra-files", "az")
    for file in files:
        steps.write(file)

    done = steps.run("Validate")

    assert done.returncode == 1
    assert done.stdout.startswith(f"::error::The repository has no {missing}")
    assert steps.log("az.log") == []


def test_a_failed_preview_stops_the_job(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.write("infra/main.bicep")
    steps.fake("az", 'case "$*" in *what-if*) echo "broken"; exit 3 ;; esac')

    assert steps.run("Validate").returncode == 3


# What is waited for


def test_a_role_that_does_not_count_yet_is_waited_for(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.write("infra/main.bicep")
    steps.tries("az", DENIED, "Authorization failed for template resource 'x'", DENIED, DENIED, DENIED)

    done = steps.run("Validate")

    assert done.returncode == 0, done.stdout + done.stderr
    assert steps.log("sleep.log") == ["10", "20", "40", "60", "60"]
    assert "AuthorizationFailed" in done.stdout


@pytest.mark.parametrize(
    "said", ["InvalidTemplate", "AADSTS7000215: a wrong secret", "AADSTS7002139", "out of quota"]
)
def test_whatever_waiting_cannot_mend_fails_at_once(said: str, tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.write("infra/main.bicep")
    steps.tries("az", said)

    done = steps.run("Validate")

    assert done.returncode == 1
    assert said in done.stdout
    assert steps.log("sleep.log") == []


def test_waiting_ends(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-infra")
    steps.write("infra/main.bicep")
    steps.tries("az", DENIED)

    done = steps.run("Validate", TRUSTSMITH_WAIT_SECONDS="9")

    assert done.returncode == 1
    assert "::error::Azure still does not permit it after" in done.stdout


# azd


@pytest.mark.parametrize("code", ["70021", "700211", "700213", "7002131", "700016", "70025", "7000229"])
def test_azd_signs_in_once_entra_knows_the_credential(code: str, tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-azd")
    steps.tries("azd", f"AADSTS{code}: not yet")

    done = steps.run("Sign in", AZURE_CLIENT_ID="c", AZURE_TENANT_ID="t")

    assert done.returncode == 0, done.stdout
    assert (
        steps.log("azd.log")
        == ["auth login --no-prompt --client-id c --tenant-id t --federated-credential-provider github"] * 2
    )


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        ("deploy-azd", ["up --no-prompt --environment dev"]),
        ("deploy-azd-provision", ["provision --no-prompt --environment dev"]),
        (
            "deploy-azd-deploy",
            ["env refresh --no-prompt --environment dev", "deploy --no-prompt --environment dev"],
        ),
    ],
)
def test_azd_does_what_it_is_to_do(case: str, lines: list[str], tmp_path: Path) -> None:
    steps = of(tmp_path, case, "azd")
    last = steps.job["steps"][-1]

    assert steps.run(last["name"]).returncode == 0
    assert steps.log("azd.log") == lines


def test_azd_of_another_folder_has_an_environment_of_its_own_name(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-azd-elsewhere")
    steps.fake("azd", 'echo "$AZURE_ENV_NAME $AZURE_LOCATION ${PWD##*/apps/}" >>"$FAKES/azd.log"')
    steps.write("apps/agents/azure.yaml")

    assert steps.run("Provision and deploy").returncode == 0
    assert steps.log("azd.log") == ["contoso-dev eastus2 agents"]


def test_abroad_azd_uses_the_sign_in_with_the_right_audience(tmp_path: Path) -> None:
    steps = of(tmp_path, "deploy-azd-us-government", "azd")
    login = next(step for step in steps.job["steps"] if step.get("uses", "").startswith("azure/login@"))

    assert login["with"]["audience"] == "api://AzureADTokenExchangeUSGov"
    assert steps.run("Let azd").returncode == 0
    assert steps.log("azd.log") == [
        "config set cloud.name AzureUSGovernment",
        "config set auth.useAzCliAuth true",
    ]


# Terraform


class Terraform(Steps):
    """The steps of a case, with a Terraform that keeps its state elsewhere."""

    def __init__(self, folder: Path, case: str) -> None:
        super().__init__(folder, case)
        self.fake(
            "terraform",
            'echo "${PWD##*/} $*" >>"$FAKES/terraform.log"\n'
            'case "$*" in init*) mkdir -p .terraform; echo "{}" >.terraform/terraform.tfstate ;; esac\n'
            'case "$*" in show*) echo "+ a project" ;; esac',
        )


def test_terraform_applies_the_plan_that_it_showed(tmp_path: Path) -> None:
    steps = Terraform(tmp_path, "deploy-terraform-files")
    for name in ("dev.tfbackend", "dev.tfvars", "live/main.tf"):
        steps.write(f"terraform/{name}")

    done = [steps.run(step) for step in ("Initialise", "Plan", "Apply")]

    assert [one.returncode for one in done] == [0, 0, 0], [one.stdout + one.stderr for one in done]
    assert steps.log("terraform.log") == [
        f"live init -backend-config={tmp_path}/terraform/dev.tfbackend",
        f"live plan -lock-timeout=5m -out={tmp_path}/plan -var-file={tmp_path}/terraform/dev.tfvars",
        f"live show -no-color {tmp_path}/plan",
        f"live apply -lock-timeout=5m {tmp_path}/plan",
    ]
    assert "+ a project" in steps.log("summary.md")


def test_a_backend_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    steps = Terraform(tmp_path, "deploy-terraform")
    steps.write("infra/main.tf")

    done = steps.run("Initialise")

    assert done.returncode == 1
    assert done.stdout.startswith("::error::The repository has no infra/dev.tfbackend.")


@pytest.mark.parametrize("left", ["", '{"version": 3, "backend": {"type": "local"}}'])
def test_a_state_that_would_be_lost_stops_the_job(left: str, tmp_path: Path) -> None:
    steps = Terraform(tmp_path, "deploy-terraform-backend-in-code")
    steps.tries("terraform")
    steps.write("infra/.terraform/terraform.tfstate", left)

    done = steps.run("Initialise")

    assert done.returncode == 1
    assert "::error::The code has no backend" in done.stdout


def test_abroad_terraform_asks_for_the_right_audience(tmp_path: Path) -> None:
    steps = Terraform(tmp_path, "deploy-terraform-us-government")
    steps.fake("terraform", 'echo "$ARM_OIDC_REQUEST_URL $ARM_ENVIRONMENT" >>"$FAKES/terraform.log"')
    for name in ("main.tf", "dev.tfbackend", ".terraform/terraform.tfstate"):
        steps.write(f"infra/{name}", "{}")

    for step in ("Initialise", "Plan", "Apply"):
        assert (
            steps.run(step, ACTIONS_ID_TOKEN_REQUEST_URL="https://token.example/x?api-version=2").returncode
            == 0
        )

    asked = "https://token.example/x?api-version=2&audience=api%3A//AzureADTokenExchangeUSGov usgovernment"
    assert set(steps.log("terraform.log")) == {asked}


def test_only_a_plan_is_a_plan_only(tmp_path: Path) -> None:
    names = [step["name"] for step in Steps(tmp_path, "deploy-terraform-plan-only").job["steps"]]

    assert names[-1] == "Plan"
