"""What was read from a large file, kept as Parquet, so that opening it again is cheap."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.items import Codebook, Item, MultipleResponse
from cxlab.spss import TEXT, Contents, Note

READER_VERSION = 1  # raise it whenever a reader gives something else for the same file
SMALLEST = 1_000_000  # bytes; smaller files are read again
LIMIT = 2_000_000_000  # bytes that the cache may take; the entries unused for longest go first
_DATA, _REASONS = "d:", "r:"


def switched_on(wanted: bool) -> bool:
    """Whether the cache may be used: the argument, and the environment (``CXLAB_CACHE=0``)."""
    return wanted and os.environ.get("CXLAB_CACHE", "1").casefold() not in ("0", "no", "off", "false")


def folder() -> Path:
    """Where entries live: ``CXLAB_CACHE_DIR``, else the user's cache directory."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("CXLAB_CACHE_DIR") or user_cache_path("cxlab", appauthor=False)) / "surveys"


def cached(read: Callable[[], Contents], files: Iterable[Path], options: Mapping[str, Any]) -> Contents:
    """Contents from the cache, or read and then kept.

    The key is the content of the files, the options and the version of the readers. A damaged entry
    is read anew, a cache that cannot be written is done without.
    """
    entry = folder() / f"{_key(files, options)}.parquet"
    if entry.is_file():
        with contextlib.suppress(Exception):  # whatever is wrong with an entry, the file itself is there
            contents = _load(entry)
            os.utime(entry)
            return contents
    contents = read()
    with contextlib.suppress(OSError):
        _save(contents, entry)
        _trim(entry)
    return contents


def _key(files: Iterable[Path], options: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps([READER_VERSION, pd.__version__, options], sort_keys=True).encode())
    for file in files:
        with open(file, "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:40]


def _save(contents: Contents, entry: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    frames = ((_DATA, contents.data), (_REASONS, contents.missing_reasons))
    names = [prefix + str(n) for prefix, frame in frames for n in frame.columns]
    arrays = [_array(frame[n]) for _, frame in frames for n in frame.columns]
    described = {
        b"cxlab": json.dumps(
            {
                "rows": len(contents.data),
                "items": [_plain_item(i) for i in contents.codebook.items.values()],
                "sets": [asdict(s) for s in contents.codebook.sets],
                "notes": [asdict(n) for n in contents.notes],
                "encoding": contents.encoding,
            }
        ).encode()
    }
    table = pa.Table.from_arrays(arrays, names=names).replace_schema_metadata(described)
    handle, name = tempfile.mkstemp(dir=entry.parent, suffix=".tmp")  # readable by this user alone
    os.close(handle)
    try:
        pq.write_table(table, name, compression="zstd", compression_level=1, write_page_checksum=True,
                       use_dictionary=True, write_statistics=False)  # fmt: skip
        os.replace(name, entry)
    finally:
        Path(name).unlink(missing_ok=True)


def _array(column: pd.Series) -> Any:
    """Arrow array; numbers keep their NaN as values, which spares a null bitmap both ways."""
    import pyarrow as pa

    if column.dtype == np.float64:
        return pa.array(column.to_numpy(), from_pandas=False)
    return pa.array(column, from_pandas=True)


def _load(entry: Path) -> Contents:
    import pyarrow.parquet as pq

    frames: dict[str, dict[str, Any]] = {_DATA: {}, _REASONS: {}}
    with pq.ParquetFile(entry, page_checksum_verification=True) as file:
        said = json.loads(file.schema_arrow.metadata[b"cxlab"])
        for name in file.schema_arrow.names:  # one at a time: the decoded table never stands beside the data
            column = file.read([name]).column(0)
            kept = column.to_numpy().copy() if str(column.type) == "double" else column.to_pandas().copy()
            frames[name[:2]][name[2:]] = kept.astype(TEXT) if kept.dtype == object else kept
    index = pd.RangeIndex(said["rows"])
    return Contents(
        pd.DataFrame(frames[_DATA], index=index, copy=False),
        Codebook({i["name"]: _item(i) for i in said["items"]}, tuple(_set(s) for s in said["sets"])),
        pd.DataFrame(frames[_REASONS], index=index, copy=False),
        tuple(Note(n["key"], n["facts"]) for n in said["notes"]),
        said["encoding"],
    )


def _plain_item(item: Item) -> dict[str, Any]:
    """Item as JSON holds it: codes stay numbers or texts, which keys of JSON objects would not."""
    plain = {k: v for k, v in vars(item).items() if k not in ("values", "missing")}
    return {**plain, "values": list(item.values.items()), "missing": list(item.missing.items())}


def _item(said: dict[str, Any]) -> Item:
    scale = said["scale"]
    return Item(
        **{
            **said,
            "values": dict(said["values"]),
            "missing": dict(said["missing"]),
            "missing_ranges": tuple((lo, hi) for lo, hi in said["missing_ranges"]),
            "scale": None if scale is None else (scale[0], scale[1]),
        }
    )


def _set(said: dict[str, Any]) -> MultipleResponse:
    return MultipleResponse(**{**said, "items": tuple(said["items"])})


def _trim(newest: Path) -> None:
    """Remove the entries unused for longest until the rest fits the limit."""
    entries = sorted((p for p in newest.parent.glob("*.parquet") if p != newest), key=lambda p: p.stat().st_mtime)
    room = LIMIT - newest.stat().st_size - sum(p.stat().st_size for p in entries)
    for entry in entries:
        if room >= 0:
            break
        room += entry.stat().st_size
        entry.unlink(missing_ok=True)
