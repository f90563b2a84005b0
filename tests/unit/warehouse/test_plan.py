"""What a run plans: its day, what became dirty, forward as far as a model looks back, all of a changed model."""

from datetime import date

import pytest

from ingestion import ledger
from ingestion.config import Settings
from warehouse import plan
from warehouse.plan import CHANGED, DIRTY, FORWARD, RUN_DAY, Model

from ..conftest import Yard

DAILY = Model("fct_account_daily", "v1", windowed=True)
SMOOTH = Model("fct_account_trend", "v1", windowed=True, reach={"f": 3})
WHOLE = Model("dim_account", "v1", windowed=False)
MODELS = [DAILY, SMOOTH, WHOLE]
DAY_5, DAY_6, DAY_7 = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def land(settings: Settings, *days: int, dirty: bool = True) -> None:
    """A batch with rows on these days of January 2026."""
    with ledger.write(settings) as connection:
        number = connection.execute("select count(*) from batches").fetchone()[0]
        connection.execute(
            "insert into batches values (?, 'f', 'm', 'x', 's', 'f.csv', 1, null, null, '', '', 'observed', 'accepted',"
            " null, 1, 1, 0, 0, 'r', 0, 1, '', null)",
            (f"batch{number}",),
        )
        for day in days:
            text = f"2026-01-{day:02d}"
            connection.execute(
                "insert into raw_files values (?, ?, 'f', ?, 1, 1, 's')", (f"{number}/{day}", f"batch{number}", text)
            )
            if dirty:
                mark_dirty(connection, text)


def mark_dirty(connection: ledger.Connection, day: str) -> None:
    connection.execute(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since) values ('f', ?, 'b', 'accepted', '')",
        (day,),
    )


def publish(settings: Settings, made: plan.Plan) -> None:
    """What a release writes to state, as far as the planner reads it."""
    with ledger.write(settings) as connection:
        connection.execute("update mart_state set released = built")
        connection.execute(
            "delete from dirty_dates where id <= ? and snapshot_date <= ?", (made.dirty_upto, str(made.build_through))
        )
        for day in made.all_dates:
            connection.execute("insert or replace into released_dates values (?, 'release')", (day,))
        connection.execute("update plans set state = 'published' where run_id = ?", (made.run_id,))


@pytest.fixture
def published(settings: Settings) -> Settings:
    """Days 1 to 5 are landed, built and released."""
    land(settings, 1, 2, 3, 4, 5)
    publish(settings, plan.make(settings, "first", DAY_5, MODELS, fresh_build=True))
    return settings


def make(settings: Settings, day: date, models: list[Model] | None = None, run_id: str = "run") -> plan.Plan:
    return plan.make(settings, run_id, day, models or MODELS, fresh_build=False)


def days(**reasons: str) -> dict[str, str]:
    return {f"2026-01-{name[1:].zfill(2)}": reason for name, reason in reasons.items()}


def test_first_run_plans_its_day_and_all_that_landed(settings: Settings) -> None:
    land(settings, 3, 4)
    made = plan.make(settings, "run", DAY_5, MODELS, fresh_build=True)
    assert made.dates == {name: days(d3=DIRTY, d4=DIRTY, d5=RUN_DAY) for name in (DAILY.name, SMOOTH.name)}
    assert made.changed == (DAILY.name, SMOOTH.name, WHOLE.name)
    assert made.window == ("2026-01-03", "2026-01-05")


def test_quiet_night_plans_its_day_alone(published: Settings) -> None:
    made = make(published, DAY_6)
    assert made.dates == {name: days(d6=RUN_DAY) for name in (DAILY.name, SMOOTH.name)}
    assert made.changed == ()


def test_late_day_is_built_again_and_forward_as_far_as_a_model_looks_back(published: Settings) -> None:
    land(published, 1)
    made = make(published, DAY_6)
    assert made.dates[DAILY.name] == days(d1=DIRTY, d6=RUN_DAY)
    assert made.dates[SMOOTH.name] == days(d1=DIRTY, d2=FORWARD, d3=FORWARD, d4=FORWARD, d6=RUN_DAY)


def test_forward_reach_takes_only_days_that_have_data(published: Settings) -> None:
    land(published, 9)
    publish(published, make(published, date(2026, 1, 9)))
    land(published, 5)
    assert make(published, DAY_7).dates[SMOOTH.name] == days(d5=DIRTY, d7=RUN_DAY)
    land(published, 6)
    assert make(published, DAY_7).dates[SMOOTH.name] == days(d5=DIRTY, d6=DIRTY, d7=RUN_DAY, d9=FORWARD)


def test_a_model_may_look_back_further_into_one_feed(published: Settings) -> None:
    models = [
        Model("further", "v1", windowed=True, reach={"f": 3, "g": 1}),
        Model("less_far", "v1", windowed=True, reach={"f": 0, "g": 3}),
        Model("of_another", "v1", windowed=True, reach={"f": 1, "g": 3}),
    ]
    publish(published, make(published, DAY_5, models))
    land(published, 1)
    dates = make(published, DAY_5, models).dates
    assert dates["further"] == days(d1=DIRTY, d2=FORWARD, d3=FORWARD, d4=FORWARD)
    assert dates["less_far"] == days(d1=DIRTY)
    assert dates["of_another"] == days(d1=DIRTY, d2=FORWARD)


def test_later_days_wait_for_their_own_run(published: Settings) -> None:
    land(published, 6, 7)
    made = make(published, DAY_6)
    assert made.all_dates == ["2026-01-06"]
    assert str(made.build_through) == "2026-01-06"
    publish(published, made)
    assert make(published, DAY_7, run_id="next").dates[DAILY.name] == days(d7=RUN_DAY)


def test_cap_stays_at_the_latest_day_that_was_built(published: Settings) -> None:
    publish(published, make(published, DAY_7, run_id="seventh"))
    land(published, 6, 8)
    made = make(published, date(2026, 1, 3))
    assert str(made.build_through) == "2026-01-07"
    assert made.dates[DAILY.name] == days(d6=DIRTY)


def test_dirty_dates_stay_until_a_release_holds_them(published: Settings) -> None:
    land(published, 2)
    blocked = make(published, DAY_6, run_id="blocked")
    assert "2026-01-02" in blocked.all_dates
    assert "2026-01-02" in make(published, DAY_7, run_id="next").all_dates


def test_changed_model_plans_its_whole_history_and_no_other(published: Settings) -> None:
    changed = Model(DAILY.name, "v2", windowed=True)
    made = make(published, DAY_6, [changed, SMOOTH, WHOLE])
    assert made.dates[DAILY.name] == days(d1=CHANGED, d2=CHANGED, d3=CHANGED, d4=CHANGED, d5=CHANGED, d6=RUN_DAY)
    assert made.dates[SMOOTH.name] == days(d6=RUN_DAY)
    assert made.changed == (DAILY.name,)


def test_change_that_was_built_but_never_released_is_planned_in_full_again(published: Settings) -> None:
    changed = [Model(DAILY.name, "v2", windowed=True), SMOOTH, WHOLE]
    make(published, DAY_6, changed, run_id="killed")
    assert make(published, DAY_6, changed, run_id="again").changed[0] == DAILY.name
    # Back to the code that is released: the build database may hold rows of the other.
    assert make(published, DAY_6, MODELS, run_id="back").changed[0] == DAILY.name


def test_same_day_again_with_nothing_new_is_unchanged(published: Settings) -> None:
    made = make(published, DAY_5, run_id="again")
    assert made.is_empty
    assert made.window == (None, None)
    with ledger.read(published) as connection:
        states = {run_id: ledger.plan_of(connection, run_id) for run_id in ("again", "first", "never")}
    assert {run_id: row and row["state"] for run_id, row in states.items()} == {
        "again": "unchanged", "first": "published", "never": None,
    }  # fmt: skip


def test_changed_whole_model_alone_is_work(published: Settings) -> None:
    made = make(published, DAY_5, [DAILY, SMOOTH, Model(WHOLE.name, "v2", windowed=False)])
    assert made.all_dates == []
    assert not made.is_empty


def test_plan_is_stored_and_a_retry_replaces_it(published: Settings) -> None:
    land(published, 1)
    make(published, DAY_6)
    land(published, 2)
    again = make(published, DAY_6)
    with ledger.read(published) as connection:
        stored = plan.load(connection, "run")
        assert stored is not None
        assert (stored.day, stored.build_through, stored.dirty_upto, stored.dates) == (
            again.day,
            again.build_through,
            again.dirty_upto,
            again.dates,
        )
        assert plan.load(connection, "never") is None


def test_overtaken_run_is_superseded_only_when_all_it_held_is_released(published: Settings) -> None:
    land(published, 2)
    overtaken = make(published, DAY_6, run_id="slow")
    with ledger.read(published) as connection:
        assert not plan.is_superseded(connection, overtaken)
    publish(published, make(published, DAY_6, run_id="fast"))
    with ledger.read(published) as connection:
        assert plan.is_superseded(connection, overtaken)
    land(published, 3)
    with ledger.read(published) as connection:
        assert plan.is_superseded(connection, overtaken), "what came later is another run's"
    with ledger.write(published) as connection:
        connection.execute("delete from released_dates where snapshot_date = '2026-01-06'")
        assert not plan.is_superseded(connection, overtaken)


def test_table_says_dates_and_reasons(published: Settings) -> None:
    land(published, 1, 2)
    assert make(published, DAY_6, [DAILY]).table() == [
        (DAILY.name, 1, "2026-01-06", RUN_DAY),
        (DAILY.name, 2, "2026-01-01 .. 2026-01-02", DIRTY),
    ]


VOICE = Model("fct_share_of_voice_daily", "v1", windowed=True, feeds=frozenset({"mentions", "brands"}))


def mention(yard: Yard, name: str, *rows: str) -> None:
    yard.drop_rows(f"mentions/{name}.csv", *rows, header="mention_id,brand,platform,mentioned_at")
    yard.land()


def publish_dirty(settings: Settings) -> None:
    with ledger.write(settings) as connection:
        connection.execute("delete from dirty_dates")
        connection.execute("update mart_state set released = built")


@pytest.mark.parametrize("is_damaged", [False, True])
def test_the_day_that_a_record_leaves_is_planned_as_well(yard: Yard, is_damaged: bool) -> None:
    """Where what raw holds cannot be read, all days are: what is damaged is named when it is built from."""
    mention(yard, "a_2026-01-02", "m1,acme,x,2026-01-02T10:00:00Z", "m2,acme,x,2026-01-02T11:00:00Z")
    mention(yard, "b_2026-01-03", "m3,acme,x,2026-01-03T10:00:00Z")
    make(yard.settings, DAY_5, [VOICE], "before")
    publish_dirty(yard.settings)
    if is_damaged:
        next((yard.settings.raw / "mentions").glob("snapshot_date=2026-01-03/*.parquet")).write_bytes(b"damaged")
    mention(yard, "c_2026-01-05", "m1,acme,x,2026-01-04T10:00:00Z")
    planned = make(yard.settings, DAY_5, [VOICE], "after").dates[VOICE.name]
    assert sorted(day for day, why in planned.items() if why == DIRTY) == [
        "2026-01-02", *(["2026-01-03"] if is_damaged else []), "2026-01-04",
    ]  # fmt: skip


def test_a_rejected_file_gives_the_day_that_a_record_left_back(yard: Yard) -> None:
    mention(yard, "a_2026-01-02", "m1,acme,x,2026-01-02T10:00:00Z")
    mention(yard, "b_2026-01-04", "m1,acme,x,2026-01-04T10:00:00Z")
    make(yard.settings, DAY_5, [VOICE], "before")
    publish_dirty(yard.settings)
    ledger.reject(yard.settings, yard.batch("mentions/b_2026-01-04.csv")["batch_id"], "wrong")
    planned = make(yard.settings, DAY_5, [VOICE], "after").dates[VOICE.name]
    assert sorted(day for day, why in planned.items() if why == DIRTY) == ["2026-01-02", "2026-01-04"]
