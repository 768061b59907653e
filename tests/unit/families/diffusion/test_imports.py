"""The diffusion room serves every family and knows none."""

from pathlib import Path

from tests.unit.house.imports import imports, lies_in

MAY_IMPORT = ("backend.families.diffusion", "backend.imaging.types")
ROOT = Path(__file__).parents[4]


def test_nothing_of_a_family_is_imported() -> None:
    files = sorted((ROOT / "backend" / "families" / "diffusion").glob("*.py"))
    assert len(files) > 5
    own = [(path.name, target) for path in files for _, target in imports(path, ROOT) if lies_in(target, ("backend", "shared"))]
    assert own and [found for found in own if not lies_in(found[1], MAY_IMPORT)] == []
