"""``linewash models`` and the modes and parameters of ``linewash colorize``, run as processes; the hub is on this computer."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from backend.cli.model_parameters import set_parameters
from shared.client import Client
from shared.model_spec import Value
from shared.paths import models_dir
from shared.protocol import ColorizeRequest
from tests.api import fake_hub
from tests.api.backend_process import BackendProcess
from tests.api.test_cli import drawing, linewash, output_of  # noqa: F401  drawing is a fixture

CHECKPOINT = save(
    {name: torch.zeros(1) for name in ("model.x", "first_stage_model.x", "control_encoder.x", "thresh_embedder.x")}
)
REPO = "someone/Weights"


@pytest.fixture
def hub() -> Iterator[fake_hub.Hub]:
    with fake_hub.running() as running:
        running.files = {
            f"{REPO}/tiny.safetensors": CHECKPOINT,
            "tellurion/ColorizeDiffusion/switch-eps.safetensors": CHECKPOINT,
        }
        running.licenses = {REPO: "cc0-1.0", "tellurion/ColorizeDiffusion": "cc-by-nc-4.0"}
        yield running


def test_show_explains_modes_and_parameters(backend: BackendProcess) -> None:
    text = output_of(linewash(backend.home, "models", "show", "moody"), 0)
    assert "tinted  A tint over it. Needs: background reference." in text
    assert "light  0 to 50, default 0  Added to every color." in text
    assert "tint  0 to 1, default 0.5, in tinted  How much red." in text
    assert "negative  on or off, default off" in text
    assert "order  rgb | bgr, default rgb" in text


@pytest.mark.parametrize(
    ("model", "own", "texts", "steps"),
    [
        ("mini", {}, (), 6),
        ("mini", {"steps": 3}, (), 3),
        ("moody", {}, (), 7),
        ("moody", {"steps": 3}, (), 3),
        ("moody", {}, ("steps=4",), 4),
        ("slow", {}, (), 6),
    ],
)
def test_each_model_has_its_own_usual_number_of_steps(
    client: Client, model: str, own: dict[str, Value], texts: tuple[str, ...], steps: int
) -> None:
    assert set_parameters(client, ColorizeRequest(64, 64, (), model=model), own, texts).steps == steps


def test_show_of_an_unknown_model_says_so(backend: BackendProcess) -> None:
    assert "That model is not installed." in output_of(linewash(backend.home, "models", "show", "nobody"), 1)


def test_mode_and_parameters_reach_the_model(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:  # noqa: F811
    command = [*drawing[:-1], "moody", "--mode", "tinted", "--background-reference", drawing[3]]
    output_of(linewash(backend.home, *command, "--set", "light=40", "--set", "order=bgr"), 0)
    shifted = np.asarray(Image.open(tmp_path / "out" / "composite.png").convert("RGB"))[2, 2].astype(int)
    output_of(linewash(backend.home, *command), 0)
    plain = np.asarray(Image.open(tmp_path / "out" / "composite.png").convert("RGB"))[2, 2].astype(int)
    assert shifted.tolist() == (plain + 40).clip(0, 255)[::-1].tolist()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--mode", "sideways"), "plain, tinted"),
        (("--set", "light=51"), "light=51 is outside 0..50"),
        (("--set", "tint=0.1"), "tint is none of: steps, light, negative, order, note"),
        (("--set", "light"), "NAME=VALUE"),
        (("--steps", "21"), "steps=21 is outside 1..20"),
    ],
)
def test_what_the_model_does_not_have_is_refused(
    backend: BackendProcess,
    drawing: list[object],  # noqa: F811
    arguments: tuple[str, ...],
    says: str,
) -> None:
    text = output_of(linewash(backend.home, *drawing[:-1], "moody", *arguments), 1)
    assert says in " ".join(text.replace("│", " ").split())


def test_a_download_is_asked_for_resumed_listed_and_deleted(hub: fake_hub.Hub, tmp_path: Path) -> None:
    command, at = ("models", "download", REPO, "tiny.safetensors"), {"HF_ENDPOINT": hub.url}
    text = output_of(linewash(tmp_path, *command, **at), 1)
    assert "License: cc0-1.0" in text and "--accept-license" in text and not models_dir(tmp_path).exists()
    hub.cut_after = 0
    assert "it continues where it stopped" in output_of(linewash(tmp_path, *command, "--accept-license", **at), 1)
    assert not list(models_dir(tmp_path).glob("*.safetensors"))
    hub.cut_after = None
    output_of(linewash(tmp_path, *command, "--accept-license", **at), 0)
    assert (models_dir(tmp_path) / "tiny.safetensors").read_bytes() == CHECKPOINT
    hub.ranges = []
    output_of(linewash(tmp_path, *command, "--accept-license", **at), 0)
    hub.files["other/Weights/tiny.safetensors"] = CHECKPOINT[::-1]
    other = ("models", "download", "other/Weights", "tiny.safetensors", "--accept-license")
    assert "is another file" in " ".join(output_of(linewash(tmp_path, *other, **at), 2).replace("│", " ").split())
    assert (models_dir(tmp_path) / "tiny.safetensors").read_bytes() == CHECKPOINT and hub.ranges == []
    output_of(linewash(tmp_path, "models", "delete", "tiny", "--yes"), 0)
    assert not list(models_dir(tmp_path).glob("*.safetensors"))
    assert "That model is not installed." in output_of(linewash(tmp_path, "models", "delete", "tiny", "--yes"), 1)


def test_a_model_of_the_list_is_downloaded_by_name_under_its_known_terms(hub: fake_hub.Hub, tmp_path: Path) -> None:
    at = {"HF_ENDPOINT": hub.url}
    text = output_of(linewash(tmp_path, "models", "download", "switch-eps", "--accept-license", **at), 0)
    assert "CC BY-NC-SA" in text and "cc-by-nc-4.0" in text
    assert (models_dir(tmp_path) / "switch-eps.safetensors").is_file()


def test_offline_nothing_is_downloaded(hub: fake_hub.Hub, tmp_path: Path) -> None:
    at = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "1"}
    assert "offline" in output_of(linewash(tmp_path, "models", "download", "switch-eps", "--accept-license", **at), 1)
    assert not models_dir(tmp_path).exists()


def test_a_pickle_is_converted_into_the_models_folder(tmp_path: Path) -> None:
    torch.save({"state_dict": {"model.x": torch.ones(2)}, "epoch": 3}, tmp_path / "old.ckpt")
    assert "1 tensors" in output_of(linewash(tmp_path, "models", "convert", tmp_path / "old.ckpt"), 0)
    assert (models_dir(tmp_path) / "old.safetensors").is_file()
    assert "already there" in output_of(linewash(tmp_path, "models", "convert", tmp_path / "old.ckpt"), 2)


def test_the_list_names_what_can_be_downloaded_and_what_is_unfinished(backend: BackendProcess) -> None:
    folder = models_dir(backend.home)
    folder.mkdir(exist_ok=True)
    part = folder / ".switch-eps.safetensors.0123456789abcdef.part"
    part.write_bytes(b"half")
    text = output_of(linewash(backend.home, "models", "list"), 0)
    assert "moody  Moody, MIT, ready" in text and "switch-eps  0.0 kB of a download (%s)" % part.name in text
    assert (
        "0.0 kB of a download" in text and "mult-eps-newft  ColorizeDiffusion v1, 3.89 GB" in text and "clip-vit-h-14" in text
    )
    output_of(linewash(backend.home, "models", "delete", "switch-eps", "--yes"), 0)
    assert not part.exists()


def test_a_folder_that_is_a_link_is_left_to_the_painter(tmp_path: Path) -> None:
    folder, elsewhere = models_dir(tmp_path / "home"), tmp_path / "disk"
    for each in (folder, elsewhere):
        each.mkdir(parents=True)
    (elsewhere / "tiny.safetensors").write_bytes(CHECKPOINT)
    (folder / "far").symlink_to(elsewhere, target_is_directory=True)
    text = output_of(linewash(tmp_path / "home", "models", "delete", "tiny", "--yes"), 2)
    assert "is a link; delete it yourself" in " ".join(text.replace("│", " ").split())
    assert (elsewhere / "tiny.safetensors").read_bytes() == CHECKPOINT


def test_weights_that_find_the_foreground_are_listed_and_deleted(backend: BackendProcess) -> None:
    names = ("conv_in.weight", "side1.weight", "stage1.rebnconvin.conv_s1.weight", "stage1d.rebnconvin.conv_s1.weight")
    folder = models_dir(backend.home)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "isnetis.safetensors").write_bytes(save({"net." + name: torch.zeros(1) for name in names}))
    (folder / "isnet-sketch.safetensors").write_bytes(b"\x80\x04 pickled")
    text = output_of(linewash(backend.home, "models", "list"), 0)
    assert "isnetis  finds characters in references, 0." in text
    assert "isnet-sketch  finds the foreground of drawings, The file is a pickle, which can run any program." in text
    for name in ("isnetis", "isnet-sketch"):
        assert "was deleted" in output_of(linewash(backend.home, "models", "delete", name, "--yes"), 0)
    assert not list(folder.glob("*.safetensors"))
