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
    trained, held_out_files = model_files(models, held_out=False), model_files(models, held_out=True)
    assert [f.name for f in trained] == ["Hero.glb", "Other.glb"]
    assert [f.name for f in held_out_files] == ["Mage.glb"]
    assert not digests(trained) & digests(held_out_files)


def test_panels_by_episode_and_by_content(panels: Path) -> None:
    trained, held_out_files = panel_files(panels, held_out=False), panel_files(panels, held_out=True)
    assert [f.stem for f in trained] == ["E01P01_00", "E01P01_01", "E02P01_00"]
    assert [f.stem for f in held_out_files] == ["E19P01_00", "E20P03_01"]
    assert not digests(trained) & digests(held_out_files)


def test_sources_are_built_from_those(models: Path, panels: Path) -> None:
    folders = ArtFolders(models, panels)
    trained, validation = training_mixture(folders, 64).sources, validation_sources(folders, 64)
    heroes, mage = trained["chunky3d"], validation["mage"]
    assert isinstance(heroes, Models3D) and isinstance(mage, Models3D)
    assert [c.name for c in heroes.characters] == ["Hero", "Other"]
    assert [c.name for c in mage.characters] == ["Mage"]
    pages, others = trained["panel"], validation["pages"]
    assert isinstance(pages, Panels) and isinstance(others, Panels)
    assert not set(pages.library.names) & set(others.library.names)
    # Scenes behind training characters come from training panels too.
    assert heroes.backgrounds.panels is not None
    assert set(heroes.backgrounds.panels.names) == set(pages.library.names)


def test_validation_has_seeds_of_its_own() -> None:
    # The command line's seeds end at 9999.
    assert VALIDATION_SEED > 9999


def test_damaged_files_are_named(tmp_path: Path, panels: Path) -> None:
    (tmp_path / "Broken.glb").write_bytes(b"no model at all, only text")
    with pytest.raises(ValueError, match=r"Broken\.glb"):
        Glb(tmp_path / "Broken.glb")
    del panels
    (tmp_path / "E01P01_00.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="E01P01_00"):
        PanelLibrary(tmp_path)
