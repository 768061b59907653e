"""The job that fetches a result which was left in the backend."""

from functools import partial
from typing import Callable, Tuple

from ..images import codec
from ..krita_api.pixel_data import PixelData
from ..shared.protocol import JobStatus
from ..shared.result_names import result_name
from ..state.session import Progress
from ..transfer.group_builder import ResultLayers
from .backend_connection import BackendConnection
from .backend_job import BackendJob, JobResult, result_layer_names


class FetchResultJob(BackendJob):
    """Fetches a result that was finished for somebody who is not there any more.

    lines_id, lines: the line layer of the document that it goes to now.  canvas: that document's size.
    """

    def __init__(
        self,
        status: JobStatus,
        lines_id: str,
        lines: PixelData,
        canvas: Tuple[int, int],
        connection: BackendConnection,
        report: Callable[[Progress], None],
    ) -> None:
        super().__init__(connection, report)
        self._status, self._lines_id, self._lines, self._canvas = status, lines_id, lines, canvas

    def run(self) -> JobResult:
        """The whole job.  LinewashError, JOB_UNKNOWN among others when the backend has forgotten the result."""
        status, info = self._status, self._find_or_start_backend()
        with self._connection.create_client(info) as client:
            images = [codec.decode_layer(client.layer(status.id, name)) for name in result_layer_names(status)]
        size = (images[0].width(), images[0].height())
        name, on_paper = result_name(status.seed, "", status.model), codec.is_opaque_paper(self._lines)
        layers = ResultLayers(size, self._canvas, name, self._lines_id, on_paper, *map(codec.image_strips, images))
        text = "Brought in · %s · seed %d." % (status.model, status.seed)
        if size != self._canvas:
            text += " It is %d × %d and lies in the upper left corner." % size
        return JobResult(layers, status, text, partial(self._acknowledge, info, status.id))
