"""Every encoder's output, through the product's loader."""

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.colorizediffusion.checkpoint.loader import load_text
from backend.networks.clip import patch_tokens, preprocess
from tests.parity.golden import Output, covers
from tests.parity.loaded import (
    REFERENCE_THRESHOLD,
    SKETCH_THRESHOLD,
    background_tokens,
    bleached_tokens,
    cross_attention_of,
    features,
    latent_mask,
    parts,
)
from tests.parity.modes import conditioning

SCALE = 0.18215


@covers("sketch_input_head", "smask_latent")
def test_inputs(output: Output) -> None:
    g = output.golden
    output.check(g.sketch()[..., :2, :8] if output.name == "sketch_input_head" else latent_mask(g))


@covers("clip.preprocessed")
def test_clip_input(output: Output) -> None:
    output.check(preprocess(output.golden.image("reference"))[..., ::16, ::16])


@covers("clip.full", "clip.local", "clip.cls")
def test_image_tokens(output: Output) -> None:
    full = parts(output.version).image_encoder(output.golden.image("reference"))
    output.check({"clip.full": full, "clip.local": patch_tokens(full), "clip.cls": full[:, :1]}[output.name])


@covers("clip.local_bleached")
def test_tokens_of_the_bleached_reference(output: Output) -> None:
    output.check(bleached_tokens(output.version))


@covers("control.*")
def test_sketch_features(output: Output) -> None:
    level = int(output.name.split(".")[1])
    output.check(torch.cat([list(of.values())[level] for of in features(output.version)]))


@covers("text")
def test_text_features(output: Output) -> None:
    path = parts(output.version).text
    assert path is not None
    output.check(load_text(path)(output.golden.inputs["text_tokens"]))


@covers("threshold_embedding")
def test_threshold_embedding(output: Output) -> None:
    embedder = parts(output.version).extras["threshold_embedder"]
    assert embedder is not None
    output.check(embedder(torch.tensor([REFERENCE_THRESHOLD, SKETCH_THRESHOLD])))


@covers("cluster.bg")
def test_token_transformer(output: Output) -> None:
    output.check(background_tokens(output.version))


@covers("context.*")
def test_contexts(output: Output) -> None:
    mode = output.name.split(".")[1]
    made = conditioning("v2", mode).cross_attention if output.version == "v2" else cross_attention_of(output.version, mode)
    output.check(made.context)


def posterior(version: str, image: Tensor) -> tuple[Tensor, Tensor]:
    found = parts(version).vae.encode(image).latent_dist
    return found.mean, found.logvar


@covers("vae.*")
def test_vae_encodes(output: Output) -> None:
    image = F.interpolate(output.golden.image("reference"), (128, 192), mode="bicubic")
    mean, logvar = posterior(output.version, image)
    output.check(mean if output.name == "vae.mean" else logvar)


@covers("inject.latent")
def test_latent_for_injection(output: Output) -> None:
    mean, logvar = posterior(output.version, output.golden.image("inject_reference"))
    output.check(SCALE * (mean + torch.exp(logvar / 2) * output.golden.inputs["noise_vae_ref"]))


@covers("decoded.*")
def test_vae_decodes(output: Output) -> None:
    latent = output.golden.outputs[output.name.replace("decoded.", "sample.")]
    image = parts(output.version).vae.decode(latent / SCALE).sample
    thinned = image.shape[-1] // output.expected.shape[-1]
    output.check(image[..., ::thinned, ::thinned])
