"""Models: which kernel explains an outcome."""

from __future__ import annotations

from collections.abc import Sequence

from cxlab.drivers._kernels import KERNELS, Kernel, kernel
from cxlab.drivers._logit import Logit
from cxlab.drivers._ordinal import Ordinal
from cxlab.drivers._outcomes import choose_model
from cxlab.drivers._prepare import Prepared
from cxlab.errors import one_of
from cxlab.words import Note

KERNELS.update({"logit": Logit, "ordinal": Ordinal})


def kernel_of(prepared: Prepared, model: str | None, method: str) -> tuple[Kernel, Sequence[Note]]:
    """The kernel asked for, or the one that suits the outcome, and what is to be said of the choice."""
    if model is not None and model not in KERNELS:
        raise one_of("model", model, KERNELS)
    if prepared.survey is None or prepared.reading is None:
        return kernel(prepared, model or "linear", method), ()
    name, said = choose_model(prepared.survey, prepared.reading, model)
    return kernel(prepared, name, method), said
