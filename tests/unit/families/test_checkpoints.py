"""Checkpoints of the models folder as models: ready, or with the reason why not and what to do."""

from pathlib import Path
from typing import Any, get_args

import pytest

from backend.contract.family import ModelSpec
from backend.families import registry
from backend.families.checkpoints import CheckpointFamily, Families, checkpoint_files, list_checkpoints, load_checkpoint
from backend.families.colorizediffusion.versions import LATER_KINDS
from backend.weights.companions import Companion, companion_missing
from backend.weights.detection import CheckpointKind
from backend.weights.known_downloads import find_download
from shared.devices.device_status import NumberFormat
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModeInfo
from shared.protocol import Finish
from tests.unit.weights.test_detection import CLIP_WIDTH, KINDS, LATENT, write

SPEC = ModelSpec("v1.5", "Split", "MIT", (Finish.PAINTED,), modes=(ModeInfo("plain", "Plain", "All alike."),))
SEGMENTER: Any = object()


@pytest.fixture
def asked() -> list[Any]:
    return []


@pytest.fixture
def families(asked: list[Any]) -> Families:
    def load(*given: Any) -> Any:
        asked.append(given)
        return "loaded"

    v15 = CheckpointFamily(CheckpointKind("v1.5", ("model.", "transformer.")), SPEC, load, ("clip-vit-h-14",))
    return (*LATER_KINDS, v15, CheckpointFamily(CheckpointKind("v1", ("model.", "control_encoder.")), SPEC, load))


def test_a_checkpoint_without_the_image_encoder_says_where_to_get_it(tmp_path: Path, families: Families) -> None:
    path = write(tmp_path / "Switch.safetensors", KINDS["v1.5"])
    (row,) = list_checkpoints(tmp_path, families)
    assert (row.name, row.title, row.ready) == ("switch", "switch · Split", False)
    assert "linewash models download clip-vit-h-14" in row.reason
    assert (row.family, row.modes, row.source, row.size) == ("v1.5", SPEC.modes, "Switch.safetensors", path.stat().st_size)
    with pytest.raises(LinewashError) as caught:
        load_checkpoint("switch", tmp_path, families, "cpu", SEGMENTER)
    assert caught.value.code is ErrorCode.COMPANION_MISSING
    assert row.reason == f"{caught.value.message} {caught.value.hint}"


def test_with_it_the_checkpoint_is_ready_and_gets_both_files(tmp_path: Path, families: Families, asked: list[Any]) -> None:
    path = write(tmp_path / "switch.safetensors", KINDS["v1.5"])
    clip = write(tmp_path / "clip" / "model.safetensors", ("vision_model.embeddings.class_embedding",), CLIP_WIDTH)
    (row,) = list_checkpoints(tmp_path, families)
    assert row.ready and not row.reason
    load_checkpoint("switch", tmp_path, families, "cuda:1", SEGMENTER, NumberFormat.BFLOAT16)
    assert asked == [(path, {"clip-vit-h-14": clip}, "cuda:1", SEGMENTER, NumberFormat.BFLOAT16)]


def test_one_with_an_encoder_of_its_own_needs_no_other(tmp_path: Path, families: Families, asked: list[Any]) -> None:
    names = (*KINDS["v1.5"], "cond_stage_model.visual.model.class_embedding")
    path = write(tmp_path / "switch.safetensors", names, 64)
    plain = write(tmp_path / "mult.safetensors", LATENT)
    assert all(row.ready for row in list_checkpoints(tmp_path, families))
    for name in ("switch", "mult"):
        load_checkpoint(name, tmp_path, families, "cpu", SEGMENTER)
    assert asked == [(file, {}, "cpu", SEGMENTER, NumberFormat.AUTOMATIC) for file in (path, plain)]


def test_the_files_of_a_model_are_those_it_is_loaded_from(tmp_path: Path, families: Families, asked: list[Any]) -> None:
    write(tmp_path / "clip" / "model.safetensors", ("vision_model.embeddings.class_embedding",), CLIP_WIDTH)
    own = (*KINDS["v1.5"], "cond_stage_model.visual.model.class_embedding")
    for name, names in {"switch": KINDS["v1.5"], "whole": own, "mult": LATENT}.items():
        write(tmp_path / f"{name}.safetensors", names, 64)
        load_checkpoint(name, tmp_path, families, "cpu", SEGMENTER)
        assert checkpoint_files(name, tmp_path, families) == (asked[-1][0], *asked[-1][1].values())
    assert [len(checkpoint_files(name, tmp_path, families)) for name in ("switch", "whole", "mult")] == [2, 1, 1]
    assert checkpoint_files("clip", tmp_path, families) == checkpoint_files("nobody", tmp_path, families) == ()
    assert registry.files("mini", tmp_path) == () and registry.files("mult", tmp_path)[0] == tmp_path / "mult.safetensors"


@pytest.mark.parametrize("kind", ["xlv2", "unknown"])
def test_what_no_family_takes_is_listed_and_refused(tmp_path: Path, families: Families, kind: str) -> None:
    write(tmp_path / "other.safetensors", KINDS[kind])
    (row,) = list_checkpoints(tmp_path, families)
    assert not row.ready and row.reason.endswith(".") and not row.finishes
    with pytest.raises(LinewashError) as caught:
        load_checkpoint("other", tmp_path, families, "cpu", SEGMENTER)
    assert caught.value.code is ErrorCode.MODEL_OTHER_FAMILY


def test_a_name_is_never_a_path(tmp_path: Path, families: Families) -> None:
    write(tmp_path / "outside.safetensors", LATENT)
    for name in ("../outside", "../outside.safetensors", str(tmp_path / "outside.safetensors"), ""):
        with pytest.raises(LinewashError) as caught:
            load_checkpoint(name, tmp_path / "models", families, "cpu", SEGMENTER)
        assert caught.value.code is ErrorCode.UNKNOWN_MODEL


def test_the_registry_lists_them_after_its_own_and_no_file_can_take_the_place_of_those(tmp_path: Path) -> None:
    write(tmp_path / "mini.safetensors", KINDS["v2"])
    write(tmp_path / "other.safetensors", KINDS["v2"])
    rows = registry.models(tmp_path)
    assert [row.name for row in rows] == ["mini", "other"]
    assert rows[0].ready and rows[0].source == "" and not rows[1].ready


@pytest.mark.parametrize("companion", get_args(Companion))
def test_what_is_missing_is_a_known_download_of_that_name(companion: Companion) -> None:
    error = companion_missing(companion)
    download = find_download(companion)
    assert download is not None and download.name == companion
    assert companion in error.message and error.hint == f"Get it with linewash models download {companion}."
