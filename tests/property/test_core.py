"""What holds for every configuration and every world that it meets."""

from __future__ import annotations

from hypothesis import given, settings

from tests.property.worlds import World, carry_out, scenes, settle, wanted_of
from trustsmith.diff import diff
from trustsmith.model.config import Config
from trustsmith.model.facts import Facts

Scene = tuple[World, Config, Facts]
settings.register_profile("core", max_examples=60, deadline=None, derandomize=True)
settings.load_profile("core")


@given(scenes())
def test_after_a_run_nothing_is_left_to_do(scene: Scene) -> None:
    world, config, facts = scene
    wanted = wanted_of(config, facts)
    carry_out(world, diff(world.state(), wanted), facts)
    again = diff(world.state(), wanted)
    assert again.changes == ()
    assert again.waiting == ()
    assert wanted.keys() <= world.resources.keys()
