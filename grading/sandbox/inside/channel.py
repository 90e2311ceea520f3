"""Messages over a socket: framed, limited, and calls that go both ways.

`Channel` carries one encoded value a frame. `Peer` is one end of a pair of processes
that use each other's objects: each keeps its own and hands out numbers for them.
What an end lets the other do with its objects is the function it is given, nothing else.
"""

from __future__ import annotations

import builtins
import contextlib
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from .codec import CodecError, decode, encode

LARGEST = 256 * 2**20  # bytes of one message
READY = b"ready"  # the first message of a submission's process: all that is its own is set up


class Gone(BaseException):
    """The other process has ended. Not an Exception: no test may take it for an answer."""


class TooLarge(Gone):
    """The other process sends more than is agreed, and is not listened to any longer."""


class Channel:
    """Values over a stream socket, each in a frame that begins with its length."""

    def __init__(self, sock: socket.socket, largest: int = LARGEST) -> None:
        self.sock = sock
        self.largest = largest
        self.held = bytearray()  # what has come of the next frames

    def send(self, data: bytes) -> None:
        """Send a frame, whole: an interrupt that comes meanwhile waits."""
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.sock.sendall(struct.pack(">Q", len(data)) + data)
        except OSError as error:
            raise Gone("the other process has ended") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def receive(self, deadline: float | None = None) -> bytes | None:
        """Wait for the next frame; None if there is none by the deadline (of time.monotonic).

        Raises
        ------
        Gone
            If the other end is closed.
        TooLarge
            If a frame is larger than what is agreed.
        """
        if not self._hold(8, deadline):
            return None
        (size,) = struct.unpack_from(">Q", self.held)
        if size > self.largest:
            raise TooLarge(f"a message of {size} bytes, where {self.largest} are the most")
        if not self._hold(8 + size, deadline):
            return None
        frame = bytes(self.held[8 : 8 + size])
        del self.held[: 8 + size]
        return frame

    def _hold(self, size: int, deadline: float | None) -> bool:
        """Tell whether so many bytes are here by the deadline."""
        while len(self.held) < size:
            if deadline is not None:
                # one look also after it: this process may have been stopped meanwhile
                left = max(deadline - time.monotonic(), 0)
                if not select.select([self.sock], [], [], left)[0]:
                    return False
            try:
                part = self.sock.recv(max(2**16, min(size - len(self.held), 2**20)))
            except OSError as error:
                raise Gone("the other process has ended") from error
            if not part:
                raise Gone("the other process has ended")
            self.held += part
        return True


class Raised(Exception):
    """The other side's answer is that this was raised: name, message, and where."""

    def __init__(self, name: str, message: str, where: tuple[int, str] | None) -> None:
        super().__init__(name, message)
        self.name, self.message, self.where = name, message, where

    def builtin(self) -> Exception:
        """Make the same as a builtin exception, which ends what runs and nothing else.

        StopIteration would end a `map` of the test's in silence, and SystemExit the process.
        """
        kind = getattr(builtins, self.name, None)
        silent = (StopIteration, StopAsyncIteration, ExceptionGroup)
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, silent):
            with contextlib.suppress(TypeError):  # UnicodeError's need more than a text
                return kind(self.message)
        return RuntimeError(f"{self.name}: {self.message}")


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
        self.asked = 0  # questions are numbered: an answer to one that was given up is passed over

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Give what the other end answers.

        Raises
        ------
        Raised
            If the other end raised something.
        Gone
            If it has ended, or does not keep to the form.
        """
        self.asked += 1
        number = self.asked
        self.channel.send(encode(["ask", number, verb, list(arguments)], self.refer))
        while True:
            match self._receive():
                case ["ask", int(n), str(asked), list(given)]:
                    self._answer(n, asked, given)
                case ["is", int(n), result]:
                    if n == number:
                        return result
                case ["raised", int(n), str(name), str(text), None | (int(), str()) as where]:
                    if n == number:
                        raise Raised(name, text, where)
                case _:
                    raise Gone("the other process does not keep to the form of messages")

    def serve_once(self) -> None:
        """Wait for one question and answer it."""
        match self._receive():
            case ["ask", int(n), str(asked), list(given)]:
                self._answer(n, asked, given)
            case _:
                raise Gone("the other process does not keep to the form of messages")

    def _receive(self) -> Any:
        data = self.channel.receive()
        assert data is not None
        try:
            return decode(data, self.resolve)
        except CodecError as error:
            raise Gone(f"the other process sent what is no message: {error}") from None

    def _answer(self, number: int, verb: str, given: list) -> None:
        try:
            reply = encode(["is", number, self.answer(verb, given)], self.refer)
            if len(reply) > self.channel.largest:
                raise CodecError(f"a result of {len(reply)} bytes is too large")
        except Gone:
            raise
        except BaseException as error:
            reply = encode(["raised", number, *self.explain(error)])
        self.channel.send(reply)
