"""The shell scripts in generated workflows, run as a runner runs them, with a made-up `az`, `curl` and `sleep`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from tests.golden.cases import SITE, config, environment
from tests.unit.steps import HAVE_BASH, Steps
from trustsmith.render import render

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = HAVE_BASH

FAKES = {
    "az": """
echo "$*" >>"$FAKES/az.log"
case "$*" in
  "account set"*) exit "$ACCOUNT_SET" ;;
  *"--query accessToken"*) echo a-token ;;
  *) exit "$(pop az.codes)" ;;
esac
""",
    "curl": """
echo "$*" >>"$FAKES/curl.log"
cat >>"$FAKES/curl.stdin"
answer="$(pop curl.answers)"
[ "$answer" = unreachable ] && exit 6
while [ "$1" != --output ]; do shift; done
echo "${answer#* }" >"$2"
printf %s "${answer%% *}"
""",
}


class Runner(Steps):
    """The steps of deploy-agents."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "variables")
        self.env |= {
            "ACCOUNT_SET": "0",
            "FOUNDRY_SCOPE": SITE.foundry_scope,
            "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111",
            "AZURE_AI_PROJECT_ENDPOINT": "https://one.example/api/projects/agents/",
        }
        for name, script in FAKES.items():
            self.fake(name, script)
        self.answers()

    def answers(self, *lines: str) -> None:
        self.write("curl.answers", "".join(f"{line}\n" for line in lines))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_an_open_project_is_not_waited_for(runner: Runner) -> None:
    runner.answers("200 {}")

    done = runner.run("Wait")

    assert (done.returncode, done.stdout) == (0, "AZURE_AI_PROJECT_ENDPOINT: open.\n"), done.stderr
    assert runner.log("sleep.log") == []
    assert runner.log("curl.log")[0].endswith(
        "--url https://one.example/api/projects/agents/agents?api-version=v1"
    )


def test_the_token_is_in_no_command_line_and_in_no_log(runner: Runner) -> None:
    runner.answers("403 {}", "200 {}")

    done = runner.run("Wait")

    assert "a-token" not in done.stdout + done.stderr + "".join(runner.log("curl.log"))
    assert runner.log("curl.stdin") == ['header = "Authorization: Bearer a-token"'] * 2


def test_a_role_that_does_not_count_yet_is_waited_for(runner: Runner) -> None:
    runner.answers("401 {}", "403 {}", "403 {}", "403 {}", "403 {}", "403 {}", "200 {}")

    done = runner.run("Wait")

    assert done.returncode == 0, done.stderr
    assert runner.log("sleep.log") == ["5", "10", "20", "40", "60", "60"]
    assert "not let in yet (HTTP 401" in done.stdout


def test_waiting_ends(runner: Runner) -> None:
    runner.answers('403 {"error": {"message": "no"}}')

    done = runner.run("Wait", WAIT_SECONDS="4")

    assert done.returncode == 1
    assert done.stdout.startswith("::error::AZURE_AI_PROJECT_ENDPOINT still answers HTTP 403")
    assert '"message": "no"' in done.stdout


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("404 {}", "the project is not there"),
        ("500 broken", "HTTP 500, which waiting does not mend: broken"),
        ("302 -", "HTTP 302"),
        ("unreachable", "private endpoint"),
        ("403 Public access is disabled. Please configure private endpoint.", "no role opens it"),
        ("403 Access denied due to Virtual Network/Firewall rules.", "no role opens it"),
    ],
)
def test_what_waiting_does_not_mend_fails_at_once(runner: Runner, answer: str, words: str) -> None:
    runner.answers(answer)

    done = runner.run("Wait")

    assert done.returncode == 1
    assert done.stdout.startswith("::error::AZURE_AI_PROJECT_ENDPOINT ")
    assert words in done.stdout
    assert runner.log("sleep.log") == []


def test_an_answer_cannot_give_the_runner_commands(runner: Runner) -> None:
    runner.answers("500 one\r::add-mask::two")

    done = runner.run("Wait")

    assert not [line for line in done.stdout.splitlines()[1:] if line.startswith("::")]


def test_an_endpoint_that_is_not_set_is_named(runner: Runner) -> None:
    done = runner.run("Wait", AZURE_AI_PROJECT_ENDPOINT="")

    assert done.returncode == 1
    assert "AZURE_AI_PROJECT_ENDPOINT is empty" in done.stdout


def test_each_project_is_waited_for(runner: Runner) -> None:
    runner.answers("200 {}", "403 {}", "200 {}")

    done = runner.run("Wait", AZURE_AI_PROJECT_ENDPOINT_2="https://two.example")

    assert done.returncode == 0, done.stderr
    assert [line.split("--url ")[1].split("/")[2] for line in runner.log("curl.log")] == [
        "one.example",
        "two.example",
        "two.example",
    ]


def test_the_token_is_fetched_at_once(runner: Runner) -> None:
    runner.write("az.codes", "0\n")

    done = runner.run("Get a token")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert runner.log("az.log") == [
        "account set --subscription 11111111-1111-1111-1111-111111111111",
        "account get-access-token --scope https://ai.azure.com/.default --output none",
    ]


def test_a_subscription_that_is_not_listed_yet_is_no_failure(runner: Runner) -> None:
    runner.write("az.codes", "0\n")

    done = runner.run("Get a token", ACCOUNT_SET="1")

    assert done.returncode == 0
    assert done.stdout.startswith("::notice::")


def test_entra_is_asked_again_and_not_for_ever(runner: Runner) -> None:
    runner.write("az.codes", "1\n" * 3 + "0\n")
    assert runner.run("Get a token").returncode == 0
    assert runner.log("sleep.log") == ["5", "15", "30"]

    runner.write("az.codes", "1\n" * 5)
    assert runner.run("Get a token").returncode == 1


def test_without_a_command_and_without_deploy_py_the_job_says_what_to_do(runner: Runner) -> None:
    done = runner.run("Deploy")

    assert done.returncode == 1
    assert done.stdout.startswith("::error::This repository has no deploy.py.")


def test_without_a_command_deploy_py_runs_with_its_requirements(runner: Runner) -> None:
    runner.write("deploy.py")
    runner.write("requirements.txt")
    runner.fake("python", 'echo "python $*"')

    done = runner.run("Deploy")

    assert done.stdout == "python -m pip install --requirement requirements.txt\npython deploy.py\n"


def test_the_wait_and_the_command_see_every_project() -> None:
    (rendered,) = render(config(environment("dev", projects=2)), SITE)
    steps = YAML(typ="safe").load(rendered.text)["jobs"]["deploy-dev"]["steps"]

    for step in steps[-2:]:
        assert {key for key in step["env"] if key.startswith("AZURE_AI")} == {
            "AZURE_AI_PROJECT_ENDPOINT",
            "AZURE_AI_PROJECT_ENDPOINT_2",
        }


# check-drift


@pytest.mark.parametrize(("code", "ends"), [("0", 0), ("3", 0), ("2", 2), ("4", 4), ("6", 6)])
def test_looking_succeeds_when_the_issue_says_what_was_found(tmp_path: Path, code: str, ends: int) -> None:
    steps = Steps(tmp_path, "check-drift")
    steps.fake("trustsmith", 'echo "$*" >>"$FAKES/trustsmith.log"\necho "# Drift"\nexit "$CODE"')

    done = steps.run("Compare", CODE=code)

    assert (done.returncode, done.stdout) == (ends, "# Drift\n"), done.stderr
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "# Drift\n"
    assert steps.log("trustsmith.log") == ["plan --no-input --check --observer --issue --format md"]
