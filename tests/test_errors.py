import pytest

from cxlab.errors import StudyError, SurveyError, SurveyWarning, nearest, one_of, unknown_names


def test_every_error_and_warning_hangs_under_its_root():
    import inspect

    from cxlab import errors

    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if kind.__module__ == errors.__name__ and issubclass(kind, Exception):
            assert issubclass(kind, SurveyWarning if issubclass(kind, Warning) else SurveyError)


def test_a_study_error_keeps_every_problem():
    error = StudyError(iter(["first", "second"]))
    assert error.problems == ("first", "second")
    assert str(error) == "first\nsecond"


@pytest.mark.parametrize(
    ("name", "allowed", "said"),
    [
        ("Satisfacton", ["satisfaction"], " (did you mean 'satisfaction'?)"),
        ("NPS", ["nps"], " (did you mean 'nps'?)"),
        ("queue", [], ""),
        (11, [1, 12], " (did you mean '1'?)"),
        ("排队等侯", ["排队等候", "排队"], " (did you mean '排队等候'?)"),
        ("abc", ["xyz"], ""),
    ],
)
def test_nearest_name(name, allowed, said):
    assert nearest(name, allowed) == said


def test_unknown_names_counts_and_cuts_a_long_list():
    error = unknown_names("drivers", [f"zz{i}" for i in range(12)], ["queue"], where="the file")
    listed = ", ".join(f"'zz{i}'" for i in range(10))
    assert str(error) == f"drivers names 12 columns that are not in the file: {listed} and 2 more."


def test_one_of_cuts_a_long_list_but_still_finds_the_nearest():
    error = one_of("wave", "2025-13", [f"wave {i}" for i in range(40)] + ["2025-12"])
    listed = ", ".join(f"'wave {i}'" for i in range(30))
    assert str(error) == f"wave is '2025-13'; allowed: {listed}, … (did you mean '2025-12'?)."


def test_generators_are_read_once():
    assert "(did you mean 'queue'?)" in str(unknown_names("drivers", (n for n in ["quue"]), (n for n in ["queue"])))
