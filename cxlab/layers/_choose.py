"""Choose: the model that is asked for, the study's own, or its layers; and the words of its constructs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from cxlab.covariances import structurally_missing
from cxlab.errors import SurveyError, one_of
from cxlab.items import pick
from cxlab.layers._model import LAYERS, PathModel, layer_model, read_model
from cxlab.metrics import names as wordings
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

Model = str | Path | Mapping[str, object] | PathModel | None
Layers = Mapping[str, Sequence[str]] | None
SET_ASIDE = 0.20  # share of "not experienced" from which an item of the study's layers is set aside under listwise


def chosen_model(
    survey: Survey,
    model: Model,
    missing: str,
    changed: Layers = None,
    absent: Callable[[Survey, str], float] = structurally_missing,
) -> tuple[PathModel, tuple[Note, ...]]:
    """The model that is asked for; by default the study's own, else its layers, some of them changed.

    ``absent`` gives the share of respondents who had nothing to answer, where it is known already.
    """
    if changed is not None:
        _check_layers(model, changed)
    if isinstance(model, PathModel):
        return model, ()
    given = survey.roles.model if model is None and changed is None else model
    if given:
        return read_model(opened(given)), ()
    layers = {**survey.roles.layers, **{name: tuple(items) for name, items in (changed or {}).items()}}
    if missing != "listwise":
        return layer_model(layers), ()
    aside = {i for items in layers.values() for i in items if absent(survey, i) > SET_ASIDE}
    left = {name: tuple(i for i in items if i not in aside) for name, items in layers.items()}
    empty = [name for name, items in left.items() if not items and layers[name]]
    if empty:
        raise SurveyError(
            f"model: more than {SET_ASIDE:.0%} of the respondents did not meet, or were not asked about, every indicator of "
            f"{', '.join(map(repr, empty))}; pass model= to use some of them all the same, or missing='pairwise'."
        )
    if not aside:
        return layer_model(left), ()
    listed = {lang: sep.join(survey.label(i, lang) for items in layers.values() for i in items if i in aside)
              for lang, sep in (("en", ", "), ("zh", "、"))}  # fmt: skip
    return layer_model(left), (Note(_ASIDE, limit=SET_ASIDE, items=listed),)


def _check_layers(model: Model, layers: Mapping[str, Sequence[str]]) -> None:
    if model is not None:
        raise SurveyError(
            "model and layers are both given; layers changes the study's layers, model replaces them: pass one."
        )
    for name, items in layers.items():
        if name not in LAYERS:
            raise one_of("layers", name, LAYERS)
        if isinstance(items, str):
            raise SurveyError(f"layers[{name!r}] is the text {items!r}; give a list of items: [{items!r}].")


def opened(given: str | Path | Mapping[str, object]) -> str | Mapping[str, object]:
    """The text or mapping of a model; a YAML file is read."""
    is_file = isinstance(given, Path) or (isinstance(given, str) and given.strip().endswith((".yml", ".yaml")))
    if not is_file:
        return given  # type: ignore[return-value]
    path = Path(str(given).strip())
    if not path.is_file():
        raise SurveyError(f"model: the file {str(given)!r} does not exist.")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SurveyError(f"model: {path.name} is not UTF-8 (byte {error.start + 1:,}); save it as UTF-8.") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise SurveyError(
            f"model: {path.name} is no YAML{f' (line {where.line + 1})' if where else ''}: {getattr(error, 'problem', error)}."
        ) from None
    if not isinstance(found, (str, Mapping)):
        raise SurveyError(f"model: {path.name} holds neither the text of a model nor constructs and paths.")
    return found


def construct_labels(survey: Survey, model: PathModel) -> dict[str, dict[str, str]]:
    """Wordings of constructs: a role's own, an item's where the construct is that item, else the name."""
    out = {}
    for c in model.constructs:
        single = wordings(survey, c.name) if c.name in c.indicators else {}
        said = c.labels or survey.roles.labels.get(c.name) or single
        out[c.name] = {lang: pick(said, lang, c.name) for lang in LANGUAGES}
    for product in model.products:
        out[product] = {lang: " × ".join(out[p][lang] for p in product.split(":")) for lang in LANGUAGES}
    return out


_ASIDE = {
    "en": "Set aside because more than {limit:.0%} of respondents have not experienced them or were not asked: {items}.",
    "zh": "超过 {limit:.0%} 的受访者未体验或未被问及，因此未纳入模型：{items}。",
}
