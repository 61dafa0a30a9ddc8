"""What people call: the whole workbench, or one view of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from cxlab.errors import one_of
from cxlab.study import Study
from cxlab.survey import Survey

# Every tab by its key, in the order in which they stand; a tab lives in the module of its key.
TABS = {
    "drivers": "DriversTab",
    "segments": "SegmentsTab",
    "layers": "LayersTab",
    "loyalty": "LoyaltyTab",
    "what_if": "WhatIfTab",
    "trend": "TrendTab",
}

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxlab.workbench._app import Workbench
    from cxlab.workbench._tab import Tab
    from cxlab.workbench._workspace import Workspace

# Workspaces in use, by the identity of their source: a cell that runs again, or a second view of a study, shares the cube.
_OPEN: WeakValueDictionary[int, Workspace] = WeakValueDictionary()


def explore(study: Study | Survey, *, tabs: Sequence[str] | None = None, lang: str | None = None) -> Workbench:
    """What does this study say, seen live, without code?

    Parameters
    ----------
    study : Study or Survey
        From :func:`cxlab.open_study`; or a survey, of which everything is shown that its roles allow.
    tabs : list of {"drivers", "segments", "layers", "loyalty", "what_if", "trend"}, optional
        Tabs in their order; by default all.
    lang : {"en", "zh"}, optional
        Language to begin with; there is a switch.

    Returns
    -------
    Workbench
        A widget; the last line of a cell shows it. ``.turn_to(key).board.choose(...)`` chooses as a user does, and
        ``.panel.view`` is what is shown.

    Raises
    ------
    SurveyError
        For an unknown tab or language, or anything but a study or survey.

    Notes
    -----
    While something moves, numbers come from a cube of weighted moments per wave × segment, with intervals of a
    delete-a-group jackknife; when the hand rests, the library's own function replaces them, with 1,000 replicates: the call
    that "copy as code" gives. Point estimates of both are the same. Effective bases under 30 are not shown.

    :func:`cxlab.explore_drivers` and :func:`cxlab.what_if_sliders` show one view alone.

    Examples
    --------
    >>> import pandas as pd, numpy as np, cxlab as cx
    >>> rng = np.random.default_rng(0)
    >>> df = pd.DataFrame(rng.integers(0, 11, (300, 2)), columns=["queue", "doctor"])
    >>> df["overall"] = (0.6 * df["queue"] + 0.2 * df["doctor"] + rng.normal(size=300)).round()
    >>> survey = cx.Survey.from_frame(df)
    >>> explore(survey, tabs=["trend"]).panel.view.spec["text"].split(";")[0]
    'The survey has no waves'
    """
    from cxlab.workbench._app import Workbench
    from cxlab.workbench._workspace import Workspace

    tabs = [tabs] if isinstance(tabs, str) else tabs
    for tab in tabs or ():
        if tab not in TABS:
            raise one_of("tabs", tab, TABS)
    chosen = [_tab(key) for key in dict.fromkeys(tabs or TABS)]
    kept = _OPEN.get(id(study))
    workspace = kept if kept is not None and kept.made_of(study) else Workspace(study)
    _OPEN[id(study)] = workspace
    return Workbench(workspace, chosen, lang)


def explore_drivers(survey: Study | Survey, *, lang: str | None = None) -> Workbench:
    """Which drivers matter, as outcome, drivers, segments and waves are changed by hand?

    Parameters
    ----------
    survey : Survey or Study
        With an outcome and drivers among its roles.
    lang : {"en", "zh"}, optional

    Returns
    -------
    Workbench
        See :func:`cxlab.explore`; the Drivers tab alone.

    Raises
    ------
    SurveyError
        For anything but a survey or study.

    Examples
    --------
    >>> import pandas as pd, cxlab as cx
    >>> bare = explore_drivers(cx.Survey.from_frame(pd.DataFrame({"q": [1, 2, 3] * 20})))
    >>> bare.panel.view.spec["kind"]
    'message'
    """
    return explore(survey, tabs=["drivers"], lang=lang)


def what_if_sliders(survey: Study | Survey, *, lang: str | None = None) -> Workbench:
    """What would satisfaction, NPS and renewals be expected to be if ratings rose, slider by slider?

    Parameters
    ----------
    survey : Survey or Study
        With an outcome and drivers among its roles; renewals need ``renewal:`` in study.yml.
    lang : {"en", "zh"}, optional

    Returns
    -------
    Workbench
        See :func:`cxlab.explore`; the What-if tab alone. Figures are those of :func:`cxlab.what_if`.

    Raises
    ------
    SurveyError
        For anything but a survey or study.

    Examples
    --------
    >>> import pandas as pd, cxlab as cx
    >>> bare = what_if_sliders(cx.Survey.from_frame(pd.DataFrame({"q": [1, 2, 3] * 20})))
    >>> bare.panel.view.spec["kind"]
    'message'
    """
    return explore(survey, tabs=["what_if"], lang=lang)


def _tab(key: str) -> type[Tab]:
    """The class of a tab; its module is imported only where it is shown."""
    tab: type[Tab] = getattr(import_module(f"cxlab.workbench._{key}"), TABS[key])
    return tab
