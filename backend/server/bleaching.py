"""Has a worker bleach references, between its jobs: the queue of jobs knows nothing of it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from backend.imaging.png import png_size
from backend.server.upload import PNG_HEADER
from backend.server.worker.handle import WorkerHandle, WorkerState
from backend.server.worker.messages import BleachReference, ReferenceBleached
from shared.errors import ErrorCode, LinewashError
from shared.protocol import MAX_PART_BYTES, MAX_REFERENCE_SIDE

_LOOK_S = 0.05
"""How often a worker that is at work is looked at again, seconds."""


class ReferenceBleaching:
    """The references that are being bleached.  All methods are called in the event loop."""

    def __init__(self, workers: Sequence[WorkerHandle]) -> None:
        self._workers = workers
        self._waiting: dict[str, tuple[WorkerHandle, asyncio.Future[None]]] = {}

    async def bleach(self, source: Path, target: Path, threshold: float, wait_s: float) -> None:
        """Write the PNG ``source``, bleached, to ``target``.

        LinewashError: JOB_NOT_DONE when no worker was free within ``wait_s`` seconds; EMPTY_REFERENCE, BAD_IMAGE and whatever
        else the worker says.
        """
        try:
            worker = await asyncio.wait_for(self._wait_for_worker(), wait_s)
        except asyncio.TimeoutError:
            raise LinewashError(ErrorCode.JOB_NOT_DONE, "the worker is at work") from None
        number, future = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        self._waiting[number] = worker, future
        try:
            worker.send(BleachReference(number, source, target, threshold))
            await future
        finally:
            self._waiting.pop(number, None)

    def finish(self, event: ReferenceBleached) -> None:
        """The worker is done with one; nobody may wait for it any more."""
        _, future = self._waiting.pop(event.id, (None, None))
        if future is None or future.done():
            return
        if event.code is None:
            future.set_result(None)
        else:
            future.set_exception(LinewashError(event.code, event.detail))

    def fail(self, worker: WorkerHandle, error: LinewashError) -> None:
        """The worker has ended, or is about to."""
        for number in [number for number, (each, _) in self._waiting.items() if each is worker]:
            self.finish(ReferenceBleached(number, error.code, error.detail))

    async def _wait_for_worker(self) -> WorkerHandle:
        while True:
            for worker in self._workers:
                if worker.state is WorkerState.READY:
                    return worker
                if worker.state is WorkerState.DOWN:
                    worker.start()
            await asyncio.sleep(_LOOK_S)


async def receive_reference(body: AsyncIterator[bytes], path: Path) -> None:
    """Write the body, a PNG of a reference, to ``path``.

    LinewashError BAD_IMAGE when it is no PNG; REQUEST_TOO_LARGE beyond ``MAX_REFERENCE_SIDE`` or ``MAX_PART_BYTES``.
    """
    received, head = 0, b""
    with path.open("wb") as file:
        async for chunk in body:
            received += len(chunk)
            if received > MAX_PART_BYTES:
                raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "%d bytes" % received)
            # The header holds the size: an image that is too large is refused before the rest arrives.
            if len(head) < PNG_HEADER:
                head += chunk[: PNG_HEADER - len(head)]
                if len(head) == PNG_HEADER:
                    _check_side(head)
            await asyncio.to_thread(file.write, chunk)
    if len(head) < PNG_HEADER:
        raise LinewashError(ErrorCode.BAD_IMAGE, "no PNG")


def _check_side(head: bytes) -> None:
    width, height = png_size(head)
    if max(width, height) > MAX_REFERENCE_SIDE:
        raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "%d x %d" % (width, height))
