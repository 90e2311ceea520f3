"""Messages over a socket: framed, limited, and calls that go both ways.

`Channel` carries one encoded value a frame. `Peer` is one end of a pair of processes
that use each other's objects: each keeps its own and hands out numbers for them.
What an end lets the other do with its objects is the function it is given, nothing else.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from .codec import CodecError, decode, encode

LARGEST = 256 * 2**20  # bytes of one message


class Gone(BaseException):
    """The other process has ended. Not an Exception: no test may take it for an answer."""


class Channel:
    """Values over a stream socket, each in a frame that begins with its length."""

    def __init__(self, sock: socket.socket, largest: int = LARGEST) -> None:
        self.sock = sock
        self.largest = largest

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(struct.pack(">Q", len(data)) + data)
        except OSError as error:
            raise Gone("the other process has ended") from error

    def receive(self, deadline: float | None = None) -> bytes | None:
        """The next frame; None if there is none by the deadline (of time.monotonic).

        Raises
        ------
        Gone
            If the other end is closed, or a frame is larger than what is agreed.
        """
        head = self._exactly(8, deadline)
        if head is None:
            return None
        (size,) = struct.unpack(">Q", head)
        if size > self.largest:
            raise Gone(f"a message of {size} bytes, where {self.largest} are the most")
        return self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float | None) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                    return None
            try:
                part = self.sock.recv(min(size - len(parts), 2**20))
            except OSError as error:
                raise Gone("the other process has ended") from error
            if not part:
                raise Gone("the other process has ended")
            parts += part
        return bytes(parts)


class Raised(Exception):
    """The other side's answer is that this was raised: name, message, and where."""

    def __init__(self, name: str, message: str, where: tuple[int, str] | None) -> None:
        super().__init__(name, message)
        self.name, self.message, self.where = name, message, where


class Peer:
    """One end: asks the other, and answers it, also while it waits for an answer itself.

    Parameters
    ----------
    channel : Channel
    answer : function
        (verb, arguments) → result; what this end does for the other.
    refer, resolve : functions
        As in `codec`: how objects are stood for.
    explain : function
        exception → (name, message, where), how an error of this end is told.
    """

    def __init__(
        self,
        channel: Channel,
        answer: Callable[[str, list], Any],
        refer: Callable[[Any], list],
        resolve: Callable[[list], Any],
        explain: Callable[[BaseException], tuple[str, str, tuple[int, str] | None]],
    ) -> None:
        self.channel, self.answer, self.explain = channel, answer, explain
        self.refer, self.resolve = refer, resolve

    def ask(self, verb: str, *arguments: Any) -> Any:
        """What the other end answers.

        Raises
        ------
        Raised
            If the other end raised something.
        Gone
            If it has ended, or does not keep to the form.
        """
        self.channel.send(encode(["ask", verb, list(arguments)], self.refer))
        while True:
            message = self._receive()
            match message:
                case ["ask", str(asked), list(given)]:
                    self._answer(asked, given)
                case ["is", result]:
                    return result
                case ["raised", str(name), str(text), None | (int(), str()) as where]:
                    raise Raised(name, text, where)
                case _:
                    raise Gone("the other process does not keep to the form of messages")

    def serve_once(self) -> None:
        """Wait for one question and answer it."""
        match self._receive():
            case ["ask", str(asked), list(given)]:
                self._answer(asked, given)
            case _:
                raise Gone("the other process does not keep to the form of messages")

    def _receive(self) -> Any:
        data = self.channel.receive()
        assert data is not None
        try:
            return decode(data, self.resolve)
        except CodecError as error:
            raise Gone(f"the other process sent what is no message: {error}") from None

    def _answer(self, verb: str, given: list) -> None:
        try:
            reply = encode(["is", self.answer(verb, given)], self.refer)
            if len(reply) > self.channel.largest:
                raise CodecError(f"a result of {len(reply)} bytes is too large")
        except Gone:
            raise
        except BaseException as error:
            reply = encode(["raised", *self.explain(error)])
        self.channel.send(reply)
