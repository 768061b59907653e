"""XL through the product's loader and pipeline."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from backend.families.colorizediffusion import xl as xl_version
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts
from backend.families.colorizediffusion.conditioning import Encoders, ReferenceInputs
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser
from backend.families.colorizediffusion.options import parse_options
from backend.families.colorizediffusion.preprocessing import fit_background, nearest_latent_mask
from backend.families.colorizediffusion.spec import defaults
from backend.families.colorizediffusion.versions import XL
from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.latent_copy import LatentCopy
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from backend.weights.companions import Companions
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues
from tests.parity import xl
from tests.parity.painting import Discs, given, lines, run, same
from tests.parity.test_family import Calls

SAMPLES = 5e-4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden weights as a file with its companions inside."""
    return xl.write_checkpoint(tmp_path_factory.mktemp("xl"))


@pytest.fixture(scope="module")
def parts(checkpoint: Path) -> Parts:
    return load_parts(checkpoint)


@pytest.fixture(scope="module")
def family(parts: Parts) -> ColorizeDiffusion:
    return ColorizeDiffusion(parts, Discs(), None)


def test_its_encoders_may_lie_in_files_of_their_own(checkpoint: Path, parts: Parts, tmp_path: Path) -> None:
    weights = load_file(checkpoint)
    clip = {name.removeprefix("cond_stage_model.model."): x for name, x in weights.items() if name.startswith("cond_stage_")}
    tagger = {name.removeprefix("img_embedder.model."): x for name, x in weights.items() if name.startswith("img_embedder")}
    own = {name: x for name, x in weights.items() if not name.startswith(("cond_stage_", "img_embedder"))}
    paths = {name: tmp_path / name / "model.safetensors" for name in ("sdxl", "clip", "tagger")}
    for path, tensors in zip(paths.values(), (own, clip, tagger), strict=True):
        path.parent.mkdir()
        save_file(tensors, path)
        path.with_suffix(".json").write_text(json.dumps(xl.BESIDE))
    companions: Companions = {"clip-vit-bigg-14": paths["clip"], "wd-tagger": paths["tagger"]}
    apart = load_parts(paths["sdxl"], companions)
    reference = xl.given("reference")
    for part, network in parts.networks.items():
        theirs = apart.networks[part].state_dict()
        assert all(torch.equal(weight, theirs[name]) for name, weight in network.state_dict().items())
    assert torch.equal(parts.extras["tagger"](reference), apart.extras["tagger"](reference))
    for missing in companions:
        with pytest.raises(LinewashError) as caught:
            load_parts(paths["sdxl"], {name: path for name, path in companions.items() if name != missing})
        assert caught.value.code is ErrorCode.COMPANION_MISSING and missing in caught.value.detail


def conditioning(parts: Parts, mode: str = "vanilla", pictured: bool = False, **settings: Any) -> Conditioning:
    """The product's conditioning for the golden inputs."""
    join = parts.version.reference_tokens(parts.extras)

    def tokens(image: torch.Tensor) -> torch.Tensor:
        return join(parts.image_encoder(image), image)

    values = ParameterValues({**defaults(XL.spec.parameters), **settings})
    options = parse_options(values, XL.layers)
    reference = xl.given("reference")
    inputs = ReferenceInputs(
        tokens(reference),
        reference,
        xl.given("rmask"),
        xl.given("background") if pictured else None,
        nearest_latent_mask(xl.given("smask")),
        (reference.shape[-2], reference.shape[-1]),
    )
    build = XL.reference(Encoders(tokens, lambda image: image), parts.extras, parts.config)
    made = build(mode, options.strengths, inputs)
    sketch = xl.given("sketch")
    return Conditioning(
        parts.sketch_encoder(sketch),
        parts.sketch_encoder(torch.full_like(sketch, -1)),
        made.cross_attention,
        made.hooks,
        made.vector,
    )


def test_it_is_loaded_with_all_its_parts(parts: Parts) -> None:
    assert parts.version is XL and set(parts.extras) == {"context_projection", "tagger"} and parts.prediction == "v"
    for network in parts.networks.values():
        assert not network.training
        assert all(not weight.is_meta for weight in [*network.parameters(), *network.buffers()])


def test_the_mask_and_the_vector_are_the_reference_program_s(parts: Parts) -> None:
    made = conditioning(parts, "masked")
    assert made.cross_attention.split is not None and made.vector is not None
    xl.check(made.cross_attention.split.mask, "mask")
    xl.check(made.vector, "y")
    xl.check(made.cross_attention.context, "context_fgbg")


STEPS = 6
SAMPLED: dict[str, tuple[Sampler, Schedule, Guidance, Prediction]] = {
    "euler_none": (Sampler.K_EULER, Schedule.AUTOMATIC, Guidance(), "v"),
    "euler_ref4": (Sampler.K_EULER, Schedule.AUTOMATIC, Guidance(4.0), "v"),
    "euler_sketch2": (Sampler.K_EULER, Schedule.AUTOMATIC, Guidance(1.0, 2.0), "v"),
    "euler_both": (Sampler.K_EULER, Schedule.AUTOMATIC, Guidance(4.0, 2.0), "v"),
    "euler_karras": (Sampler.K_EULER, Schedule.KARRAS, Guidance(4.0), "v"),
    "euler_sgm": (Sampler.K_EULER, Schedule.SGM_UNIFORM, Guidance(4.0), "v"),
    "euler_eps": (Sampler.K_EULER, Schedule.AUTOMATIC, Guidance(4.0), "eps"),
    "ddim": (Sampler.DDIM, Schedule.AUTOMATIC, Guidance(4.0), "v"),
    "ddim_split": (Sampler.DDIM, Schedule.AUTOMATIC, Guidance(4.0), "v"),
    "ddim_latent_copy": (Sampler.DDIM, Schedule.AUTOMATIC, Guidance(4.0), "v"),
    "dpm": (Sampler.DPM, Schedule.AUTOMATIC, Guidance(4.0), "v"),
    "dpmpp2m": (Sampler.K_DPMPP_2M, Schedule.AUTOMATIC, Guidance(4.0), "v"),
}


@pytest.mark.parametrize("name", SAMPLED)
def test_whole_images(parts: Parts, name: str) -> None:
    sampler, schedule, guidance, prediction = SAMPLED[name]
    masked = name in ("ddim_split", "ddim_latent_copy")
    known = conditioning(parts, "masked" if masked else "vanilla", pictured=masked)
    denoiser = GuidedDenoiser(parts.unet, known, guidance)
    extra: tuple[Any, ...] = (copied(parts),) if name == "ddim_latent_copy" else ()
    generator = torch.Generator().manual_seed(0)
    found = sample(denoiser, xl.given("x_T"), sampler, schedule, STEPS, prediction, generator, lambda *_: None, *extra)
    wanted = xl.expected(f"sample.{name}")
    assert float((found - wanted).abs().max()) <= SAMPLES * max(1.0, float(wanted.abs().max()))


def copied(parts: Parts) -> LatentCopy:
    posterior = parts.vae.encode(fit_background(xl.given("background"), 128, 96)).latent_dist  # type: ignore[union-attr]
    latent = XL.latent_scale * (posterior.mean + posterior.std * xl.given("vae_noise"))
    return LatentCopy(latent, nearest_latent_mask(xl.given("smask")) > 0.5, xl.given("x_T"))


@pytest.mark.parametrize("mode", [mode.name for mode in xl_version.SPEC.modes])
def test_every_mode_colors(family: ColorizeDiffusion, mode: str) -> None:
    found = run(family, given(xl_version.SPEC, mode, references=(1, 2)))
    assert found.layers.composite.shape == (160, 240, 4) and (found.layers.composite[..., 3] == 255).all()
    assert same(found, run(family, given(xl_version.SPEC, "vanilla", references=(1, 2)))) == (mode == "vanilla")


def test_sizes_that_are_no_multiples_of_64(family: ColorizeDiffusion) -> None:
    inputs = given(xl_version.SPEC, "masked", size=288)
    assert run(family, inputs).layers.composite.shape == (160, 240, 4)


@pytest.fixture
def calls(parts: Parts) -> Iterator[Calls]:
    networks: dict[str, nn.Module] = {
        "sketch": parts.sketch_encoder,
        "image": parts.image_encoder,
        "tagger": parts.extras["tagger"],
    }
    counted = Calls(networks)
    yield counted
    counted.remove()


def test_encoders_run_once_for_each_image(parts: Parts, calls: Calls) -> None:
    family = ColorizeDiffusion(parts, Discs(), None)
    run(family, given(xl_version.SPEC, "masked"))
    assert calls.new() == {"sketch": 2, "image": 2, "tagger": 2}
    run(family, given(xl_version.SPEC, "masked", seed=7, guidance=5.0))
    assert calls.new() == {}
    run(family, given(xl_version.SPEC, "masked", drawing=lines(50)))
    assert calls.new() == {"sketch": 1}


def test_each_scale_of_the_lines_has_a_strength(family: ColorizeDiffusion) -> None:
    plain = run(family, given(xl_version.SPEC, steps=1))
    for name in ("line_level_1", "line_level_4"):
        assert not same(plain, run(family, given(xl_version.SPEC, steps=1, **{name: 0.0})))
    assert np.array_equal(plain.layers.composite, run(family, given(xl_version.SPEC, steps=1)).layers.composite)
