"""What a view may be: every refusal names file, line and way out, before any night runs it."""

from pathlib import Path

import pytest
from tests.doubles.projects import FEATURES, Project
from tests.doubles.views import shop

from perennial.engine.plan import FeaturePlan, compile_plan
from perennial.engine.view import view
from perennial.errors import BadViewError, BrokenModelError
from perennial.spec.load import load

HEAD = 6
"""Line of features.py on which a test's first view begins."""
WINDOW = '@view(entity="place", window="7d")'
REFUSED = [
    ("@view()\ndef size(orders):\n    return orders.size", "say in a docstring what the feature means"),
    ('@view()\ndef size(ordres):\n    """Size."""\n    return ordres.size', "its parameters name tables; there are orders, visits"),
    ('@view()\ndef size():\n    """Size."""\n    return 1', "its parameters name tables"),
    ('@view()\ndef size(orders, visits):\n    """Size."""\n    return orders.size', "a view reads one table"),
    ('@view(entity="town")\ndef size(visits):\n    """Size."""\n    return visits.spent', "entity 'town' must be a column of visits and of orders"),
    ('@view(entity="visit_id")\ndef size(visits):\n    """Size."""\n    return visits.spent', "entity 'visit_id' must be a column of visits and of orders"),
    ('@view()\ndef size(visits):\n    """Size."""\n    return visits.spent', "a view of visits needs entity="),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.sice', "it cannot be compiled: AttributeError"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.size + "x"', "it cannot be compiled"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return 3', "it must return one column or aggregate, not int"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders', "it must return one column or aggregate, not Table"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return None', "not NoneType"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.size + ibis.random()', "chance and the wall clock"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return ibis.now().year() - orders.size', "use predict_at"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return ibis.today().year() - orders.size', "use predict_at"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.size.mean()', 'an aggregate needs a window: @view(window="7d")'),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.spent', "a view with a window returns an aggregate"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.filter(visits.spent > 1).spent.mean()', ".mean(where=table.column > 1)"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.join(visits.view(), "place").spent.mean()', "without filter, join or another table"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return ibis.table({{"y": "float64"}}, name="o").y.mean()', "another table"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.size / orders.size.mean()', "a value over several rows is an aggregate"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return orders.size.cumsum()', "a value over several rows"),
    ('@view()\ndef size(orders):\n    """Size."""\n    return ibis.row_number()', "a value over several rows"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.spent.first()', "First depends on the order of rows"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.spent.argmax(visits.visited_at)', "leave window out"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.spent.approx_median()', 'write @view(engine="python")'),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.place.mode()', "Mode depends on"),
    (f'{WINDOW}\ndef size(visits):\n    """Size."""\n    return visits.visited_at.max()', "a feature is a number, a truth value or a text, not timestamp"),
    ('@view(missing="none")\ndef size(orders):\n    """Size."""\n    return orders.size', "missing='none' does not fit values of type float64"),
    ('@view(missing=0)\ndef size(orders):\n    """Size."""\n    return orders.place', "missing=0 does not fit values of type string"),
]  # fmt: skip


@pytest.mark.parametrize(("features", "said"), REFUSED, ids=lambda text: text[-30:])
def test_a_view_that_cannot_be_trusted_is_refused_where_it_stands(
    tmp_path: Path, features: str, said: str
) -> None:
    """The message begins with file, line and name, and says what to do."""
    with pytest.raises(BadViewError) as refusal:
        shop(tmp_path, features)
    message = str(refusal.value)
    assert f"features.py:{HEAD} size: " in message
    assert said in message


@pytest.mark.parametrize("window", ["7", "0d", "d", "1.5d", "7 d", "7m", "-3d", ""])
def test_a_window_that_is_not_understood_is_refused_with_its_line(tmp_path: Path, window: str) -> None:
    """Hours, days and weeks in whole numbers; anything else says how to write it."""
    text = f'@view(window="{window}")\ndef size(orders):\n    """Size."""\n    return orders.size.mean()'
    with pytest.raises(BadViewError, match=rf"features.py:{HEAD}: .*write 12h, 7d or 4w"):
        shop(tmp_path, text)


def test_windows_are_hours_days_and_weeks() -> None:
    """What is written is what is looked back on."""
    hours = [view(window=text)(lambda t: t).__perennial_view__.window_hours for text in ("12h", "7d", "4w")]  # type: ignore[attr-defined]
    assert hours == [12, 168, 672]


@pytest.mark.parametrize(
    ("features", "line", "said"),
    [
        ("import nothing_of_this_name", 6, "ModuleNotFoundError"),
        ("x = 1\ny = (\n", 7, "SyntaxError"),
        ("\n\n1 / 0", 8, "ZeroDivisionError"),
    ],
)
def test_code_that_does_not_load_is_named_by_its_line(
    tmp_path: Path, features: str, line: int, said: str
) -> None:
    """A mistake outside of any view has a line as well."""
    folder = Project(tmp_path).declare(features=None).folder
    spec = load(folder)
    (folder / "features.py").write_text("'Features.'\n\n\n\n\n" + features)
    with pytest.raises(BadViewError, match=rf"features.py:{line}: it cannot be loaded: {said}"):
        compile_plan(spec, folder)


def test_a_view_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    """Also when the spec was read before the file changed."""
    project = Project(tmp_path).declare()
    path = project.folder / "model.yaml"
    path.write_text(path.read_text().replace("clicks]\n", "clicks]\n  views: [size_3d]\n"))
    spec = load(project.folder)
    (project.folder / "features.py").write_text("from perennial import view\n")
    with pytest.raises(BadViewError, match="it has no view size_3d; views: none"):
        compile_plan(spec, project.folder)


def test_a_plan_survives_being_kept(tmp_path: Path) -> None:
    """What is stored beside the features is the plan itself, and has its hash."""
    _, plan = shop(
        tmp_path,
        '''
        @view(entity="place", window="7d", missing=0)
        def visits_7d(visits):
            """Visits."""
            return visits.count()


        @view(engine="python")
        def both(orders, visits):
            """Both tables."""
            return orders["size"]
        ''',
    )
    kept = FeaturePlan.from_json(plan.as_json())  # type: ignore[arg-type]
    assert kept == plan
    assert kept.hash == plan.hash
    assert plan.features == ("visits_7d", "both")
    assert plan.views[1].sources == ("orders", "visits")


def test_the_hash_of_a_plan_follows_what_the_views_mean(tmp_path: Path) -> None:
    """Comments and other functions change nothing; a window does."""
    text = '@view(entity="place", window="{window}")\ndef n(visits):\n    """Visits."""\n    return visits.count()\n'
    plans = [
        shop(tmp_path / str(number), text.format(window=window) + more)[1].hash
        for number, (window, more) in enumerate(
            [("7d", ""), ("7d", "\n\ndef other():\n    return 1  # aside\n"), ("8d", "")]
        )
    ]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_a_folder_without_views_has_its_columns_as_features(tmp_path: Path) -> None:
    """features.py is optional."""
    project = Project(tmp_path).declare(features=None)
    plan = compile_plan(load(project.folder), project.folder)
    assert plan.features == ("place", "size", "weight", "clicks")


@pytest.mark.parametrize(
    ("old", "new"),
    [("size: number, weight", "predict_at: timestamp, size: number, weight"),
     ("weight: number", "superseded_at: timestamp, weight: number"),
     ("weight: number", "event_local: timestamp, weight: number"),
     ("weight: number", "known_at: timestamp, weight: number"),
     ("order_id", "label"), ("order_id", "night"), ("order_id", "version"), ("order_id", "entity")],
)  # fmt: skip
def test_a_column_whose_name_is_taken_is_named(tmp_path: Path, old: str, new: str) -> None:
    """Two columns of one name would be mixed up; the folder is broken at once, and the way out is said."""
    project = Project(tmp_path).declare(features=None)
    path = project.folder / "model.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BrokenModelError, match=r"PER-1054.*Deliver it under another name"):
        load(project.folder)


def test_a_view_that_hides_its_mark_may_not_have_a_feature_columns_name_either(tmp_path: Path) -> None:
    """What reading the file as text cannot see is found when it is run, by `perennial check` or the first task."""
    hidden = FEATURES.replace("import view", "import view as feature").replace("@view", "@feature")
    project = Project(tmp_path).declare(features=hidden.replace("size_3d", "size"))
    with pytest.raises(BadViewError, match="a column of that name is a feature itself"):
        compile_plan(load(project.folder), project.folder)
