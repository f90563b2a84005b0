"""dbt makes no message of what it would show to debug itself alone; that a node has finished is heard."""

from typing import Any

import pytest
from dbt_common.events import event_manager_client
from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from warehouse.build import dbt


@pytest.fixture
def heard() -> list[str]:
    return []


def listen(heard: list[str]) -> None:
    def hear(event: Any) -> None:
        heard.append(f"{event.info.name} {event.info.level}")

    event_manager_client.add_callback_to_manager(hear)


def test_what_a_person_reads_is_heard_and_what_debugs_dbt_is_not(heard: list[str]) -> None:
    before = event_manager_client.get_event_manager()
    with dbt._shown_events_alone():
        listen(heard)
        fire_event(Note(msg="a"), level=EventLevel.WARN)
        fire_event(Note(msg="b"), level=EventLevel.DEBUG)
        fire_event(Note(msg="c"))
    assert heard == ["Note warn", "Note info"]
    assert event_manager_client.get_event_manager() is before


def test_a_node_that_has_finished_is_heard_though_dbt_shows_it_to_debug_alone(heard: list[str]) -> None:
    from dbt.events.types import NodeFinished

    with dbt._shown_events_alone():
        listen(heard)
        fire_event(NodeFinished(node_info={"node_name": "dim_date"}, run_result={}))
    assert heard == [f"{dbt.FINISHED} debug"]


def test_an_error_leaves_the_listeners_as_they_were() -> None:
    before = event_manager_client.get_event_manager()
    with pytest.raises(ValueError, match="cut"), dbt._shown_events_alone():
        raise ValueError("cut")
    assert event_manager_client.get_event_manager() is before
