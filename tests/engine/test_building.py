"""What a night's features see: only what was known, only what the window shows, each key once, the same bits always."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doubles.views import at, built, rows, shop, values

from perennial.clock import after, end_of
from perennial.errors import BadViewError

NIGHT = "2024-03-10"
VIEWS = '''
@view(entity="place", window="3d")
def visits_3d(visits):
    """Visits of the place."""
    return visits.count()


@view(entity="place", window="3d")
def spent_3d(visits):
    """What was spent there."""
    return visits.spent.sum()


@view(entity="place", window="3d")
def mean_3d(visits):
    """What was spent there on average."""
    return visits.spent.mean()


@view(entity="place", window="3d", missing=0)
def visits_or_none_3d(visits):
    """Visits of the place, none where it has no visits."""
    return visits.count()


@view(window="12h")
def visits_everywhere_12h(visits):
    """Visits of the last half day."""
    return visits.count()


@view(entity="place")
def last_spent(visits):
    """What the newest visit spent."""
    return visits.spent


@view(entity="place")
def seats(stores):
    """Seats of the place."""
    return stores.seats


@view()
def weekday(orders):
    """Day of the week of the order."""
    return orders.event_local.day_of_week.index()


@view(window="2d")
def rain_2d(days):
    """Rain of the last two days."""
    return days.rain.sum()


@view(engine="python")
def size_rank(orders):
    """Rank of the order by size."""
    return orders["size"].rank()
'''


def order(place: str = "north", name: str = "o1", night: str = NIGHT, size: float = 1.0) -> dict[str, object]:
    """Make an order of the day after its night."""
    return {
        "night": night,
        "order_id": name,
        "ordered_at": at(f"{after(night)} 10:00"),
        "place": place,
        "size": size,
    }


def visit(when: str, spent: float = 1.0, **other: object) -> dict[str, object]:
    """Make a visit, delivered by the night of its day."""
    made = {"night": when[:10], "visit_id": when, "visited_at": at(when), "place": "north", "spent": spent}
    return {**made, **other}


def one(spec, plan, feature: str, *visits: dict[str, object], night: str = NIGHT) -> object:
    """Build one feature of one order."""
    tables = {"orders": rows(spec, "orders", order(night=night)), "visits": rows(spec, "visits", *visits)}
    return values(built(spec, plan, night, **tables), feature)[0]


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Compile a few of them, for many examples."""
    text = VIEWS.partition("@view(engine")[0]
    return shop(tmp_path_factory.mktemp("few"), text)


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    """Compile the views once."""
    return shop(tmp_path_factory.mktemp("views"), VIEWS)


def test_a_window_begins_with_its_first_instant_and_ends_before_the_prediction(views) -> None:
    """[predict_at - 3 days, predict_at): the first microsecond counts, the one before and the last do not."""
    begin, end = "2024-03-08 00:00:00", "2024-03-11 00:00:00"
    inside = [visit(begin), visit("2024-03-10 23:59:59.999999")]
    outside = [visit("2024-03-07 23:59:59.999999"), visit(end, night=NIGHT)]
    assert one(*views, "visits_3d", *inside) == 2
    assert one(*views, "visits_3d", *inside, *outside) == 2


def test_a_row_counts_from_the_moment_it_was_known(views) -> None:
    """known_at at the prediction counts, a microsecond later does not."""
    in_time = visit("2024-03-09 10:00", known_at=at("2024-03-11 00:00:00"))
    late = visit("2024-03-09 11:00", known_at=at("2024-03-11 00:00:00.000001"))
    assert one(*views, "visits_3d", in_time, late) == 1


def test_counts_sums_and_means_agree_with_arithmetic(views) -> None:
    """Not only means: a doubled row would show in counts and sums alone."""
    visits = [
        visit(f"2024-03-{day:02d} {hour:02d}:00", spent=day * hour)
        for day in (8, 9, 10)
        for hour in (9, 12, 17)
    ]
    spent = [float(str(row["spent"])) for row in visits]
    assert one(*views, "visits_3d", *visits) == 9
    assert one(*views, "spent_3d", *visits) == sum(spent)
    assert one(*views, "mean_3d", *visits) == sum(spent) / 9


def test_many_orders_of_one_place_do_not_multiply_its_visits(views) -> None:
    """The rows that ask are no part of what is counted."""
    spec, plan = views
    orders = rows(
        spec, "orders", *(order("north", f"o{number}") for number in range(50)), order("south", "s")
    )
    visits = rows(
        spec,
        "visits",
        visit("2024-03-10 10:00"),
        visit("2024-03-10 11:00"),
        visit("2024-03-10 12:00", place="south"),
    )
    table = built(spec, plan, NIGHT, orders=orders, visits=visits)
    assert values(table, "visits_3d") == [2] * 50 + [1]
    assert table["order_id"].to_pylist() == [f"o{number}" for number in range(50)] + ["s"]


def test_an_entity_without_rows_has_no_value_unless_one_is_declared(views) -> None:
    """Nothing known is missing, not zero; also where the entity itself is missing."""
    spec, plan = views
    orders = rows(spec, "orders", order("west"), order("north", "o2"), {**order("", "o3"), "place": None})
    table = built(spec, plan, NIGHT, orders=orders, visits=rows(spec, "visits", visit("2024-03-10 13:00")))
    assert values(table, "visits_3d") == [None, 1, None]
    assert values(table, "visits_or_none_3d") == [0, 1, 0]
    assert values(table, "visits_everywhere_12h") == [1, 1, 1]
    assert values(table, "seats") == [None, None, None]


def test_the_first_night_of_all_has_empty_windows_and_every_row(views) -> None:
    """Nothing was delivered before; the night's rows still come out, one each."""
    spec, plan = views
    table = built(spec, plan, NIGHT, orders=rows(spec, "orders", order("north"), order("south", "o2")))
    assert table.num_rows == 2
    assert values(table, "visits_3d") == [None, None]
    assert values(table, "visits_everywhere_12h") == [0, 0]
    assert values(table, "weekday") == [0, 0]


def test_a_night_without_rows_is_an_empty_table_with_all_columns(views) -> None:
    """Its columns are those of every other night."""
    spec, plan = views
    whole = built(spec, plan, NIGHT, orders=rows(spec, "orders", order()))
    assert built(spec, plan, NIGHT).schema.names == whole.schema.names


def test_a_correction_counts_from_when_it_was_known(views) -> None:
    """Before, the superseded row; after, the corrected one; never both."""
    known = at("2024-03-11 00:00:00")
    visits = [
        visit("2024-03-09 10:00", 5.0, superseded_at=known),
        visit("2024-03-09 10:00", 7.0, known_at=known),
    ]
    assert one(*views, "spent_3d", *visits, night="2024-03-09") == 5.0
    assert one(*views, "spent_3d", *visits, night="2024-03-10") == 7.0
    assert one(*views, "visits_3d", *visits, night="2024-03-10") == 1


def test_a_withdrawn_row_no_longer_counts(views) -> None:
    """A corrected delivery without the row takes it out from then on."""
    gone = visit("2024-03-09 10:00", superseded_at=at("2024-03-11 00:00:00"))
    assert one(*views, "visits_3d", gone, night="2024-03-09") == 1
    assert one(*views, "visits_3d", gone, night="2024-03-10") is None


def test_a_key_delivered_again_in_a_later_night_counts_once_as_it_was_last_known(views) -> None:
    """A row that trickles in twice is one row; earlier nights keep what they knew."""
    twice = [visit("2024-03-08 10:00", 5.0), visit("2024-03-08 10:00", 7.0, night="2024-03-10")]
    assert one(*views, "visits_3d", *twice) == 1
    assert one(*views, "spent_3d", *twice) == 7.0
    assert one(*views, "spent_3d", *twice, night="2024-03-09") == 5.0
    assert one(*views, "last_spent", *twice) == 7.0


def test_a_key_delivered_again_with_another_time_leaves_the_window_it_was_in(views) -> None:
    """What counts is the newest version; where its time lies is asked after that."""
    moved = visit("2024-03-09 10:00", night="2024-03-10", visited_at=at("2024-03-01 10:00"))
    assert one(*views, "visits_3d", visit("2024-03-09 10:00"), moved) is None
    earlier = visit("2024-03-09 10:00", 7.0, night="2024-03-10", visited_at=at("2024-03-08 10:00"))
    assert one(*views, "spent_3d", visit("2024-03-09 10:00", 5.0), earlier) == 7.0


def test_a_view_without_a_window_sees_the_newest_row_of_the_entity(views) -> None:
    """Newest by its own time, not by its place in the file."""
    newest = [
        visit("2024-03-10 12:00", 3.0),
        visit("2024-03-10 10:00", 1.0),
        visit("2024-03-10 13:00", 9.0, place="south"),
    ]
    assert one(*views, "last_spent", *newest) == 3.0


def test_days_without_a_clock_belong_to_the_day_of_their_place(tmp_path: Path) -> None:
    """A date begins at midnight in the model's time zone, not in UTC."""
    spec, plan = shop(tmp_path, VIEWS, timezone="America/New_York")
    days = rows(
        spec,
        "days",
        *(
            {"night": day, "day": at(day).date(), "rain": rain}
            for day, rain in (("2024-03-08", 1.0), ("2024-03-09", 2.0), ("2024-03-10", 4.0))
        ),
    )
    table = built(spec, plan, NIGHT, orders=rows(spec, "orders", order()), days=days)
    # The clocks go forward on this very night, so two days back in hours begin an hour before midnight.
    assert values(table, "rain_2d") == [6.0]
    table = built(spec, plan, "2024-03-09", orders=rows(spec, "orders", order(night="2024-03-09")), days=days)
    assert values(table, "rain_2d") == [3.0]


def test_local_times_are_the_models_own(tmp_path: Path) -> None:
    """An order at two in the morning UTC is still of the day before in New York."""
    spec, plan = shop(tmp_path, VIEWS, timezone="America/New_York")
    late = {**order(), "ordered_at": at("2024-03-11 02:00")}
    assert values(built(spec, plan, NIGHT, orders=rows(spec, "orders", late)), "weekday") == [6]


def test_a_view_in_python_gets_the_nights_rows_in_their_order(views) -> None:
    """Its values are joined by place, not by luck."""
    spec, plan = views
    orders = rows(
        spec,
        "orders",
        *(order("north", f"o{number}", size=size) for number, size in enumerate([3.0, 1.0, 2.0])),
    )
    assert values(built(spec, plan, NIGHT, orders=orders), "size_rank") == [3.0, 1.0, 2.0]


def test_a_view_in_python_may_read_several_tables_and_sees_only_what_was_known(tmp_path: Path) -> None:
    """The framework hands it the window's rows; missing values are missing."""
    spec, plan = shop(
        tmp_path,
        '''
        @view(engine="python", window="3d")
        def ratio(orders, visits, stores):
            """Size against what was spent."""
            assert list(orders.columns)[:2] == ["order_id", "ordered_at"]
            return orders["size"].reset_index(drop=True) / (visits["spent"].sum() or float("nan"))
        ''',
    )
    earlier = [order(night="2024-03-08", name="e1", size=8.0)]
    visits = rows(
        spec,
        "visits",
        visit("2024-03-09 10:00", 4.0),
        visit("2024-03-10 10:00", 9.0, known_at=at("2024-03-11 01:00")),
    )
    orders = rows(spec, "orders", *earlier, order(size=2.0))
    # Orders of a window are those that have happened: one of tomorrow is none of them.
    assert values(built(spec, plan, NIGHT, orders=orders, visits=visits), "ratio") == [2.0]
    assert values(built(spec, plan, NIGHT, orders=orders), "ratio") == [None]


@pytest.mark.parametrize(
    ("body", "said"),
    [("return 1", "one pandas Series with a value for each of the 1 rows"),
     ('return orders["size"].head(0)', "a value for each of the 1 rows"),
     ('return orders["sice"]', "it failed: KeyError")],
)  # fmt: skip
def test_a_view_in_python_that_fails_is_named_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    """Also what only shows when it runs has file, line and name."""
    spec, plan = shop(tmp_path, f'@view(engine="python")\ndef bad(orders):\n    """Bad."""\n    {body}\n')
    with pytest.raises(BadViewError, match=r"features.py:6 bad: ") as refusal:
        built(spec, plan, NIGHT, orders=rows(spec, "orders", order()))
    assert said in str(refusal.value)


TIMES = st.integers(0, 8 * 24 * 60 - 1)


@st.composite
def deliveries(draw) -> list[dict[str, object]]:
    """Draw visits over eight days: late ones, some delivered twice, some corrected, some withdrawn."""
    made = []
    for number in range(draw(st.integers(0, 14))):
        minute, late = draw(TIMES), draw(st.integers(0, 3))
        when = np.datetime64("2024-03-04T00:00") + np.timedelta64(minute, "m")
        night = after(str(when)[:10], late)
        known = draw(st.integers(0, 3))
        row = {
            "night": night,
            "visit_id": f"v{draw(st.integers(0, 9))}",
            "visited_at": at(str(when)),
            "place": draw(st.sampled_from(["north", "south"])),
            "spent": draw(st.integers(-50, 50)) / 7 + number,
            "known_at": end_of(after(night, known), "UTC"),
        }
        if draw(st.booleans()):
            row["superseded_at"] = end_of(after(night, known + draw(st.integers(1, 3))), "UTC")
        made.append(row)
    return sorted(made, key=lambda row: str(row["night"]))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(visits=deliveries())
def test_nothing_known_later_changes_a_feature(few, visits) -> None:
    """Poison: rows known after the prediction, whatever they say, leave every feature equal to the bit."""
    spec, plan = few
    orders = rows(spec, "orders", order("north"), order("south", "o2"), order("west", "o3"))
    moment = end_of(NIGHT, "UTC")
    known = [row for row in visits if row["known_at"] <= moment]
    cleaned = [{**row, "superseded_at": _unless_later(row.get("superseded_at"), moment)} for row in known]
    with_poison = built(spec, plan, NIGHT, orders=orders, visits=rows(spec, "visits", *visits))
    assert built(spec, plan, NIGHT, orders=orders, visits=rows(spec, "visits", *cleaned)).equals(with_poison)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(visits=deliveries())
def test_features_agree_with_a_plain_reading_of_the_rule(few, visits) -> None:
    """Counts and sums against a few lines of Python that say the same; and the order of rows does not matter."""
    spec, plan = few
    orders = rows(spec, "orders", order("north"), order("south", "o2"))
    moment, begin = end_of(NIGHT, "UTC"), end_of(after(NIGHT, -3), "UTC")
    newest: dict[object, dict[str, object]] = {}
    for row in sorted(visits, key=lambda row: row["known_at"]):
        if row["known_at"] <= moment:
            newest[row["visit_id"]] = row
    current = [row for row in newest.values() if (row.get("superseded_at") or at("2100-01-01")) > moment]
    seen = [row for row in current if begin <= row["visited_at"] < moment]
    table = built(spec, plan, NIGHT, orders=orders, visits=rows(spec, "visits", *visits))
    for place, count, spent in zip(
        ("north", "south"), values(table, "visits_3d"), values(table, "spent_3d"), strict=True
    ):
        expected = [row["spent"] for row in seen if row["place"] == place]
        assert (count or 0) == len(expected)
        assert spent == (pytest.approx(sum(expected), rel=1e-12) if expected else None)


def _unless_later(moment: object, limit: object) -> object:
    return moment if moment is not None and moment <= limit else None  # type: ignore[operator]


def test_features_carry_key_times_and_entity_beside_them(views) -> None:
    """What joins them to labels, and what says when they were made."""
    spec, plan = views
    table = built(spec, plan, NIGHT, orders=rows(spec, "orders", order()))
    assert table.column_names[:4] == ["order_id", "event_time", "predict_at", "entity"]
    assert table["event_time"].to_pylist() == [at("2024-03-11 10:00").replace(tzinfo=None)]
    assert table["predict_at"].cast(pa.timestamp("us")).to_pylist() == [
        at("2024-03-11 00:00").replace(tzinfo=None)
    ]


def test_a_key_called_entity_or_event_time_stands_there_once(tmp_path: Path) -> None:
    """The commonest names of keys are no trouble as long as they mean the same."""
    home = tmp_path / "shop"
    spec, plan = shop(tmp_path, VIEWS)
    text = (
        (home / "model.yaml")
        .read_text()
        .replace("entity: place", "entity: entity")
        .replace("place", "entity")
    )
    text = text.replace("ordered_at", "event_time").replace("key: [order_id]", "key: [entity, event_time]")
    text = text.replace("visited_at: timestamp", "visited_at: timestamp, event_time: timestamp")
    (home / "model.yaml").write_text(text)
    (home / "features.py").write_text("")
    from perennial.engine.plan import compile_plan
    from perennial.spec.load import load

    spec = load(home)
    plan = compile_plan(spec, home)
    given = {"night": NIGHT, "order_id": "o1", "event_time": at("2024-03-11 10:00"), "entity": "north"}
    table = built(spec, plan, NIGHT, orders=rows(spec, "orders", given))
    assert table.column_names == ["entity", "event_time", "predict_at"]
