"""The Survey: respondents, codebook, roles and sample design that travel together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab import expressions
from cxlab.errors import DataCheckError, SurveyError, nearest, one_of, unknown_names
from cxlab.items import FILE, Code, Codebook, Item, pick
from cxlab.words import language

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Raked:
    """How a weight was raked; the variances and the raking report read it.

    Attributes
    ----------
    margins : tuple of str
        Columns whose distribution was fitted.
    targets : tuple of tuples (code, total)
        Target totals per margin.
    start : str or None
        Weight that the raking started from.
    within : str or None
        Column with the group in which a respondent was raked, missing for those left as they were.
    by : str or None
        Column whose groups were raked apart.
    residuals : {"weighted", "start", "equal"}
    trim : (low, high) or None
        Bounds in multiples of the mean weight.
    passes : int
        Passes over the margins until the weights stood still.
    gap : float
        Largest remaining deviation from a target, as a share of the total.
    """

    margins: tuple[str, ...]
    targets: tuple[tuple[tuple[Code, float], ...], ...]
    start: str | None = None
    within: str | None = None
    by: str | None = None
    residuals: str = "weighted"
    trim: tuple[float, float] | None = None
    passes: int = 0
    gap: float = 0.0


@dataclass(frozen=True)
class SampleDesign:
    """How the respondents were drawn; names of columns, None where not declared.

    Attributes
    ----------
    weight : str or None
        Sampling or final weight, ≥ 0, any scale. None: every respondent counts once.
    stratum, psu : str or None
        Stratum and primary sampling unit (cluster, or respondent id in a panel).
    fpc : str or None
        Population number of PSUs in the respondent's stratum, or the sampled share (≤ 1).
    lonely : {"fail", "adjust", "remove"}
        What becomes of a stratum with a single PSU, whose variance cannot be computed: an error; a
        deviation from the mean over all PSUs (cautious); no contribution. The bootstrap knows
        only "remove". R: ``options(survey.lonely.psu=)``, which for totals leaves that deviation uncentred.
    raked : Raked or None
        How the weight was raked, set by :func:`cxlab.rake`.
    stacked : str or None
        Column that tells the rows of a respondent apart, set by :func:`cxlab.stack`; None: one row each.
    """

    weight: str | None = None
    stratum: str | None = None
    psu: str | None = None
    fpc: str | None = None
    lonely: str = "fail"
    raked: Raked | None = None
    stacked: str | None = None

    def __post_init__(self) -> None:
        for part in _PARTS:
            value = getattr(self, part)
            if value is not None and not isinstance(value, str):
                stages = [str(v) for v in value] if isinstance(value, (list, tuple)) else [repr(value)]
                if part in ("psu", "stratum", "fpc") and len(stages) > 1:
                    raise SurveyError(
                        f"{part} names {len(stages)} stages ({', '.join(stages)}); variances are computed from the first "
                        f"stage: pass {part}={stages[0]!r}."
                    )
                raise SurveyError(f"{part} is {value!r}; name one column.")
        if self.lonely not in LONELY:
            raise one_of("lonely", self.lonely, LONELY)

    def columns(self) -> dict[str, str]:
        """Declared columns by their part in the design."""
        return {k: v for k in _PARTS if (v := getattr(self, k)) is not None}


_PARTS = ("weight", "stratum", "psu", "fpc")
LONELY = ("fail", "adjust", "remove")


@dataclass(frozen=True)
class Touchpoint:
    """A place where customer and company meet, and the items that ask about it."""

    name: str
    stage: str
    owner: str
    item: str
    expectation: str | None = None
    emotion: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, lang: str | None = None) -> str:
        """Name of the touchpoint in a language."""
        return pick(self.labels, lang, self.name)


@dataclass(frozen=True)
class Roles:
    """What part each item plays; every name of a role can be used like a column name.

    Attributes
    ----------
    respondent, wave : str or None
        Column of the respondent id; column of the wave.
    outcomes : mapping of role to items
        ``satisfaction``, ``recommend``, ``effort``, ``repurchase`` …; several items are one role.
    drivers : mapping of block to items
        ``value``, ``price``, ``sensory`` or any; block ``""`` holds drivers without a block.
    layers : mapping of layer to items
        ``experience``, ``emotion``, ``behaviour``.
    touchpoints : tuple of Touchpoint
        In journey order.
    segments, comments : tuple of str
        Columns to compare groups by; columns of open answers.
    targets : mapping of metric to float
        Values the management has set, on the scale of the metric.
    labels : mapping of role, stage or owner to mapping of language to str
    battery : tuple of str
        Rating items whose answers are looked at for straight-lining.
    marker : str or None
        Item that should relate to nothing; what it correlates with ratings measures a shared way of answering.
    model : str, mapping or None
        Path model of the study, in the notation of :func:`cxlab.path_model`.
    renewal : str or None
        Column of two values: whether the customer renewed, came again or bought; missing where it is not known yet.
    """

    respondent: str | None = None
    wave: str | None = None
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touchpoints: tuple[Touchpoint, ...] = ()
    segments: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    battery: tuple[str, ...] = ()
    marker: str | None = None
    model: str | Mapping[str, Any] | None = None
    renewal: str | None = None

    def items_of(self, name: str) -> tuple[str, ...] | None:
        """Items behind a role (an outcome, a layer, a driver block); None if it is no role."""
        for group in (self.outcomes, self.layers, self.drivers):
            if name and name in group:
                return tuple(group[name])
        return None

    def names(self) -> list[str]:
        """Every role that stands for items."""
        return [n for g in (self.outcomes, self.layers, self.drivers) for n in g if n]


@dataclass(frozen=True)
class Level:
    """One group of a segment or wave: its code and its label."""

    code: Code
    label: str


@dataclass(frozen=True, eq=False)
class Survey:
    """A survey: one row per respondent and all that is known of its columns.

    Make one with :func:`cxlab.read_survey`, ``study.survey()`` or :meth:`from_frame`.

    Attributes
    ----------
    data : DataFrame
        One row per respondent, index 0 … rows−1. Coded items are float64 codes, user-missing already
        NaN; text stays text, dates are datetime64.
    codebook : Codebook
        One Item per column.
    roles : Roles
    design : SampleDesign
    missing_reasons : DataFrame
        Same index, one column per item that has user-missing answers: the code where an answer is
        missing for a known reason, NaN elsewhere. ``codebook[item].missing`` says what codes mean.
    domain : bool array, shape (rows,)
        Respondents that are analysed. The others stay for the variances.
    name, source : str
        Name of the study; file(s) it was read from.
    notes : tuple of str
        What happened on the way in (dropped columns, undeclared codes, repaired dates).
    filter : str
        The ``where`` calls made so far, as code.
    joins : tuple of Result
        One :class:`cxlab.JoinResult` per linked table that ``study.join`` added.
    """

    data: pd.DataFrame
    codebook: Codebook = field(default_factory=Codebook)
    roles: Roles = field(default_factory=Roles)
    design: SampleDesign = field(default_factory=SampleDesign)
    missing_reasons: pd.DataFrame = field(default_factory=pd.DataFrame)
    domain: Any = None
    name: str = "survey"
    source: str = ""
    notes: tuple[str, ...] = ()
    filter: str = ""
    joins: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.domain is None:
            object.__setattr__(self, "domain", np.ones(len(self.data), dtype=bool))
        raked = self.design.raked
        named = [*self.design.columns().values(), *(raked.margins if raked else ())]
        missing = [c for c in named if c not in self.data.columns]
        if missing:
            raise unknown_names("design", missing, self.data.columns)

    # ------------------------------------------------------------------ making one
    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame,
        *,
        weight: str | None = None,
        stratum: str | None = None,
        psu: str | None = None,
        fpc: str | None = None,
        lonely: str = "fail",
        labels: Mapping[str, str] | None = None,
    ) -> Survey:
        """Make a survey of any DataFrame; no study file needed.

        Parameters
        ----------
        df : DataFrame
            One row per respondent. Numbers are taken as codes, booleans as 0/1, Categoricals
            become codes 1, 2, … in their order with the categories as value labels.
        weight, stratum, psu, fpc : str, optional
            Columns of the sample design, see :class:`SampleDesign`.
        lonely : {"fail", "adjust", "remove"}
            What becomes of a stratum with a single PSU, see :class:`SampleDesign`.
        labels : mapping of column to str, optional
            Question wordings.

        Returns
        -------
        Survey
            Without roles: analyses that need one (drivers, outcomes) take column names instead.

        Raises
        ------
        SurveyError
            If a design column is not in ``df``, weights are negative or missing, or two columns
            share a name.

        Examples
        --------
        >>> import pandas as pd
        >>> survey = Survey.from_frame(pd.DataFrame({"q1": [7, 9], "w": [1.0, 2.0]}), weight="w")
        >>> survey.weights
        array([1., 2.])
        """
        texts = pd.Index([str(c) for c in df.columns])
        twice = texts[texts.duplicated()].unique()
        if len(twice):
            raise SurveyError(
                f"df has {len(twice)} column name(s) more than once: {', '.join(map(repr, twice))}; rename them."
            )
        columns, items = {}, {}
        for place, name in enumerate(texts):
            column, values = _as_codes(df.iloc[:, place])
            columns[name] = column
            text = (labels or {}).get(name)
            items[name] = Item(
                name,
                {FILE: text} if text else {},
                {k: {FILE: v} for k, v in values.items()},
                kind=_kind(column),
            )
        unknown = [n for n in labels or {} if n not in columns]
        if unknown:
            raise unknown_names("labels", unknown, columns, "df")
        survey = cls(
            pd.DataFrame(columns).reset_index(drop=True),
            Codebook(items),
            design=SampleDesign(weight, stratum, psu, fpc, lonely),
        )
        survey.weights  # noqa: B018 – a bad weight is reported where it is declared
        return survey

    # ------------------------------------------------------------------ looking at it
    def __len__(self) -> int:
        return int(np.sum(self.domain))

    def __repr__(self) -> str:
        kept = f"{len(self):,} of {len(self.data):,}" if len(self) < len(self.data) else f"{len(self):,}"
        parts = ", ".join(f"{k} {v}" for k, v in self.design.columns().items()) or "no design declared"
        return f"<Survey {self.name}: {kept} respondents × {self.data.shape[1]} columns; {parts}>"

    @cached_property
    def weights(self) -> FloatArray:
        """Weight of every row, float64 of shape (rows,); ones where none is declared.

        Raises
        ------
        DataCheckError
            If a weight is missing, infinite or negative, or all are zero.
        """
        name = self.design.weight
        if name is None:
            return np.ones(len(self.data))
        if not pd.api.types.is_numeric_dtype(self.data[name]):
            raise DataCheckError(f"weight {name!r} holds text; a weight is a number ≥ 0.")
        weights = self.data[name].to_numpy(dtype=float, na_value=np.nan)
        absent, negative = int(np.sum(~np.isfinite(weights))), int(np.sum(weights < 0))
        if absent or negative:
            raise DataCheckError(
                f"weight {name!r} has {absent} missing and {negative} negative values in {len(weights):,} rows; "
                "correct them, or leave these respondents out of the file (weight 0 keeps a row but does not count it)."
            )
        if len(weights) and not weights.any():
            raise DataCheckError(f"weight {name!r} is zero in all {len(weights):,} rows.")
        return weights

    @cached_property
    def data_hash(self) -> str:
        """Hash of the data's contents, 16 hexadecimal digits."""
        rows = pd.util.hash_pandas_object(self.data, index=False).to_numpy()
        names = "\x1f".join(map(str, self.data.columns)).encode()
        return hashlib.sha256(names + rows.tobytes()).hexdigest()[:16]

    def has(self, name: str) -> bool:
        """Tell whether a name is a column or a role."""
        return name in self.data.columns or self.roles.items_of(name) is not None

    def require(self, argument: str, names: Iterable[str]) -> None:
        """Raise one SurveyError that lists every name that is neither column nor role."""
        unknown = [n for n in names if not self.has(n)]
        if unknown:
            raise unknown_names(argument, unknown, [*self.data.columns, *self.roles.names()])

    def items_of(self, name: str) -> tuple[str, ...]:
        """Columns behind a name: a column is itself, a role its items."""
        self.require("name", [name])
        return (name,) if name in self.data.columns else self.roles.items_of(name) or ()

    def label(self, name: str, lang: str | None = None) -> str:
        """Wording of a column or role."""
        lang = language(lang)
        if name in self.data.columns:
            item = self.codebook.items.get(name)
            return item.label(lang) if item else name
        items = self.roles.items_of(name) or ()
        own = pick(self.roles.labels.get(name, {}), lang)
        return own or (self.label(items[0], lang) if len(items) == 1 else name)

    def higher_is_better(self, name: str) -> bool:
        """Direction of a column or of a role's first item."""
        item = self.codebook.items.get(self.items_of(name)[0])
        return item.higher_is_better if item else True

    def scale(self, name: str) -> tuple[float, float] | None:
        """Ends of the response scale; (0, 100) for a role of several items; None if unknown."""
        items = self.items_of(name)
        if len(items) > 1:
            return (0.0, 100.0)
        item = self.codebook.items.get(items[0])
        return item.scale if item else None

    def values(self, name: str) -> FloatArray:
        """Numbers of a column or role, float64 of shape (rows,), NaN where missing.

        A role of one item is that item. A role of several is their mean on 0–100 (each item put on
        0–100 by its scale ends and turned so that more is better), for respondents who
        answered at least half of them.

        Raises
        ------
        SurveyError
            If the name is unknown, the column holds text, or an item of a role has no scale.
        """
        items = self.items_of(name)
        if len(items) == 1:
            return self._numbers(items[0])
        scores = np.column_stack([self._index_score(i, name) for i in items])
        answered = np.isfinite(scores).sum(axis=1)
        total = np.nansum(scores, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(2 * answered >= len(items), total / answered, np.nan)

    def _numbers(self, column: str) -> FloatArray:
        series = self.data[column]
        if not (pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series)):
            kind = "dates" if pd.api.types.is_datetime64_any_dtype(series) else "text"
            item = self.codebook.items.get(column)
            hint = (
                f"; its codebook has the numeric codes {_shown_codes(item)}: map the texts to them with survey.with_columns"
                if item is not None and item.values and all(isinstance(c, float) for c in item.values)
                else ""
            )
            raise SurveyError(f"{column!r} holds {kind}, numbers are needed{hint}.")
        return series.to_numpy(dtype=float, na_value=np.nan)

    def _index_score(self, column: str, role: str) -> FloatArray:
        item = self.codebook.items.get(column)
        if item is None or item.scale is None:
            raise SurveyError(
                f"role {role!r} has several items, and the scale of {column!r} is not declared: "
                "its mean on 0–100 is undefined; give the item a scale, or name one column."
            )
        low, high = item.scale
        score = 100 * (self._numbers(column) - low) / (high - low)
        return score if item.higher_is_better else 100 - score

    def levels(self, name: str, lang: str | None = None) -> list[Level]:
        """Groups of a column in code order: labelled codes first asked, then what occurs.

        Only groups that occur among respondents of the whole file are listed.
        """
        self.require("by", [name])
        lang = language(lang)
        column = self.data[self.items_of(name)[0]]
        item = self.codebook.items.get(str(column.name), Item(str(column.name)))
        codes = sorted(column.dropna().unique().tolist())
        return [Level(c, item.value_label(c, lang)) for c in codes]

    def labelled(self, columns: Sequence[str], lang: str | None = None) -> pd.DataFrame:
        """Ordered Categoricals with value labels, categories in code order.

        Codes that share a label keep apart: the code is appended to the text.

        Examples
        --------
        >>> import pandas as pd
        >>> s = Survey.from_frame(pd.DataFrame({"card": pd.Categorical(["gold", "plain"], ["plain", "gold"])}))
        >>> s.labelled(["card"])["card"].tolist()
        ['gold', 'plain']
        """
        self.require("columns", columns)
        lang = language(lang)
        out = {}
        for name in columns:
            column = self.data[name]
            item = self.codebook[name]
            codes = sorted(
                {*column.dropna().unique().tolist(), *[c for c in item.values if c not in item.missing]},
                key=lambda c: (isinstance(c, str), c),
            )
            texts = [item.value_label(c, lang) for c in codes]
            texts = [
                t if texts.count(t) == 1 else f"{t} ({c:g})" if isinstance(c, float) else f"{t} ({c})"
                for t, c in zip(texts, codes, strict=True)
            ]
            names = dict(zip(codes, texts, strict=True))
            out[name] = pd.Categorical(column.map(names), categories=texts, ordered=True)
        return pd.DataFrame(out, index=self.data.index)[self.domain]

    def join_notes(self, *names: str) -> tuple[Mapping[str, str], ...]:
        """What the joins that made these columns or roles left out or could not know, for the notes of an analysis."""
        used = {item for name in names for item in self.items_of(name)}
        return tuple(note for join in self.joins if used & set(join.items) for note in join.notes)

    # ------------------------------------------------------------------ choosing respondents
    def where(self, *expressions_: str, **groups: Any) -> Survey:
        """Choose a domain: some respondents, while the design keeps all.

        Parameters
        ----------
        *expressions_ : str
            Conditions such as ``"satisfaction >= 9 and card != 'gold'"``: column or role names,
            numbers, quoted labels, comparisons, ``in [...]``, ``and``, ``or``, ``not``. Parsed, never
            evaluated as Python.
        **groups : code, label, or list of them
            ``card="gold"``, ``wave=["2025-11", "2025-12"]``; labels of any language.

        Returns
        -------
        Survey
            The same rows with a narrower ``domain``, so that variances stay those of the design.

        Raises
        ------
        SurveyError
            If a name, a code or a label does not exist, or nobody is left.

        Examples
        --------
        >>> import pandas as pd
        >>> s = Survey.from_frame(pd.DataFrame({"card": ["gold", "plain", "gold"], "q1": [1, 5, 9]}))
        >>> len(s.where(card="gold")), len(s.where("q1 >= 5")), len(s.where("card == 'gold' and q1 > 1"))
        (2, 2, 1)
        """
        domain = self.domain.copy()
        for name, wanted in groups.items():
            domain &= self._in_group(name, wanted)
        for text in expressions_:
            domain &= expressions.evaluate(text, self)
        said = ", ".join([*map(repr, expressions_), *(f"{k}={v!r}" for k, v in groups.items())])
        if not domain.any():
            raise SurveyError(f"where({said}) leaves nobody of {len(self):,} respondents.")
        return replace(self, domain=domain, filter=f"{self.filter}.where({said})")

    def column_of(self, name: str) -> str:
        """Column behind a name that must be a single column (a segment, a wave)."""
        if name == "wave" and "wave" not in self.data.columns and self.roles.wave:
            return self.roles.wave
        self.require("name", [name])
        items = self.items_of(name)
        if len(items) != 1:
            raise SurveyError(f"{name!r} is a role of {len(items)} items; name one column.")
        return items[0]

    def codes_of(self, name: str, wanted: Any) -> list[Code]:
        """Codes behind codes or labels (any language) of one column."""
        name = self.column_of(name)
        item, present = self.codebook.items.get(name, Item(name)), self.data[name].dropna().unique()
        known = {*present.tolist(), *item.values}
        wanted = wanted if isinstance(wanted, (list, tuple, set, np.ndarray, pd.Index)) else [wanted]
        codes = []
        for value in wanted:
            code = value if value in known else item.code_of(value)
            on_scale = item.scale and isinstance(code, (int, float)) and item.scale[0] <= code <= item.scale[1]
            if code is None or not (code in known or on_scale):
                texts = [t for labels in item.values.values() for t in labels.values()]
                options = [*texts, *(f"{c:g}" if isinstance(c, float) else str(c) for c in sorted(known, key=str))]
                shown = ", ".join(options[:12]) + (", …" if len(options) > 12 else "")
                raise SurveyError(f"{name} has no value {value!r}{nearest(value, options)}; it has: {shown}.")
            codes.append(code)
        return codes

    def _in_group(self, name: str, wanted: Any) -> np.ndarray:
        codes = self.codes_of(name, wanted)
        return self.data[self.column_of(name)].isin(codes).to_numpy()

    # ------------------------------------------------------------------ writing back
    def with_columns(self, **columns: Any) -> Survey:
        """Copy with added or replaced columns (arrays of length rows), e.g. scores."""
        added = {k: _as_codes(pd.Series(v, index=self.data.index))[0] for k, v in columns.items()}
        items = [replace(self.codebook.items.get(k, Item(k)), kind=_kind(v)) for k, v in added.items()]
        return replace(self, data=self.data.assign(**added), codebook=self.codebook.with_items(*items))

    def to_sav(self, path: str | Path, *, lang: str | None = None) -> Path:
        """Write data, labels and missing codes to an SPSS file, atomically.

        User-missing answers get their code back, so that nothing read from a file is lost.

        Parameters
        ----------
        path : path
            Ends in ``.sav`` or ``.zsav``.
        lang : str, optional
            Language of the labels; English if None. Where an item lacks it, the file's own.

        Returns
        -------
        Path
        """
        from cxlab.spss import write_sav

        return write_sav(Path(path), self.data, self.codebook, self.missing_reasons, lang=lang)


def _as_codes(column: pd.Series) -> tuple[pd.Series, dict[float, str]]:
    """Column as float64 codes where it is coded, with the labels that a Categorical carried."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = {float(k + 1): str(c) for k, c in enumerate(column.cat.categories)}
        codes = column.cat.codes.to_numpy().astype(float) + 1
        codes[codes == 0] = np.nan
        return pd.Series(codes, index=column.index, name=column.name), names
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
        return pd.Series(numbers, index=column.index, name=column.name), {}
    return column, {}


def _shown_codes(item: Item, most: int = 5) -> str:
    """Codes with their labels, as an error offers them: ``1 (bad), 2 (good), …``."""
    shown = []
    for code in list(item.values)[:most]:
        plain = f"{code:g}" if isinstance(code, float) else str(code)
        label = item.value_label(code)
        shown.append(plain if label == plain else f"{plain} ({label})")
    return ", ".join(shown) + (", …" if len(item.values) > most else "")


def _kind(column: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    return "datetime" if pd.api.types.is_datetime64_any_dtype(column) else "text"
