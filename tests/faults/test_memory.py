"""More memory than there is: the job fails with its sentence and the same worker does the next one."""

from collections.abc import Callable

from shared.errors import ErrorCode
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send


def test_out_of_memory_fails_the_job_alone(start: Callable[..., BackendProcess]) -> None:
    backend = start()
    client, worker = backend.client, backend.worker_pid()
    for model in ("greedy_numpy", "greedy_torch"):
        failed = last(client, send(client, images.request(model)))
        assert failed.state is JobState.FAILED
        assert failed.error is not None and failed.error.code is ErrorCode.OUT_OF_MEMORY, failed.error
    assert last(client, send(client, images.request())).state is JobState.DONE
    assert backend.worker_pid() == worker
