"""The declared checks as a Great Expectations suite: the contract of a source, and the report of each night.

Great Expectations passes on an empty batch and puts what it raises among its results. So it is asked only
where there are rows, every answer is looked for, and its counts must be those of the engine's own pass.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from perennial.engine.intake_checking import Outcome
from perennial.errors import CheckDidNotRunError, CheckDisagreesError
from perennial.facts.batch import ROW, ContractResult

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

# Only counts are needed: listing values or rows costs more than all the rest (measured: 10 times).
COUNTS_ONLY = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


def ask_contract(source: str, table: pa.Table, outcomes: Sequence[Outcome]) -> tuple[ContractResult, ...]:
    """Evaluate the suite on the rows and return its answers, in the order of the checks.

    Raises CheckDidNotRunError where an expectation raised or an answer is missing, and CheckDisagreesError
    where it counted other rows than the engine.
    """
    if not outcomes or not table.num_rows:
        return ()
    answers = validate_suite(table, outcomes, COUNTS_ONLY).results
    if len(answers) != len(outcomes):
        detail = f"{len(outcomes)} were asked and {len(answers)} answered"
        raise CheckDidNotRunError(source, "all of them", detail)
    return tuple(_result(source, *pair) for pair in zip(outcomes, answers, strict=True))


def validate_suite(
    table: pa.Table, outcomes: Sequence[Outcome], result_format: dict[str, object]
) -> ExpectationSuiteValidationResult:
    """Let Great Expectations evaluate the checks of these outcomes on the rows."""
    from great_expectations import ExpectationSuite

    needed = list(dict.fromkeys(name for outcome in outcomes for name in outcome.check.needs()))
    expectations = []
    for place, outcome in enumerate(outcomes):
        expectation = outcome.check.expectation()
        # The suite refuses two rules that are alike and orders its answers by column; the place tells them apart.
        expectation.meta = {"place": place}
        expectations.append(expectation)
    frame = as_frame(table.select([ROW, *needed]))
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    suite = ExpectationSuite(name="checks", expectations=expectations)
    result: ExpectationSuiteValidationResult = batch.validate(suite, result_format=result_format)
    result.results.sort(key=lambda answer: answer.expectation_config.meta["place"])
    return result


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return the rows for pandas, whole numbers and truths keeping their type beside missing values."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    instant = pa.timestamp("us", "UTC")
    # All instants are UTC, and pandas warns about taking the zone off by itself.
    plain = [
        (field.name, pa.timestamp("us") if field.type == instant else field.type) for field in table.schema
    ]
    frame: pd.DataFrame = table.cast(pa.schema(plain)).to_pandas(
        types_mapper=nullable.get, date_as_object=False
    )
    return frame


def _result(source: str, outcome: Outcome, answer: ExpectationValidationResult) -> ContractResult:
    sentence = outcome.check.sentence()
    raised = _raised(answer.exception_info or {})
    if raised:
        raise CheckDidNotRunError(source, sentence, raised)
    counted = answer.result.get("unexpected_count")
    unexpected = int(not answer.success) if counted is None else int(counted)
    if unexpected != outcome.unexpected or bool(answer.success) == outcome.failed:
        raise CheckDisagreesError(source, sentence, outcome.unexpected, unexpected)
    kind = str(answer.expectation_config.type)
    return ContractResult(kind, sentence, success=bool(answer.success), unexpected=unexpected)


def _raised(info: dict[str, Any]) -> str:
    """Find what was raised: flat, or one level down under the metric that raised it."""
    nested = [value for value in info.values() if isinstance(value, dict)]
    for one in [info, *nested]:
        if one.get("raised_exception"):
            return str(one.get("exception_message") or "an exception without a message")
    return ""


@cache
def _batch_definition() -> Any:
    """Open one context for the process: in memory, without progress bars and without telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("perennial").add_dataframe_asset("batch")
    return asset.add_batch_definition_whole_dataframe("whole")
