"""The model folder's own ``estimator.py``: a function that builds a scikit-learn pipeline.

The file is code of the person who owns the model. It is loaded by path, under a name of its own, only
when a pipeline is built: never while DAGs are parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from perennial.errors import CustomEstimatorError
from perennial.estimators.base import ColumnKinds, Estimator, Space, Value
from perennial.facts.evaluation import Task


class Custom(Estimator):
    r"""Calls ``build(task, columns, parameters, seed)`` of a file; ``space(task)`` there is optional.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> code = Path(folder.name) / "estimator.py"
    >>> _ = code.write_text(
    ...     "from sklearn.linear_model import Ridge\n"
    ...     "from sklearn.pipeline import make_pipeline\n"
    ...     "def build(task, columns, parameters, seed):\n"
    ...     "    return make_pipeline(Ridge(**parameters))\n"
    ... )
    >>> mine = Custom(code=code, settings={"alpha": 2.0})
    >>> mine.pipeline("regression", ColumnKinds(numeric=("x",)), seed=7)[-1].alpha
    2.0
    >>> folder.cleanup()
    """

    code: Path
    """The file that builds the pipeline."""
    settings: dict[str, Value] = Field(default_factory=dict)
    """Parameters that the function is called with."""

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Build the pipeline that the file describes.

        Raises:
            CustomEstimatorError: the file is absent, fails, or does not return an estimator.
        """
        build = self._function("build")
        if build is None:
            raise CustomEstimatorError(self.code, "it has no function `build`")
        try:
            built = build(task, columns, dict(self.settings), seed)
        except Exception as mistake:
            raise CustomEstimatorError(self.code, f"`build` failed: {mistake!r}") from mistake
        if not (hasattr(built, "fit") and hasattr(built, "predict")):
            raise CustomEstimatorError(
                self.code, f"`build` returned {type(built).__name__}, not an estimator"
            )
        return built

    def space(self, task: Task) -> Space:
        """Search what the file says; nothing when it does not say."""
        function = self._function("space")
        return function(task) if function else {}

    @property
    def parameters(self) -> dict[str, Value]:
        """The parameters that the function is called with."""
        return dict(self.settings)

    def tuned(self, parameters: Mapping[str, Value]) -> Self:
        """Return the same recipe, called with these parameters over its own."""
        return self.model_copy(update={"settings": {**self.settings, **parameters}})

    def _function(self, name: str) -> Callable[..., Any] | None:
        try:
            function: Callable[..., Any] | None = _load(self.code).get(name)
        except Exception as mistake:
            raise CustomEstimatorError(self.code, f"reading it failed: {mistake!r}") from mistake
        return function


def _load(code: Path) -> dict[str, Any]:
    # Compiled from its text each time: bytecode cached by the second would answer an edit with the old recipe.
    namespace: dict[str, Any] = {"__name__": "perennial_custom_estimator", "__file__": str(code)}
    exec(compile(code.read_bytes(), str(code), "exec"), namespace)  # noqa: S102 -- the model owner's own code
    return namespace
