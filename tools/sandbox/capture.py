"""Keeps the first and the last part of a stream of any length."""

from __future__ import annotations


class Capture:
    """At most `cap_bytes` of what is fed; the middle is counted, not kept."""

    def __init__(self, cap_bytes: int) -> None:
        self._head_cap = cap_bytes - cap_bytes // 2
        self._tail_cap = cap_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.size_bytes = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self.size_bytes += len(data)
        room = self._head_cap - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data
            if len(self._tail) > self._tail_cap + 2**20:
                del self._tail[: len(self._tail) - self._tail_cap]

    @property
    def truncated(self) -> bool:
        """Whether something was left out."""
        return self.size_bytes > self._head_cap + self._tail_cap

    @property
    def kept(self) -> bytes:
        """The head and the tail, with a line between them that says how much is missing."""
        if not self.truncated:
            return bytes(self._head + self._tail)
        tail = self._tail[len(self._tail) - self._tail_cap :]
        missing = self.size_bytes - len(self._head) - len(tail)
        return bytes(self._head) + b"\n[%d bytes left out]\n" % missing + bytes(tail)
