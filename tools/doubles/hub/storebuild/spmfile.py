"""Writes SentencePiece model files without the sentencepiece library.

Source: the field numbers of `sentencepiece_model.proto` and the protocol-buffer wire format.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = {"normal": 1, "unknown": 2, "control": 3, "user": 4, "byte": 6}
UNIGRAM, BPE = 1, 2
LENGTH_DELIMITED, FIXED_32, VARINT = 2, 5, 0


@dataclass(frozen=True)
class Piece:
    """One vocabulary entry; its id is its place in the list."""

    text: str
    score: float
    kind: str = "normal"


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | VARINT) + _varint(value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | FIXED_32) + struct.pack("<f", value)


def _block(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | LENGTH_DELIMITED) + _varint(len(data)) + data


def _piece(piece: Piece) -> bytes:
    data = _block(1, piece.text.encode()) + _float(2, piece.score)
    return _block(1, data + (_number(3, KINDS[piece.kind]) if piece.kind != "normal" else b""))


def _trainer(pieces: Sequence[Piece], model_type: int, begin: str, end: str, pad: str) -> bytes:
    """Which algorithm, and which ids and texts the special pieces have; -1 stands for none."""
    places = {p.text: i for i, p in enumerate(pieces) if p.kind != "byte"}
    unknown = next(i for i, p in enumerate(pieces) if p.kind == "unknown")
    byte_fallback = any(p.kind == "byte" for p in pieces)
    data = _number(3, model_type) + _number(4, len(pieces)) + _number(35, int(byte_fallback))
    for field, place in (
        (40, unknown),
        (41, places.get(begin)),
        (42, places.get(end)),
        (43, places.get(pad)),
    ):
        data += _number(field, -1 if place is None else place)
    texts = ((45, pieces[unknown].text), (46, begin), (47, end), (48, pad))
    return data + b"".join(_block(field, text.encode()) for field, text in texts if text)


def model_bytes(
    pieces: Sequence[Piece],
    *,
    model_type: int,
    begin: str = "",
    end: str = "",
    pad: str = "",
    remove_extra_whitespaces: bool = True,
) -> bytes:
    """The content of a model file whose normalizer leaves the text as it is, but for spaces."""
    normalizer = (
        _block(1, b"identity") + _number(3, 1) + _number(4, int(remove_extra_whitespaces)) + _number(5, 1)
    )
    body = b"".join(map(_piece, pieces))
    return body + _block(2, _trainer(pieces, model_type, begin, end, pad)) + _block(3, normalizer)
