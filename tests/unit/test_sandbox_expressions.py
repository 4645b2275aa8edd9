"""The sandbox's evaluator of workflow expressions, held to the examples of GitHub's documentation."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.workflow_file import DEFAULT_PERMISSIONS, combinations, granted

CONTEXTS = {
    "github": {"ref": "refs/heads/main", "event": {"labels": [{"name": "bug"}, {"name": "help"}]}},
    "inputs": {"name": "", "sure": True},
    "vars": {"REGION": "West"},
    "matrix": {"n": 2},
    "env": {},
}


def _scope(**status: bool) -> Scope:
    known = {"success": True, "failure": False, "always": True, "cancelled": False} | status
    return Scope(CONTEXTS, {name: partial(bool, value) for name, value in known.items()})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("null", None),
        ("true", True),
        ("711", 711),
        ("-9.2", -9.2),
        ("0xff", 255),
        ("-2.99e-2", -0.0299),
        ("'It''s open source!'", "It's open source!"),
        ("github.ref", "refs/heads/main"),
        ("github['ref']", "refs/heads/main"),
        ("GitHub.REF", "refs/heads/main"),
        ("vars.region", "West"),
        ("github.nothing.at.all", None),
        ("github.event.labels[1].name", "help"),
        ("github.event.labels[7]", None),
        ("github.ref.name", None),
        ("'a' == 'A'", True),
        ("'a' != 'A'", False),
        ("'b' > 'A'", True),
        ("1 == '1'", True),
        ("true == 1", True),
        ("null == 0", True),
        ("null == ''", True),
        ("'x' == 0", False),
        ("'x' < 1", False),
        ("github == github", True),
        ("github == '1'", False),
        ("matrix.n >= 2 && matrix.n <= 2", True),
        ("inputs.name == '' || inputs.name == 'dev'", True),
        ("inputs.name || 'fallback'", "fallback"),
        ("inputs.sure && 'yes' || 'no'", "yes"),
        ("!inputs.sure", False),
        ("!(1 < 2) || !!'x'", True),
        ("1 < 2 == true", True),
        ("false || true && false", False),
        ("contains('Hello world', 'LLO')", True),
        ("contains(fromJSON('[\"push\", 1]'), 'PUSH')", True),
        ("contains(fromJSON('[\"push\"]'), 'pus')", False),
        ("startsWith('Hello', 'he') && endsWith('Hello', 'LO')", True),
        ("format('Hello {0} {1} {{x}}', 'Mona', 2)", "Hello Mona 2 {x}"),
        ("join(github.event.labels, ', ')", "Object, Object"),
        ("join(fromJSON('[1, true, null]'))", "1,true,"),
        ("toJSON(matrix)", '{\n  "n": 2\n}'),
        ('fromJSON(\'{"a": {"b": 3}}\').a.b', 3),
        ("success() && !failure() && always() && !cancelled()", True),
    ],
)
def test_values(expression: str, value: Any) -> None:
    found = _scope().evaluate(expression)
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("hashFiles('x')", "Unrecognized function: 'hashFiles'"),
        ("secrets.X", "Unrecognized named-value: 'secrets'"),
        ("github.event.labels.*.name", "Unexpected symbol: '*'"),
        ('"double"', "Unexpected symbol"),
        ("1 +  2", "Unexpected symbol: '+'"),
        ("1 2", "Unexpected symbol: '2'"),
        ("(1", "the end"),
        ("", "the end"),
        ("contains('a')", "Wrong number of arguments for 'contains'"),
        ("format('{1}', 'a')", "format string"),
        ("fromJSON('{')", "not JSON"),
    ],
)
def test_what_is_not_known_is_named(expression: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=told.replace("*", r"\*").replace("+", r"\+")):
        _scope().evaluate(expression)


def test_texts_and_types() -> None:
    scope = _scope()
    assert scope.value("${{ matrix.n }}") == 2
    assert (
        scope.value("n is ${{ matrix.n }}, '${{ '}}' }}' ${{ inputs.sure }}${{ null }}")
        == "n is 2, '}}' true"
    )
    assert scope.value({"a": ["${{ inputs.sure }}", 1, None]}) == {"a": [True, 1, None]}
    assert scope.texts({"A": True, "B": 1.5, "C": None, "D": "x"}) == {
        "A": "true",
        "B": "1.5",
        "C": "",
        "D": "x",
    }
    assert scope.seconds("${{ matrix.n }}") == 120
    for wrong in ("soon", 0, -1, None, "inf", "1_0"):
        with pytest.raises(ExpressionError, match="number of minutes"):
            scope.seconds(wrong)
    with pytest.raises(ExpressionError, match="mapping"):
        scope.texts("${{ matrix.n }}")
    with pytest.raises(ExpressionError, match="no end"):
        scope.value("${{ 'a")


@pytest.mark.parametrize(
    ("written", "after_success", "after_failure"),
    [
        (None, True, False),
        ("", True, False),
        (True, True, False),
        (False, False, False),
        ("inputs.sure", True, False),
        ("${{ inputs.sure }}", True, False),
        ("inputs.name", False, False),
        ("always()", True, True),
        ("${{ failure() }}", False, True),
        ("failure() || success()", True, True),
        ("'always()' == ''", False, False),
        ("!cancelled() && inputs.sure", True, True),
        ("${{ inputs.sure }} == ${{ true }}", True, False),  # a text that is not empty, as GitHub takes it
    ],
)
def test_conditions(written: Any, *, after_success: bool, after_failure: bool) -> None:
    assert _scope().condition(written) is after_success
    assert _scope(success=False, failure=True).condition(written) is after_failure


def test_matrices() -> None:
    assert combinations(None) == [{}]
    assert combinations({"a": [1, 2], "b": [3]}) == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]
    # The example of GitHub's documentation.
    fruits = {"fruit": ["apple", "pear"], "animal": ["cat", "dog"]}
    extra = [
        {"color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert combinations(fruits | {"include": extra}) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert len(combinations(fruits | {"exclude": [{"animal": "dog"}]})) == 2
    assert combinations({"include": [{"x": 1}, {"x": 2}]}) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    ("workflow", "job", "id_token"),
    [
        (None, None, None),
        ({"id-token": "write"}, None, "write"),
        ({"id-token": "write"}, {"contents": "read"}, None),
        ({}, {"id-token": "write"}, "write"),
        ("write-all", None, "write"),
        ("write-all", {}, None),
        ("read-all", None, None),
        ({"id-token": "none"}, None, None),
    ],
)
def test_permissions(workflow: Any, job: Any, id_token: str | None) -> None:
    for default in ("read", "write"):
        assert granted(workflow, job, DEFAULT_PERMISSIONS[default]).get("id-token") == id_token
