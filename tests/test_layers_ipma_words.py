"""Maps of importance: what is said without intervals, where no effect is shown, and titles that say the finding."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.survey import Survey

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SignFlipWarning")
mpl.use("Agg")
MODEL = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B"


def survey(of_a: float, of_b: float, base: int = 600, seed: int = 4) -> Survey:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, base))
    c = of_a * a + of_b * b + 0.8 * rng.normal(size=base)
    scores = np.column_stack([a, a, b, b, c, c]) + 0.5 * rng.normal(size=(base, 6))
    frame = pd.DataFrame(scores, columns=["a1", "a2", "b1", "b2", "c1", "c2"])
    return Survey.from_frame(frame.assign(card=1.0 + np.arange(base) % 3))


def model(*effects: float, replicates: int = 200, **options: float) -> cx.PathModelResult:
    return cx.path_model(survey(*effects, **options), MODEL, replicates=replicates)


def test_segments_without_intervals_say_so():
    found = model(0.6, 0.2, replicates=0)
    for said in (found.ipma(by="card").sentences("en"), found.what_if({"A": 10}, by="card").sentences("en")[1:]):
        assert len(said) == 3
        for sentence in said:
            assert sentence.text.endswith("No intervals were asked for.")
            assert "–" not in sentence.text
    assert "本次未计算区间" in found.ipma(by="card").sentences("zh")[0].text


def test_segments_without_an_effect_have_no_room_that_matters():
    found = model(0.0, 0.0)
    assert (found.ipma(by="card").table["importance_low"] <= 0).all()
    assert [s.text for s in found.ipma(by="card").sentences("en")] == [
        f"{k}: nothing can be told apart from zero in its effect on C." for k in (1, 2, 3)
    ]
    assert "均无法与零区分" in found.ipma(by="card").sentences("zh")[0].text
    assert found.ipma().headline("en").text.endswith(", whose effect cannot be told apart from zero")


def test_nothing_is_next_to_what_was_not_said():
    """The largest estimated gain has no effect that is shown, another has."""
    found = model(0.6, 0.2).ipma()
    table = found.table.copy()
    table.loc[0, "importance_low"] = -0.1
    said = [s.text for s in type(found)(**{**vars(found), "table": table}).sentences("en")]
    assert said[0].startswith("A has the largest estimated gain (")
    assert said[0].endswith("but its effect cannot be told apart from zero.")
    assert said[1].startswith("Next is B")


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "A has the most room that matters for C: "), ("zh", "对“C”最值得提升的是“A”：")]
)
def test_titles_say_the_finding(lang: str, said: str):
    found = model(0.7, 0.1)
    for by in (None, "card"):
        result = found.ipma(by=by)
        title = result.plot(lang=lang).get_title(loc="left")
        assert title.replace("\n", " " if lang == "en" else "") == result.headline(lang).text
        assert title.count("\n") < 2
    assert found.ipma().headline(lang).text.startswith(said)
    same = "Largest potential gain for C in all 3 groups: A (told apart from the rest in 3)"
    assert found.ipma(by="card").headline("en").text == same
    mpl.pyplot.close("all")


def test_what_if_titles_say_what_is_expected():
    found = model(0.6, 0.2)
    one, by = found.what_if({"A": 10}), found.what_if({"A": 10}, by="card")
    row = one.table.set_index("construct").loc["C"]
    ends = f"{row['low']:+.1f} to {row['high']:+.1f}"
    assert one.headline("en").text == f"C: {row['estimate']:+.1f} points of 0–100 expected ({ends})"
    rows = by.table[by.table["construct"] == "C"]["estimate"]
    assert by.headline("zh").text == f"“C”在 3 个群体中预期变化 {rows.min():+.1f} 至 {rows.max():+.1f} 分（0–100 分）"
    for result in (one, by):
        assert result.plot(lang="en").get_title(loc="left") == result.headline("en").text
    mpl.pyplot.close("all")


def test_gains_average_to_the_total_only_with_complete_rows():
    data = survey(0.6, 0.2).data
    holes = data.mask(np.random.default_rng(1).random(data.shape) < 0.1)
    some = Survey.from_frame(holes.assign(card=data["card"]))
    whole = "average to the total's"
    for missing, said in (("listwise", True), ("em", False)):
        notes = " ".join(
            n["en"] for n in cx.path_model(some, MODEL, missing=missing, replicates=0).ipma(by="card").notes
        )
        assert (whole in notes) is said
        assert ("average only nearly" in notes) is not said
