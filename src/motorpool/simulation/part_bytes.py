"""A part as bytes, for a file or a network: a checksum, a line that says what follows, and packed arrays."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict

import numpy as np

from motorpool.simulation.layout import Arrays
from motorpool.simulation.part import Facts, Part

FORMAT = "motorpool-part 1"
CODEC = "lz4"


def to_bytes(part: Part, identity: str) -> bytes:
    """Pack a part of the run with this identity."""
    import pyarrow as pa

    plain = io.BytesIO()
    named = {f"people/{name}": array for name, array in part.people.items()}
    named |= {f"counts/{name}": array for name, array in part.counts.items()}
    np.savez(plain, allow_pickle=False, **named)
    packed = pa.compress(plain.getvalue(), codec=CODEC, asbytes=True)
    head = {
        "format": FORMAT,
        "identity": identity,
        "key": part.key,
        "facts": asdict(part.facts),
        "bytes": plain.tell(),
    }
    body = json.dumps(head).encode() + b"\n" + packed
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def from_bytes(content: bytes, identity: str) -> Part | None:
    """The part that these bytes hold, or None where they are not whole or not of the run with this identity."""
    import pyarrow as pa

    checksum, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        return None
    first, _, packed = body.partition(b"\n")
    head = json.loads(first)
    if head["format"] != FORMAT or head["identity"] != identity:
        return None
    plain = pa.decompress(packed, decompressed_size=head["bytes"], codec=CODEC, asbytes=True)
    groups: dict[str, Arrays] = {"people": {}, "counts": {}}
    with np.load(io.BytesIO(plain), allow_pickle=False) as stored:
        for name in stored.files:
            group, _, own = name.partition("/")
            groups[group][own] = stored[name]
    return Part((head["key"][0], head["key"][1]), Facts(**head["facts"]), groups["people"], groups["counts"])
