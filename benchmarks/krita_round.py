"""From the click on Colorize to the layers, in the real Krita: seconds of each stage and the longest stall of its window.

    python benchmarks/krita_round.py [--side 1024] [--rounds 4] [--registry tests.krita.harness.swatches]

The first round starts the backend and loads the model; the table shows the median of the others, which take another seed of the
same image (its condition is cached).  Baseline "plain round", measured in the same run: the same images sent to a bare loopback
server that answers at once with the same two layers, put into a group by plain setPixelData; without model, checks, progress or
strips, all in the window's own thread.
Krita runs under Xvfb.  A stall is the longest gap between two ticks of a 20 ms timer in Krita's window.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import itertools

from shared.paths import jobs_dir
from tests.krita.harness import needs
from tests.krita.harness.art import draw
from tests.krita.harness.keeper import Keeper
from tests.krita.harness.scenario_player import ScenarioPlayer

STAGE_BY_MESSAGE = {
    "pressed": "capture",
    "Reading the layers…": "capture",
    "Packing the image…": "pack",
    "Starting Linewash…": "start",
    "Sending the image…": "upload",
    "Fetching the layers…": "download",
    "Adding the layers…": "insert",
}
"""The stage of each message of the docker; anything else is the backend's work."""
STAGES = ("read", "prepare", "condition", "denoise", "decode", "layers", "encode")
"""The backend's own stages, from ``result.json``."""
ROWS = ("capture", "pack", "start", "upload", *STAGES, "waiting", "download", "insert", "total")


def round_seconds(said: list[tuple[float, str]], job: dict[str, float]) -> dict[str, float]:
    """Seconds of every stage of one round; ``waiting`` is the backend's share that none of its own stages accounts for."""
    seconds = dict.fromkeys(ROWS, 0.0)
    backend = 0.0
    for (begin, text), (end, _) in itertools.pairwise(said):
        stage = STAGE_BY_MESSAGE.get(text)
        if stage:
            seconds[stage] += end - begin
        else:
            backend += end - begin
    seconds.update({stage: job.get(stage, 0.0) for stage in STAGES})
    seconds["waiting"] = backend - sum(seconds[stage] for stage in STAGES)
    seconds["total"] = said[-1][0] - said[0][0]
    return seconds


@contextmanager
def bare_server(keeper: Keeper) -> Iterator[str]:
    """The URL of a server that swallows what it is sent and hands out the layers of the first job."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(b"")

        def do_GET(self) -> None:
            self._answer((keeper.jobs[0] / f"{Path(self.path).name}.png").read_bytes())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def measure(side: int, rounds: int, registry: str) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """What Krita noted, and the seconds of each round."""
    with tempfile.TemporaryDirectory(prefix="linewash-krita-round-") as folder:
        player = ScenarioPlayer(Path(folder))
        try:
            art = draw(Path(folder) / "art", (side, side))
            files = {"lines": str(art.lines), "reference": str(art.reference)}
            with Keeper(jobs_dir(player.home), Path(folder) / "kept") as keeper, bare_server(keeper) as url:
                parameters = {"size": (side, side), "rounds": rounds, "url": url, **files}
                model = {"LINEWASH_REGISTRY": registry} if registry else {}
                seen = player.play("timed_rounds", parameters, model=model)
                jobs = [json.loads((job / "result.json").read_text())["seconds"] for job in keeper.jobs]
            seconds = [round_seconds(seen[f"said{n}"], job) for n, job in enumerate(jobs)]
            return seen.values, seconds
        finally:
            player.close()


def print_table(seen: dict[str, Any], rounds: list[dict[str, float]]) -> None:
    """Print the table."""
    warm = rounds[1:] or rounds
    plain = seen["plain"]["seconds"]
    plain["total"] = sum(plain.values())
    print(f"{'seconds':<10}{'first':>9}{'median':>9}{'slowest':>9}{'plain':>9}")
    for row in ROWS:
        values = [each[row] for each in warm]
        base = f"{plain[row]:9.3f}" if row in plain else " " * 9
        print(f"{row:<10}{rounds[0][row]:9.3f}{statistics.median(values):9.3f}{max(values):9.3f}{base}")
    stalls = [seen[f"stall{n}"] for n in range(len(rounds))]
    print("longest stall of the window, ms (in brackets: less the time when other programs held every core)")
    for n, stall in enumerate(stalls):
        print(f"  round {n + 1}: {1000 * stall['gap']:5.0f} ({1000 * stall['own']:.0f})")
    stall = seen["plain"]["stall"]
    print(f"  plain  : {1000 * stall['gap']:5.0f} ({1000 * stall['own']:.0f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=1024, help="canvas side, pixels")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--registry", default="", help="another registry of models than the product's")
    options = parser.parse_args()
    if needs.missing():
        sys.exit(needs.missing())
    load = os.getloadavg()[0]
    seen, rounds = measure(options.side, options.rounds, options.registry)
    print(f"{options.side} x {options.side}, {len(os.sched_getaffinity(0))} cores, load before {load:.1f}")
    print_table(seen, rounds)


if __name__ == "__main__":
    main()
