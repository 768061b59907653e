"""The routes.  The middleware has already checked the request; ``Jobs`` and ``Dispatcher`` do the work."""

import asyncio
import logging
import os
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.imaging.bleaching import THRESHOLD
from backend.server.bleaching import receive_reference
from backend.server.dispatcher import Dispatcher
from backend.server.jobs import Jobs
from backend.server.middleware import GuardRules, RequestGuardMiddleware
from backend.server.responses import AsciiJSONResponse, error_response
from backend.server.settings import Settings
from backend.server.upload import receive
from shared.devices.device_status import parse_choice
from shared.errors import ErrorCode, LinewashError, error_from_os
from shared.protocol import (
    IDEMPOTENCY_HEADER,
    LAYERS,
    MAX_WAIT_S,
    PRODUCT,
    PRODUCT_VERSION,
    PROTOCOL_VERSION,
    Hello,
    JobState,
)

_MAX_KEY = 200
"""Most characters of an idempotency key."""
_log = logging.getLogger(__name__)


@dataclass
class Activity:
    """When the server was last used.  Times are those of ``time.monotonic``."""

    started: float = field(default_factory=time.monotonic)
    """When the server started."""
    last: float = field(default_factory=time.monotonic)
    """When the last request came."""
    ending: bool = False
    """Whether a client has asked the server to end."""

    def record(self) -> None:
        """Note that a request has come."""
        self.last = time.monotonic()


@dataclass(frozen=True)
class AppState:
    """The objects that the routes use."""

    settings: Settings
    jobs: Jobs
    dispatcher: Dispatcher
    activity: Activity


def create_app(state: AppState, port: int, token: str) -> FastAPI:
    """The application.  On start it recovers earlier jobs and starts the workers; at its end it stops both in order."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await asyncio.to_thread(state.jobs.recover)
        state.jobs.prune_soon()
        state.dispatcher.start()
        yield
        # First the jobs end, and with them all long-polls; then their states are written; then workers are awaited.
        state.dispatcher.close()
        await state.jobs.flush()
        for worker in state.dispatcher.workers:
            await asyncio.to_thread(worker.join, 5.0)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    rules = GuardRules(port, token, state.settings.max_request_bytes)
    app.add_middleware(RequestGuardMiddleware, rules=rules, on_request=state.activity.record)
    _add_error_handlers(app)
    _add_job_routes(app, state)
    _add_bleach_route(app, state)
    _add_system_routes(app, state)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    """Answer every exception with a row of the error table."""

    @app.exception_handler(LinewashError)
    async def _linewash_error(_: Request, error: LinewashError) -> Response:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _validation_error(_: Request, error: RequestValidationError) -> Response:
        return error_response(LinewashError(ErrorCode.BAD_REQUEST, "; ".join(row["msg"] for row in error.errors())))

    @app.exception_handler(HTTPException)
    async def _http_error(_: Request, error: HTTPException) -> Response:
        answer = error_response(LinewashError(ErrorCode.BAD_REQUEST, str(error.detail)))
        answer.status_code = error.status_code
        return answer

    @app.exception_handler(Exception)
    async def _unexpected_error(_: Request, error: Exception) -> Response:
        return error_response(LinewashError(ErrorCode.INTERNAL, type(error).__name__))


def _add_job_routes(app: FastAPI, state: AppState) -> None:
    jobs, dispatcher = state.jobs, state.dispatcher

    @app.post("/v1/jobs")
    async def _submit(request: Request) -> Response:
        """Send a request as multipart/form-data; 202 with its ``JobStatus``.

        The header ``Idempotency-Key`` makes a repeat safe: the same key and body return the first job, and another body
        is refused.
        """
        key = request.headers.get(IDEMPOTENCY_HEADER) or uuid.uuid4().hex
        if len(key) > _MAX_KEY:
            raise LinewashError(ErrorCode.BAD_REQUEST, "%s is too long" % IDEMPOTENCY_HEADER)
        # Refused before the upload is read.  A repeat of an accepted job needs no room.
        if jobs.with_key(key) is None:
            dispatcher.check_room()
        incoming = None
        try:
            incoming = await asyncio.to_thread(jobs.store.new_incoming)
            content_type = request.headers.get("content-type", "")
            upload = await receive(content_type, request.stream(), incoming / "inputs", state.settings.max_part_bytes)
            await dispatcher.listing.ensure_listed(upload.request.model)
            status = await jobs.admit(upload, key, incoming, dispatcher.enqueue)
        except ClientDisconnect:
            raise LinewashError(ErrorCode.BAD_REQUEST, "the client hung up") from None
        except OSError as error:
            _log.error("an upload cannot be kept: %s", error)
            raise error_from_os(error) from error
        finally:
            # The folder of an accepted upload has another name by now, so this removes refused ones only.
            if incoming is not None:
                await asyncio.to_thread(jobs.store.discard, incoming)
        return AsciiJSONResponse(status.to_json(), 202)

    @app.get("/v1/jobs")
    async def _list() -> Response:
        """All jobs, oldest first: ``{"jobs": [JobStatus]}``."""
        return AsciiJSONResponse({"jobs": [job.status.to_json() for job in jobs.all()]})

    @app.get("/v1/jobs/{job_id}")
    async def _status(
        job_id: str, after: int = -1, wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = 0.0
    ) -> Response:
        """The ``JobStatus``, as soon as its revision is not ``after``, or after ``wait`` seconds."""
        status = await jobs.get(job_id).wait_for_change(after, wait)
        state.activity.record()
        return AsciiJSONResponse(status.to_json())

    @app.get("/v1/jobs/{job_id}/preview")
    async def _preview(job_id: str) -> Response:
        """The newest preview while the job is denoised, PNG of at most 256 pixels a side."""
        image = jobs.get(job_id).preview
        if not image:
            raise LinewashError(ErrorCode.JOB_NOT_DONE, "there is no preview yet")
        return Response(image, media_type="image/png")

    @app.get("/v1/jobs/{job_id}/layers/{name}")
    async def _layer(job_id: str, name: str) -> Response:
        """One of ``JobStatus.layers`` of a job that is done, RGBA PNG of canvas size."""
        job = jobs.get(job_id)
        if name not in (*LAYERS, *job.status.layers):
            raise LinewashError(ErrorCode.BAD_REQUEST, "there is no layer of that name")
        if job.status.state is not JobState.DONE:
            raise LinewashError(ErrorCode.JOB_NOT_DONE, job.status.state.value)
        return FileResponse(jobs.store.layer(job_id, name), media_type="image/png")

    @app.post("/v1/jobs/{job_id}/acknowledge")
    async def _acknowledge(job_id: str) -> Response:
        """Say that the layers are in the document, so that the server may delete the job."""
        await jobs.acknowledge(jobs.get(job_id))
        return AsciiJSONResponse({})

    @app.delete("/v1/jobs/{job_id}")
    async def _cancel(job_id: str) -> Response:
        """Cancel a job; its ``JobStatus`` may still say running."""
        return AsciiJSONResponse(dispatcher.cancel(jobs.get(job_id)).to_json())


def _add_bleach_route(app: FastAPI, state: AppState) -> None:
    store = state.jobs.store

    @app.post("/v1/bleach")
    async def _bleach(
        request: Request,
        threshold: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = THRESHOLD,
        wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = MAX_WAIT_S,
    ) -> Response:
        """What models see of a background reference without its foreground: the body is a PNG, and so is the answer.

        White where the mask (its transparency, else what is found) reaches the threshold.  A worker does it between jobs; when
        none was free within ``wait`` seconds, the answer is ``job_not_done``.
        """
        incoming = None
        try:
            incoming = await asyncio.to_thread(store.new_incoming)
            source, target = incoming / "inputs" / "reference.png", incoming / "bleached.png"
            await receive_reference(request.stream(), source)
            await state.dispatcher.bleaching.bleach(source, target, threshold, wait)
            return Response(await asyncio.to_thread(target.read_bytes), media_type="image/png")
        except ClientDisconnect:
            raise LinewashError(ErrorCode.BAD_REQUEST, "the client hung up") from None
        except OSError as error:
            raise error_from_os(error) from error
        finally:
            if incoming is not None:
                await asyncio.to_thread(store.discard, incoming)


def _add_system_routes(app: FastAPI, state: AppState) -> None:
    @app.get("/v1/hello")
    async def _hello() -> Response:
        """Who answers (``Hello``).  The only call that needs no matching protocol number."""
        return AsciiJSONResponse(Hello(PRODUCT, PRODUCT_VERSION, PROTOCOL_VERSION, os.getpid()).to_json())

    @app.get("/v1/models")
    async def _models(wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = MAX_WAIT_S) -> Response:
        """The models: ``{"models": [ModelInfo]}``, waiting for the first worker at most ``wait`` seconds."""
        return AsciiJSONResponse(
            {"models": [model.to_json() for model in await state.dispatcher.listing.wait_for_models(wait)]}
        )

    @app.get("/v1/system")
    async def _system() -> Response:
        """The state of the server: version, process, workers, their devices and number formats, jobs in the queue."""
        workers = [
            {
                "device": w.device or w.config.device,
                "pid": w.pid,
                "state": w.state.value,
                "job": w.job,
                "threads": w.config.threads,
                "number_format": w.config.number_format.value,
            }
            for w in state.dispatcher.workers
        ]
        return AsciiJSONResponse(
            {
                "version": PRODUCT_VERSION,
                "protocol": PROTOCOL_VERSION,
                "pid": os.getpid(),
                "home": str(state.settings.home),
                "uptime_s": round(time.monotonic() - state.activity.started, 1),
                "idle_minutes": state.settings.idle_minutes,
                "model": state.settings.preload,
                "workers": workers,
                "waiting": state.dispatcher.waiting,
            }
        )

    @app.get("/v1/device")
    async def _device(wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = 0.0) -> Response:
        """What can compute and what does (``DeviceStatus``), as soon as a worker has said so, or after ``wait`` seconds."""
        return AsciiJSONResponse((await state.dispatcher.devices.wait_until_known(wait)).to_json())

    @app.put("/v1/device")
    async def _choose_device(request: Request) -> Response:
        """Choose what computes, ``{"device": NAME}`` with a device's name or ``auto``; ``DeviceStatus``.

        The choice is kept.  It takes effect at once, or when the running job has ended.
        """
        try:
            choice = parse_choice(await request.json())
        except ValueError as error:
            raise LinewashError(ErrorCode.BAD_REQUEST, "no JSON") from error
        try:
            return AsciiJSONResponse((await state.dispatcher.choose_device(choice)).to_json())
        except OSError as error:
            raise error_from_os(error) from error

    @app.post("/v1/shutdown")
    async def _shutdown() -> Response:
        """End the server.  Running jobs are cancelled, finished results are kept."""
        state.activity.ending = True
        return AsciiJSONResponse({})
