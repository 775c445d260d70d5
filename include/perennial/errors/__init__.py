"""Every mistake a user can make: where it is, what was found, and how to fix it.

One file a subject, lowest in the house: everything above raises these classes, and imports them from here.
"""

from perennial.errors.base import (
    PerennialError,
)
from perennial.errors.channels import (
    NoConnectionError,
    NotDeliveredError,
    UnreadableConnectionError,
)
from perennial.errors.features import (
    BadExpressionError,
    BadViewError,
    MissingColumnsError,
    ProfilesDifferError,
)
from perennial.errors.folders import (
    BrokenModelError,
    NotAMeanError,
    NotATableError,
    Problem,
)
from perennial.errors.intake import (
    BatchRejectedError,
    CheckDidNotRunError,
    CheckDisagreesError,
    CheckMisfitError,
    ColumnMissingError,
    SourceSilentError,
    SourceUnreadableError,
)
from perennial.errors.ledger import (
    LedgerConflictError,
    LedgerEntryError,
    LedgerUnreadableError,
)
from perennial.errors.names import (
    NoModelsError,
    UnknownEntryError,
    UnknownModelError,
    UnsafeNameError,
)
from perennial.errors.nights import (
    NightNotCompleteError,
    NightsReversedError,
    NoNightError,
    NoNightYetError,
    NotANightError,
)
from perennial.errors.registry import (
    MisfitModelError,
    RefusedArtefactError,
    RegistryDatabaseError,
    UnsavableModelError,
)
from perennial.errors.steering import (
    CorrectionWaitsError,
    HeldNightError,
    LabelSheetError,
    NotAcceptableError,
    NotHeldError,
    NotInQuarantineError,
    NotRowsError,
    SheetExistsError,
    SkippedNightError,
)
from perennial.errors.store import (
    CorruptPartitionError,
    LateWriterError,
    NotPublishedError,
)
from perennial.errors.training import (
    CannotTrainError,
    CustomEstimatorError,
    TooLittleToTrainError,
)
from perennial.errors.versions import (
    AdoptedOtherwiseError,
    AlreadyServedError,
    NeverServedError,
    NoChampionError,
    NotFitToServeError,
    NothingKnownError,
    NothingServedError,
    NothingToRollBackToError,
    NotPassedError,
    NoVersionError,
    NoVersionYetError,
    UnknownVersionError,
)
from perennial.errors.yaml import (
    AliasInYamlError,
    DuplicateKeyError,
    EmptyYamlError,
    NotUtf8Error,
    SeveralDocumentsError,
    TabInYamlError,
    TagInYamlError,
    TooDeepYamlError,
    TooLargeYamlError,
    UnreadableYamlError,
    WrongYamlValueError,
    YamlSyntaxError,
)

__all__ = [
    "AdoptedOtherwiseError",
    "AliasInYamlError",
    "AlreadyServedError",
    "BadExpressionError",
    "BadViewError",
    "BatchRejectedError",
    "BrokenModelError",
    "CannotTrainError",
    "CheckDidNotRunError",
    "CheckDisagreesError",
    "CheckMisfitError",
    "ColumnMissingError",
    "CorrectionWaitsError",
    "CorruptPartitionError",
    "CustomEstimatorError",
    "DuplicateKeyError",
    "EmptyYamlError",
    "HeldNightError",
    "LabelSheetError",
    "LateWriterError",
    "LedgerConflictError",
    "LedgerEntryError",
    "LedgerUnreadableError",
    "MisfitModelError",
    "MissingColumnsError",
    "NeverServedError",
    "NightNotCompleteError",
    "NightsReversedError",
    "NoChampionError",
    "NoConnectionError",
    "NoModelsError",
    "NoNightError",
    "NoNightYetError",
    "NoVersionError",
    "NoVersionYetError",
    "NotAMeanError",
    "NotANightError",
    "NotATableError",
    "NotAcceptableError",
    "NotDeliveredError",
    "NotFitToServeError",
    "NotHeldError",
    "NotInQuarantineError",
    "NotPassedError",
    "NotPublishedError",
    "NotRowsError",
    "NotUtf8Error",
    "NothingKnownError",
    "NothingServedError",
    "NothingToRollBackToError",
    "PerennialError",
    "Problem",
    "ProfilesDifferError",
    "RefusedArtefactError",
    "RegistryDatabaseError",
    "SeveralDocumentsError",
    "SheetExistsError",
    "SkippedNightError",
    "SourceSilentError",
    "SourceUnreadableError",
    "TabInYamlError",
    "TagInYamlError",
    "TooDeepYamlError",
    "TooLargeYamlError",
    "TooLittleToTrainError",
    "UnknownEntryError",
    "UnknownModelError",
    "UnknownVersionError",
    "UnreadableConnectionError",
    "UnreadableYamlError",
    "UnsafeNameError",
    "UnsavableModelError",
    "WrongYamlValueError",
    "YamlSyntaxError",
]
