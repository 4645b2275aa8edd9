"""What people, machines and approvers read."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from tests.property.worlds import facts_of, foreign_credential, project, wanted_of, workflow
from trustsmith.apply import Outcome, Run
from trustsmith.diff import diff
from trustsmith.errors import ConfigError, Problem, Refused, TrustsmithError
from trustsmith.model.advice import Advice
from trustsmith.model.config import Config, Environment, Identity
from trustsmith.model.environments import GitHubEnvironment, Reviewer
from trustsmith.model.plan import Change, Hazard, NotCompared, Plan, Waiting
from trustsmith.model.resource import Key
from trustsmith.model.resources import Application
from trustsmith.model.state import State
from trustsmith.ui import report, report_mend
from trustsmith.ui.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.model.advice import Kind

CONFIG = Config(
    repository="contoso/agents",
    tenant="t",
    environments=tuple(Environment(name=n, projects=(project(n),)) for n in ("dev", "prod")),
)
FACTS = facts_of(CONFIG)
PLAN = diff(State(), wanted_of(CONFIG, FACTS))
CREATE = PLAN.shown[0]
BARE = GitHubEnvironment(name="dev")
GONE = Change("delete", BARE, None, "the file no longer asks for it")
STRAY = Change("delete", foreign_credential("app"), None, "not made here")
WAITING = Waiting(Key("application", "app"), "somebody has to")
OPEN, ALLOWED = Hazard("enable=x", "was disabled"), Hazard("remove=y", "goes", allowed=True)
FULL = Plan((GONE,), (STRAY,), (WAITING,), (OPEN, ALLOWED), ("a note",))


def joined(lines: Iterable[report.Line]) -> str:
    return "\n".join(line.text for line in lines)


def text(plan: Plan) -> list[str]:
    return joined(report.plan_lines(plan)).splitlines()


def test_a_plan_is_grouped_by_environment_and_files_come_last() -> None:
    lines = text(PLAN)
    heads = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert heads == ["dev", "prod", "files"]
    dev = lines[lines.index("  dev") : lines.index("  prod")]
    assert "    + application           agents-dev (trustsmith-github.com-1001-dev)" in dev
    assert "    + federated credential  repo:contoso@1/agents@1001:environment:dev" in dev
    assert "    + github environment    dev  [no protection rules]" in dev
    assert "    + environment secret    AZURE_CLIENT_ID  [(known after apply)]" in dev
    assert "    + environment secret    AZURE_TENANT_ID  [t]" in dev
    assert not any("implied" in line or " check " in line for line in lines)
    assert lines[-1] == f"Plan: {len(PLAN.shown)} to create."


def test_a_shared_identity_is_a_group_of_its_own() -> None:
    shared = replace(CONFIG, identity=Identity(per="repository"))
    lines = text(diff(State(), wanted_of(shared, FACTS)))
    assert "  trustsmith-github.com-1001" in lines
    assert {"  dev", "  prod", "  files"} <= set(lines)


def test_advice_is_told_in_full_where_it_is_certain_and_not_at_all_where_all_is_well() -> None:
    kinds: tuple[Kind, ...] = (
        "fine",
        "missing",
        "perhaps-too-wide",
        "unknown",
        "undeclared",
        "not-looked-at",
    )
    rights = [Advice(environment="dev", kind=kind, why=f"it is {kind}", next="do:\n  this") for kind in kinds]
    lines = text(replace(PLAN, rights=tuple(rights)))
    start = lines.index("  Roles, against what the jobs do (advice, which holds nothing up):")
    assert lines[start + 1 : -1] == [
        "    dev, missing: it is missing",
        "      do:",
        "        this",
        "    dev, perhaps too wide: it is perhaps-too-wide",
        "    dev, could not be told: it is unknown",
        "",
    ]
    assert not any("Roles" in line for line in text(replace(PLAN, rights=(rights[0], rights[-1]))))


def test_what_waits_is_stray_or_dangerous_is_said() -> None:
    lines = "\n".join(text(FULL))
    assert "    - github environment    dev  [the file no longer asks for it]" in lines
    assert "    ? federated credential  - trusts repo:other/repo:environment:dev: not made here" in lines
    assert "      --allow remove=app/added-by-hand" in lines
    assert "    . application  app: somebody has to" in lines
    assert "  ! enable=x: was disabled" in lines
    assert "  ! remove=y (allowed): goes" in lines
    assert "  Note: a note" in lines


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(), "Plan: nothing to do."),
        (
            Plan(waiting=(WAITING,)),
            "Plan: nothing to do until the others have done their part, 1 waiting.",
        ),
        (Plan(strays=(STRAY,)), "Plan: nothing to do, 1 not ours or no longer used."),
        (Plan((GONE, replace(CREATE))), "Plan: 1 to create, 1 to delete."),
    ],
)
def test_the_summary(plan: Plan, said: str) -> None:
    assert report.summary(plan) == said


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({}, "no protection rules"),
        ({"deploy_from": "all", "wait_minutes": 0}, "no protection rules"),
        ({"deploy_from": "protected", "wait_minutes": 10}, "waits 10 min; from protected branches"),
        (
            {
                "deploy_from": "patterns",
                "branches": frozenset({"main", "a"}),
                "tags": frozenset({"v*"}),
                "reviewers": frozenset({Reviewer("user", 2, "bo"), Reviewer("team", 1, "platform")}),
            },
            "reviewed by team:platform, user:bo; from a, main, tag v*",
        ),
    ],
)
def test_protection_in_words(rules: dict[str, object], said: str) -> None:
    assert replace(BARE, **rules).rules == said  # type: ignore[arg-type]


ERROR = Refused("It failed.", hint="Do this:\n  now", original="the service's words")


def test_an_outcome_in_a_line() -> None:
    done = report.outcome_line(Outcome(CREATE, "done", 1.26))
    assert done.text.split() == [
        "created",
        *f"{CREATE.key.kind} {CREATE.resource.title}".split(),
        "(1.3",
        "s)",
    ]
    assert "FAILED" in report.outcome_line(Outcome(CREATE, "failed", 0, ERROR)).text
    assert "It failed." in report.outcome_line(Outcome(CREATE, "failed", 0, ERROR)).text
    assert report.outcome_line(Outcome(CREATE, "not reached", reason="it waits")).text.endswith(": it waits")


def ended() -> tuple[Plan, Run]:
    plan = Plan((CREATE, GONE, replace(GONE, before=replace(BARE, name="prod"))))
    done, failed, missed = plan.changes
    outcomes = {
        done: Outcome(done, "done", 1.0),
        failed: Outcome(failed, "failed", 0.5, ERROR),
        missed: Outcome(missed, "not reached", reason="it needs that"),
    }
    return plan, Run(outcomes)


def test_how_a_run_ended() -> None:
    lines = joined(report.run_lines(*ended(), 2.0))
    assert "Failed: delete github environment dev" in lines
    assert "The service said: the service's words" in lines
    assert "Not reached:\n  delete github environment prod: it needs that" in lines
    assert lines.endswith("1 done, 1 failed, 1 not reached, in 2.0 s.")
    assert not list(report.run_lines(Plan(), Run(), 0.0))


def test_a_run_for_machines() -> None:
    document = json.loads(json.dumps(report.run_json(*ended())))
    assert document["schema"] == 1
    assert document["interrupted"] is False
    assert [o["status"] for o in document["outcomes"]] == ["done", "failed", "not reached"]
    assert document["outcomes"][1]["error"]["exit_code"] == 5
    assert document["outcomes"][2]["reason"] == "it needs that"
    assert document["plan"]["fingerprint"] == ended()[0].fingerprint


def test_what_is_implied_is_told_only_when_it_failed() -> None:
    check = next(change for change in PLAN.changes if change.implied)
    for status, count in (("done", 0), ("failed", 1)):
        outcome = Outcome(check, "failed" if status == "failed" else "done", 0, None)
        assert len(report.run_json(PLAN, Run({check: outcome}))["outcomes"]) == count


def test_an_error_says_what_happened_and_what_to_do() -> None:
    assert list(report.error_lines(ERROR)) == [
        "It failed.",
        "The service said: the service's words",
        "Next: Do this:",
        "  now",
    ]
    assert list(report.error_lines(None)) == []
    known = TrustsmithError("no: words", original="words")
    assert list(report.error_lines(known)) == ["no: words"]


def test_a_configuration_s_problems_are_listed_with_their_places() -> None:
    error = ConfigError([Problem("f.yml", 3, 5, "wrong", "do\nso"), Problem("f.yml", 1, 1, "first")])
    assert list(report.error_lines(error)) == [
        "2 problems in the configuration",
        "  f.yml:1:1: first",
        "  f.yml:3:5: wrong",
        "      do",
        "      so",
    ]
    assert report.error_json(error)["problems"][1] == {
        "file": "f.yml",
        "line": 3,
        "column": 5,
        "message": "wrong",
        "hint": "do\nso",
    }


def test_a_plan_for_approvers() -> None:
    page = report.plan_markdown(FULL, "contoso/agents")
    assert "not compared" not in page
    assert page.startswith("# Plan for contoso/agents\n\nPlan: 1 to delete, ")
    assert "| delete | github environment | `dev` | the file no longer asks for it |" in page
    assert "- federated credential `app/added-by-hand`: not made here" in page
    assert "- application `app`: somebody has to" in page
    assert "- not allowed `enable=x`: was disabled" in page
    assert "- allowed `remove=y`: goes" in page
    assert f"Fingerprint: `{FULL.fingerprint}`" in page
    assert "##" not in report.plan_markdown(Plan(), "o/n")


def test_no_name_breaks_a_row_of_the_page() -> None:
    app = Application(unique_name="app", display_name="a|b\n<img>", tags=frozenset())
    page = report.plan_markdown(Plan((Change("create", None, app, "x"),)), "o/n")
    assert "| create | application | `a\\|b\\u000a<img> (app)` | x |" in page


_HOSTILE = (
    "@octocat",
    "see #1",
    "contoso/agents#12",
    "GH-7",
    "https://evil.example",
    "www.evil.example",
    "[here](https://evil.example)",
    "![](https://evil.example/x.png)",
    "<script>x</script>",
    "<!-- trustsmith-drift config=x report=clean -->",
    "`@octocat`",
    "``` @octocat",
    "a | b | @octocat |",
    "**@octocat**",
    "&#64;octocat",
    "\\@octocat",
    "\n# @octocat",
)


@pytest.mark.parametrize("name", _HOSTILE)
def test_what_others_named_calls_nobody_and_links_nowhere(name: str) -> None:
    key = Key("environment secret", name)
    plan = Plan(
        (Change("update", BARE, replace(BARE, name=name), f"it was {name}, not that"),),
        (replace(STRAY, why=name),),
        (Waiting(key, name),),
        (Hazard(f"overwrite={name}", name),),
        (name,),
        not_compared=(NotCompared(key, name),),
    )
    for page in (report.plan_markdown(plan, name), report_mend.drift_markdown(plan, name)):
        tokens = MarkdownIt("commonmark").enable("table").parse(page)
        inner = [child for token in tokens for child in token.children or ()]
        assert not {t.type for t in (*tokens, *inner)} & {"html_block", "html_inline", "link_open", "image"}
        text = "\n".join(child.content for child in inner if child.type == "text")
        assert not re.search(r"(?<!\w)@\w|#\d|\bGH-\d|https?://|\bwww\.\w", text), text
        assert [t.markup for t in tokens if t.type == "heading_open"].count("#") == 1


def test_files_are_a_group() -> None:
    plan = Plan((Change("update", workflow("a\n"), workflow("b\n"), "it was edited"),))
    assert text(plan)[:2] == [
        "  files",
        "    ~ workflow file         .github/workflows/deploy.yml  [it was edited]",
    ]


def test_what_others_named_can_do_nothing_but_be_read() -> None:
    assert report.harmless(" \t::add-mask::x") == " \t:\\u003aadd-mask::x"
    assert report.harmless("a ##[error] ::b::") == "a ##\\u005berror] ::b::"
    assert report.harmless("\x1b[2Jplain \u202e text\n") == "\\u001b[2Jplain \\u202e text\\u000a"


def test_a_document_holds_no_commands_to_github_s_runner(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("json")
    console.document({"name": "##[error]x"})
    console.close()
    printed = capsys.readouterr().out
    assert "##[" not in printed
    assert json.loads(printed)["name"] == "##[error]x"


def test_what_was_not_compared_is_shown_once_for_each_reason() -> None:
    keys = [
        Key("environment secret", "dev/A"),
        Key("environment secret", "dev/B"),
        Key("environment mark", "dev/T"),
    ]
    plan = Plan(
        not_compared=(*(NotCompared(key, "it may not") for key in keys), NotCompared(keys[0], "nor here"))
    )
    lines = text(plan)
    assert lines[:6] == [
        "  Not compared, since it may not be read here:",
        "    it may not",
        "    / environment secret    dev/A",
        "    / environment secret    dev/B",
        "    / environment mark      dev/T",
        "    nor here",
    ]
    assert lines[-1] == "Plan: nothing to do in what was compared, 4 not compared."
    page = report.plan_markdown(plan, "o/n")
    assert (
        "- it may not\n  - environment secret `dev/A`, `dev/B`\n  - environment mark `dev/T`\n- nor here"
        in page
    )
    assert "Fingerprint" not in page


def test_a_file_that_stays_is_removed_without_a_network() -> None:
    plan = Plan(strays=(Change("delete", workflow("a\n"), None, "the file no longer asks for it"),))
    assert "      trustsmith render --remove .github/workflows/deploy.yml" in text(plan)


def test_what_is_to_be_typed_names_the_configuration() -> None:
    said = (
        "Mend it with:\n  trustsmith apply --allow a=b\nor look: trustsmith plan\nif trustsmith plan shows\n"
        "  trustsmith migrate --prove\n  trustsmith migrate\n  trustsmith demo"
    )
    assert report_mend.with_config(said, None) == said
    assert report_mend.with_config(said, Path("a b.yml")) == (
        "Mend it with:\n  trustsmith apply --config 'a b.yml' --allow a=b\nor look: trustsmith plan --config 'a b.yml'\n"
        "if trustsmith plan shows\n  trustsmith migrate --config 'a b.yml' --prove\n  trustsmith migrate --config 'a b.yml'\n"
        "  trustsmith demo"
    )
    page = report_mend.drift_markdown(Plan(FULL.changes), "o/n", Path("x.yml"))
    assert "$ trustsmith apply --config x.yml\n" in page


def test_a_drift_says_what_to_type() -> None:
    assert "```console\n$ trustsmith apply\n```" in report_mend.drift_markdown(Plan(FULL.changes), "o/n")
    page = report_mend.drift_markdown(FULL, "o/n")
    assert "is meant:\n\n```console\n$ trustsmith apply --allow enable=x --allow remove=y\n```" in page
    stuck = replace(
        FULL, hazards=(Hazard("full=x", "why", hint="Remove some:\n  az ad\nor", allowable=False),)
    )
    page = report_mend.drift_markdown(stuck, "o/n")
    assert (
        "Remove some:\n\n```console\n$ az ad\n```\n\nor\nMend it with:\n\n```console\n$ trustsmith apply\n```"
        in page
    )
    broken = Plan(broken=(Problem("deploy.yml", 3, 1, "job `x` may ask", "Take it away."),))
    page = report_mend.drift_markdown(broken, "o/n")
    assert "- against the rules `deploy.yml:3`: job \\`x\\` may ask" in page
    assert "$ trustsmith plan" in page
    page = report_mend.drift_markdown(Plan(strays=(STRAY,)), "o/n")
    assert "$ trustsmith apply --allow remove=app/added-by-hand" in page
    partial = Plan(not_compared=(NotCompared(WAITING.key, "no"),))
    assert "$ trustsmith plan" in report_mend.drift_markdown(partial, "o/n")


HOSTILE = "\ufeffname: \x1b]0;x\x07\u202e ü\r\n  ::set-output\n"


def test_a_pipe_gets_a_text_to_the_byte(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Console().raw(HOSTILE)
    Console().close()

    assert capfdbinary.readouterr().out == HOSTILE.encode()


def test_at_a_terminal_a_text_can_only_be_read() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with contextlib.redirect_stdout(terminal):
        Console().raw(HOSTILE)

    assert terminal.getvalue() == ("\\ufeffname: \\u001b]0;x\\u0007\\u202e ü\\u000d\n  :\\u003aset-output\n")
