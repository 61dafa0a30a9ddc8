"""Fixtures that hand out programs which pip cannot install, or skip with the remedy."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {
    "chromium": "chromium",
    "soffice": "libreoffice-calc libreoffice-impress libreoffice-writer",
    "pdftoppm": "poppler-utils",
}


def program(name: str) -> str:
    """Path of a program; without it the test skips, or fails where CXLAB_REQUIRE_TOOLS is set (in CI)."""
    if path := shutil.which(name):
        return path
    remedy = f"{name} is not installed; as root: apt-get install {PACKAGES[name]}"
    if os.environ.get("CXLAB_REQUIRE_TOOLS") or os.environ.get("CI"):
        pytest.fail(remedy)
    pytest.skip(remedy)


@pytest.fixture(scope="session")
def chromium() -> str:
    return program("chromium")


@pytest.fixture(scope="session")
def soffice() -> str:
    return program("soffice")


@pytest.fixture(scope="session")
def pdftoppm() -> str:
    return program("pdftoppm")
