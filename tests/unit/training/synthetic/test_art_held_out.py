"""What measures the model must never train it, whatever its file is called."""

import hashlib
from pathlib import Path

import pytest

from backend.training.synthetic.mixture import VALIDATION_SEED, ArtFolders, training_mixture, validation_sources
from backend.training.synthetic.rigged3d.glb import Glb
from backend.training.synthetic.rigged3d.rigs import model_files
from backend.training.synthetic.rigged3d.source import Models3D
from backend.training.synthetic.scenes.panels import PanelLibrary, Panels, panel_files


def digests(files: list[Path]) -> set[str]:
    return {hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_models_by_name_and_by_content(models: Path) -> None:
    trained, kept = model_files(models, held_out=False), model_files(models, held_out=True)
    assert [f.name for f in trained] == ["Figure.glb", "Other.glb"]
    assert [f.name for f in kept] == ["Mage.glb"]
    assert not digests(trained) & digests(kept)


def test_panels_by_episode_and_by_content(panels: Path) -> None:
    trained, kept = panel_files(panels, held_out=False), panel_files(panels, held_out=True)
    assert [f.stem for f in trained] == ["E01P01_00", "E01P01_01", "E02P01_00"]
    assert [f.stem for f in kept] == ["E19P01_00", "E20P03_01"]
    assert not digests(trained) & digests(kept)


def test_sources_are_built_from_those(models: Path, panels: Path) -> None:
    folders = ArtFolders(models, panels)
    trained, kept = training_mixture(folders, 64).sources, validation_sources(folders, 64)
    figures, mage = trained["chunky3d"], kept["mage"]
    assert isinstance(figures, Models3D) and isinstance(mage, Models3D)
    assert [c.name for c in figures.characters] == ["Figure", "Other"]
    assert [c.name for c in mage.characters] == ["Mage"]
    pages, others = trained["panel"], kept["pages"]
    assert isinstance(pages, Panels) and isinstance(others, Panels)
    assert not set(pages.library.names) & set(others.library.names)
    # Scenes behind training figures come from training panels too.
    assert figures.backgrounds.panels is not None
    assert set(figures.backgrounds.panels.names) == set(pages.library.names)


def test_validation_has_seeds_of_its_own() -> None:
    # The command line's seeds end at 9999.
    assert VALIDATION_SEED > 9999


def test_damaged_files_are_named(tmp_path: Path, panels: Path) -> None:
    (tmp_path / "Broken.glb").write_bytes(b"no model at all, only text")
    with pytest.raises(ValueError, match=r"Broken\.glb"):
        Glb(tmp_path / "Broken.glb")
    del panels
    (tmp_path / "E01P01_00.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="E01P01_00"):
        PanelLibrary(tmp_path)
