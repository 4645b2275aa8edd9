"""The rendered workflows, letter by letter. After a wanted change: `python -m tests.golden.write`."""

from __future__ import annotations

import pytest

from tests.golden.cases import CASES, NEEDED, SITE, with_options
from tests.golden.write import FOLDER
from trustsmith.generated import inspect
from trustsmith.render import Option, Template, catalogue, render


@pytest.mark.parametrize("case", CASES)
def test_a_workflow_is_rendered_as_its_golden_file_says(case: str) -> None:
    (rendered,) = render(*CASES[case])

    assert rendered.text == (FOLDER / f"{case}.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_golden_file_is_known_as_ours_and_not_edited(case: str) -> None:
    provenance = inspect((FOLDER / f"{case}.yml").read_text(encoding="utf-8"))

    assert provenance is not None
    assert not provenance.edited


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)


def _values(template: Template, option: Option) -> set[object]:
    """What an option is in the golden files of a template."""
    workflows = [w for config, _ in CASES.values() for w in config.workflows if w.template == template.name]
    return {template.settings(workflow.options)[option.name] for workflow in workflows}


@pytest.mark.parametrize("name", catalogue())
def test_every_value_of_an_option_has_its_golden_file(name: str) -> None:
    template = catalogue()[name]

    for option in (template.options or {}).values():
        wanted = (
            {True, False} if option.kind == "flag" else set(option.values if option.kind == "text" else ())
        )
        seen = _values(template, option)
        assert wanted <= seen, option.name
        assert len(seen) > 1 or option.name == "creates", option.name


@pytest.mark.parametrize("name", ["deploy-infra", "deploy-azd", "deploy-terraform"])
def test_what_files_make_changes_nothing_in_the_workflow(name: str) -> None:
    (plain,) = render(with_options(name), SITE)
    (declared,) = render(with_options(name, creates=("models",)), SITE)

    assert declared.text == plain.text


def test_what_is_needed_is_all_that_is_needed() -> None:
    needed = {
        name: {option.name for option in (template.options or {}).values() if option.required == {}}
        for name, template in catalogue().items()
    }

    assert {name: options for name, options in needed.items() if options} == {
        name: set(options) for name, options in NEEDED.items()
    }
