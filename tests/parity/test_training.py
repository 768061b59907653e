"""What training does to images, against the golden vectors."""

from backend.training.colorizediffusion.augment import expand_to_blocks
from backend.training.colorizediffusion.warp import warp_images
from tests.parity.golden import Output, covers


@covers("tps", versions=("v1",))
def test_thin_plate_warp(output: Output) -> None:
    given = output.golden.inputs
    output.check(warp_images(given["tps_image"], given["tps_before"], given["tps_after"]))


@covers("mask_expanded", versions=("v1",))
def test_expanded_mask(output: Output) -> None:
    mask = (output.golden.mask("smask") > 0.6).float()
    output.check(expand_to_blocks(mask)[:, 0, ::4, ::4])
