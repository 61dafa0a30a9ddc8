"""Write the open answers of the demo study and their coding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from fragments import CRITICAL, LANGUAGES, POSITIVE, SHARES, SURNAMES, TRAPS, Fragments

from cxlab.simulate import HealthCheck, stream

ANSWERING = 0.35
LANGUAGE_SHARE = {"zh": 0.80, "en": 0.15, "mixed": 0.05}
SAID_ALONE = 0.08  # share of short answers
MEN_ONLY, WOMEN_ONLY = ("子宫",), ("怀孕", "妇科检查", "mammogram")
RATED = {"price": "price_fairness"}  # the item behind a topic, where the names differ


def write_comments(study: HealthCheck) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Comments (response_id, wave, language, text) and their coding, in the order of the interviews.

    Topics, languages, traps and critical comments have exact numbers; who writes about what follows the ratings.
    """
    answers = study.answers()
    rng = stream(study.seed, "comments")
    chosen = np.sort(rng.permutation(len(answers))[: round(ANSWERING * len(answers))])
    rows = answers.iloc[chosen].reset_index(drop=True)
    rows["topic"] = _topics(rows, rng)
    coded = rows[["response_id", "topic"]].copy()
    coded["sentiment"] = np.where(coded["topic"].isin(POSITIVE), 1, -1)
    coded["critical"], coded["department"], coded["trap"] = 0, "", ""
    text, language = np.full(len(rows), "", dtype=object), np.full(len(rows), "", dtype=object)
    for k, comment in enumerate(CRITICAL):
        at = _free(rows, text, comment.topic, comment.text, -1, stream(study.seed, f"critical {k}"))
        text[at], language[at] = comment.text, comment.language
        coded.loc[at, ["sentiment", "critical", "department"]] = [-1, 1, comment.department]
    for k, trap in enumerate(TRAPS):
        at = _free(rows, text, trap.topic, trap.text, trap.sentiment, stream(study.seed, f"trap {k}"))
        text[at], language[at] = trap.text, trap.language
        coded.loc[at, ["sentiment", "trap"]] = [trap.sentiment, trap.kind]
    empty = np.flatnonzero(language == "")
    language[empty] = _languages(language, len(rows), rng)
    said: set[str] = set(text) - {""}
    for at in empty:
        text[at] = _compose(str(rows.at[at, "topic"]), language[at], said, rng)
        said.add(text[at])
    comments = rows[["response_id", "wave"]].assign(language=language, text=text)
    return comments, coded


def exact(total: int, shares: dict[str, float]) -> dict[str, int]:
    """Whole numbers with the given sum, by largest remainder."""
    wanted = {k: total * v / sum(shares.values()) for k, v in shares.items()}
    out = {k: int(v) for k, v in wanted.items()}
    for k in sorted(wanted, key=lambda k: out[k] - wanted[k])[: total - sum(out.values())]:
        out[k] += 1
    return out


def _topics(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Give every comment a topic: what was rated badly (or, for the praised topics, well), in exact numbers."""
    counts = exact(len(rows), SHARES)
    score = np.empty((len(rows), len(SHARES)))
    for k, topic in enumerate(SHARES):
        rating = rows[RATED.get(topic, topic)]
        standard = (rating - rating.mean()) / rating.std()
        score[:, k] = np.where(rating.isna(), -50, (1 if topic in POSITIVE else -1) * standard)
    score += rng.gumbel(size=score.shape)
    bonus = np.zeros(len(SHARES))
    for _ in range(500):  # raise or lower each topic until as many prefer it as are wanted
        for k, wanted in enumerate(counts.values()):
            others = np.delete(score + bonus, k, axis=1).max(axis=1)
            gap = np.sort(others - score[:, k])
            bonus[k] = (gap[wanted - 1] + gap[wanted]) / 2
        best = np.argmax(score + bonus, axis=1)
        if np.bincount(best, minlength=len(SHARES)).tolist() == list(counts.values()):
            return np.array(list(SHARES))[best]
    raise SystemExit("comments.py: the topics did not settle at their exact numbers; change the seed.")


def _free(rows: pd.DataFrame, text: np.ndarray, topic: str, said: str, sentiment: int, rng: Any) -> int:
    """A comment of the topic that has no text yet, from somebody whose rating and gender go with it."""
    free = (rows["topic"] == topic).to_numpy() & (text == "")
    for words, code in ((MEN_ONLY, 1), (WOMEN_ONLY, 2)):
        if any(word in said for word in words):
            free &= (rows["gender"] == code).to_numpy()
    rating = rows[RATED.get(topic, topic)].to_numpy()
    chance = np.where(free, sentiment * rating + 4 * rng.gumbel(size=len(rows)), -np.inf)
    return int(np.argmax(chance))


def _languages(taken: np.ndarray, total: int, rng: np.random.Generator) -> np.ndarray:
    """Languages of the remaining comments, so that all together have the exact shares."""
    counts = exact(total, LANGUAGE_SHARE)
    left = np.repeat(list(counts), [counts[k] - int((taken == k).sum()) for k in counts])
    return rng.permutation(left)


def _compose(topic: str, language: str, said: set[str], rng: np.random.Generator) -> str:
    """Put a comment together; another try where the same words have been used."""
    parts = LANGUAGES[language][topic]
    text = ""
    for _ in range(8):
        text = _one(topic, parts, language, rng)
        if text not in said:
            break
    return text


def _pick(options: Any, rng: np.random.Generator) -> Any:
    return options[rng.integers(len(options))]


def _one(topic: str, parts: Fragments, language: str, rng: np.random.Generator) -> str:
    if parts.alone and rng.random() < SAID_ALONE:
        text = _pick(parts.alone, rng)
    else:
        lead, tail = _pick(parts.leads, rng), _pick(parts.tails, rng)
        if language == "en":
            text = f"{lead}{_pick((', ', '. ', ' - ', '; '), rng)}{tail}"
        elif rng.random() < 0.08:  # some put the remark first
            text = f"{tail}，{lead}"
        else:
            text = f"{lead}，{tail}{_pick(('', '', '。', '。', '！') if language == 'zh' else ('', '', '~'), rng)}"
    filled = text.format(
        n=_pick((5, 8, 10, 12, 15, 20) if topic == "parking" else (20, 25, 30, 35, 40, 45, 50, 60, 70), rng),
        d=_pick((8, 9, 10, 12, 14, 15, 18, 20), rng),
        m=_pick((10, 15, 20, 30, 40) if topic == "parking" else (50, 80, 100, 120, 150, 180, 200, 260, 300), rng),
        s=_pick(SURNAMES.get(language, SURNAMES["zh"]), rng),
    )
    if language != "en":
        return str(filled)
    sentences = filled.replace(". ", ".\0").split("\0")
    text = " ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences)
    return text + ("." if rng.random() < 0.5 and not text.endswith(".") else "")
