"""Where a repository stands: each stage from what was seen, and what is next."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus.marks import repository_of
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.migrate.stages import Standing, stages, upcoming
from trustsmith.model.plan import Change, Hazard
from trustsmith.model.resources import ClientSecret
from trustsmith.ui import report_status

TEXT = """\
on: push
jobs:
  deploy:
    environment: prod
    steps:
      - uses: azure/login@v1
        with: {creds: '${{ secrets.AZURE_CREDENTIALS }}'}
      - run: docker login x.azurecr.io -u x -p ${{ secrets.AZURE_CREDENTIALS }}
"""
USES = of_entra(scan(repository_of({".github/workflows/a.yml": TEXT})))
PASSWORD = ClientSecret(identity="x", key_id="1")
LEFT = (Change("delete", PASSWORD, None, ""),)


def standing(**seen: Any) -> Standing:
    return Standing(**{"branch": "main", "uses": (), "configured": True, **seen})


def done(seen: Standing) -> list[bool | None]:
    return [stage.done for stage in stages(seen)]


@pytest.mark.parametrize(
    ("seen", "marks", "following"),
    [
        ({"configured": False, "uses": USES}, [False, False, None, None], "trustsmith migrate --expand"),
        ({"configured": False}, [True, True, None, None], ""),
        ({"lacking": ["live"], "uses": USES}, [False, False, True, True], "trustsmith migrate --expand"),
        ({"missing": [Hazard("not-live=x", "It is not.")]}, [False, True, True, True], "trustsmith plan"),
        ({"missing": [Hazard("not-seen=entra", "Who knows.")]}, [False, True, True, True], "trustsmith plan"),
        ({"uses": USES, "left": LEFT}, [True, False, True, False], "trustsmith migrate --rewrite"),
        ({"uses": USES, "local": []}, [True, False, True, True], "git push"),
        (
            {"uses": USES, "local": USES[:1], "unplaced": ["a.yml:b"]},
            [True, False, True, True],
            "trustsmith migrate --rewrite",
        ),
        (
            {"uses": USES, "unplaced": ["a.yml:b"]},
            [True, False, True, True],
            "trustsmith migrate --rewrite --environment a.yml:b=ENV",
        ),
        ({"uses": USES, "pull": "https://x/1"}, [True, False, True, True], "gh pr view --web https://x/1"),
        (
            {"unsure": {"a.yml:3": "hands all secrets to o/n/x.yml"}},
            [True, False, True, True],
            "trustsmith migrate --prove",
        ),
        (
            {"missing": [Hazard("not-wired=a.yml:1", "No.")]},
            [True, False, True, True],
            "trustsmith migrate --prove",
        ),
        (
            {"missing": [Hazard("not-proven=prod", "No.")], "left": LEFT},
            [True, True, False, False],
            "trustsmith migrate --prove",
        ),
        ({"left": LEFT}, [True, True, True, False], "trustsmith migrate --contract"),
        ({}, [True, True, True, True], ""),
    ],
)
def test_stages(seen: dict[str, Any], marks: list[bool | None], following: str) -> None:
    assert done(standing(**seen)) == marks
    first = upcoming(stages(standing(**seen)))
    assert (first.next if first else "") == following


def test_what_is_said() -> None:
    seen = standing(
        uses=USES, unplaced=["a.yml:deploy"], missing=[Hazard("not-proven=prod", "")], left=LEFT * 2
    )
    said = {stage.name: stage.said for stage in stages(seen)}
    assert said["rewrite"] == "2 uses in 1 file on main; no environment yet: a.yml:deploy"
    assert said["prove"] == "no job yet: prod"
    assert said["contract"] == "left: 2 passwords"


def test_for_people_and_machines() -> None:
    found = stages(standing(left=LEFT))
    assert report_status.as_json(found)["next"] == "trustsmith migrate --contract"
    text = [line.text for line in report_status.lines(found)]
    assert text[3] == "  contract  open  left: 1 password"
    assert text[-1] == "Next: trustsmith migrate --contract"
    assert [line.text for line in report_status.lines(stages(standing()))][-1] == "Nothing is left to do."
