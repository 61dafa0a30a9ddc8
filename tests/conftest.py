"""Every test runs on a cache of its own, never on the user's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import chromium, pdftoppm, soffice  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXLAB_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def files() -> Path:
    """Folder of real survey files; PROVENANCE.md there says whose they are."""
    return Path(__file__).parent / "files"
