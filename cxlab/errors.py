"""The errors and warnings of cxlab, and how they are worded.

A message names the argument, the fault with a count, and the remedy with the nearest
name. Errors are raised at the public boundary; judgements about data (a small base,
collinear drivers) are warnings, and stand in the result's notes as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class SurveyError(ValueError):
    """Root of everything that cxlab raises on purpose."""


class StudyError(SurveyError):
    """A study.yml that cannot be used; ``problems`` lists every fault found.

    Parameters
    ----------
    problems : sequence of str
        One finished message per fault: file, line, key, what was got, what is allowed.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DataCheckError(SurveyError):
    """Data that contradict what the study declares of them (weights, ids, waves)."""


class ReportError(SurveyError):
    """A report that could not be made; the previous one is untouched."""


class SurveyWarning(UserWarning):
    """Root of the judgements that cxlab passes on data."""


class DataWarning(SurveyWarning):
    """Something in the file is unusual, and was handled in the way the message says."""


class SmallBaseWarning(SurveyWarning):
    """An effective base under 30 (suppressed) or under 75 (low)."""


class CollinearityWarning(SurveyWarning):
    """Drivers that carry nearly the same information."""


class SignFlipWarning(SurveyWarning):
    """A driver whose sign in the full model contradicts its marginal correlation."""


class AdmissibilityWarning(SurveyWarning):
    """An estimate that its model excludes, such as a loading above 1: its paths are not to be reported."""


class SamplingWarning(SurveyWarning):
    """A sample stands for a computation that would take too long; the message says how far it may be off."""


class SlowWarning(SurveyWarning):
    """A computation that takes minutes; the message says how many, and what is quicker."""


def nearest(name: object, allowed: Iterable[object]) -> str:
    """Return ``" (did you mean 'nps'?)"`` for the closest allowed name, or ``""``.

    Examples
    --------
    >>> nearest("nsp", ["nps", "csat"])
    " (did you mean 'nps'?)"
    >>> nearest("xyz", ["nps", "csat"])
    ''
    """
    choices = {str(a).casefold(): str(a) for a in allowed}
    match = get_close_matches(str(name).casefold(), list(choices), n=1, cutoff=0.6)
    return f" (did you mean {choices[match[0]]!r}?)" if match else ""


def unknown_names(
    argument: str, names: Iterable[object], allowed: Iterable[object], where: str = "the survey"
) -> SurveyError:
    """Word the error for names that ``where`` does not have.

    Examples
    --------
    >>> print(unknown_names("drivers", ["nsp"], ["nps"]))
    drivers names 1 column that is not in the survey: 'nsp' (did you mean 'nps'?).
    """
    names, allowed = list(names), list(allowed)
    shown = ", ".join(f"{str(n)!r}{nearest(n, allowed)}" for n in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    what = "column that is" if len(names) == 1 else "columns that are"
    return SurveyError(f"{argument} names {len(names)} {what} not in {where}: {shown}{more}.")


def one_of(argument: str, got: object, allowed: Iterable[object]) -> SurveyError:
    """Word the error for a value outside a closed list.

    Examples
    --------
    >>> print(one_of("method", "shaply", ["shapley", "johnson"]))
    method is 'shaply'; allowed: 'shapley', 'johnson' (did you mean 'shapley'?).
    """
    allowed = list(allowed)
    listed = ", ".join(repr(a) for a in allowed[:30]) + (", …" if len(allowed) > 30 else "")
    return SurveyError(f"{argument} is {got!r}; allowed: {listed}{nearest(got, allowed)}.")
