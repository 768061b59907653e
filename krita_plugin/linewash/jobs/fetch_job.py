"""The thread that fetches a picture which was left in the backend."""

from typing import Any, Optional, Tuple

from ..images import codec
from ..krita_api.pixel_data import PixelData
from ..shared.protocol import JobStatus
from ..shared.result_names import result_name
from ..transfer.layer_writer import ResultLayers
from .job_thread import JobResult, JobThread, result_layer_names


class FetchResultJob(JobThread):
    """Fetches a picture that was finished for somebody who is not there any more.

    lines_id, lines: the line layer of the picture that it goes to now.  canvas: that picture's size.
    """

    def __init__(self, status: JobStatus, lines_id: str, lines: PixelData, canvas: Tuple[int, int], *others: Any) -> None:
        super().__init__(*others)
        self._status, self._lines_id, self._lines, self._canvas = status, lines_id, lines, canvas

    def _work(self) -> Optional[JobResult]:
        status, info = self._status, self._launcher.connect(self._report, self._cancelled.is_set)
        with self._connect(info) as client:
            pictures = [codec.layer_image(client.layer(status.id, name)) for name in result_layer_names(status)]
        size = (pictures[0].width(), pictures[0].height())
        name, paper = result_name(status.seed, "", status.model), codec.is_opaque_paper(self._lines)
        answer = ResultLayers(size, self._canvas, name, self._lines_id, paper, *map(codec.image_strips, pictures))
        text = "Brought in · %s · seed %d." % (status.model, status.seed)
        if size != self._canvas:
            text += " It is %d × %d and lies in the upper left corner." % size
        return JobResult(answer, status, text, lambda: self._acknowledge(info, status.id))
