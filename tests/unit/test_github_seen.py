"""An environment as it was answered: whose it is."""

from __future__ import annotations

from trustsmith.model.naming import value_digest
from trustsmith.systems.github_seen import Seen
from trustsmith.systems.mark import MarkText

CLIENT = "50000000-0000-0000-0000-000000000001"


def seen(mark: object, *others: str) -> Seen:
    variables = [{"name": "TRUSTSMITH", "value": str(mark)}, *({"name": n, "value": "x"} for n in others)]
    return Seen({"name": "prod"}, variables, [], [])


def test_it_is_of_another_application_when_its_id_is() -> None:
    mark = MarkText("created", {"variable/AZURE_CLIENT_ID": value_digest("prod", "AZURE_CLIENT_ID", CLIENT)})
    assert seen(mark).is_of_another([])
    assert seen(mark).is_of_another(["other"])
    assert not seen(mark).is_of_another(["other", CLIENT])
    assert not seen(MarkText("created", {"secret/AZURE_CLIENT_ID": ""})).is_of_another([])
    assert not seen("garbled").is_of_another([])


def owned(environment: Seen, *trusted: str) -> set[str]:
    return {resource.key.name for resource in environment.resources(trusted) if resource.owned}


def test_a_lost_mark_speaks_only_for_ids_of_ours() -> None:
    environment = seen("garbled", "AZURE_CLIENT_ID", "AZURE_AI_PROJECT_ENDPOINT_2", "AZURE_STORAGE_KEY")
    assert owned(environment) == set()
    assert owned(environment, "prod") == {
        "prod/TRUSTSMITH",
        "prod/AZURE_CLIENT_ID",
        "prod/AZURE_AI_PROJECT_ENDPOINT_2",
    }


def test_a_newer_mark_is_not_lost() -> None:
    assert owned(seen('{"version":2}', "AZURE_CLIENT_ID"), "prod") == set()


def test_a_variable_of_the_name_of_our_secret_is_not_ours() -> None:
    mark = MarkText("created", {"secret/AZURE_CLIENT_ID": "x"})
    assert "prod/AZURE_CLIENT_ID" not in owned(seen(mark, "AZURE_CLIENT_ID"))
