"""Tall characters: proportions, poses, and references that show the same clothes."""

import numpy as np
import pytest

from backend.training.synthetic.mixture import draw_set
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.tall.arms import arm_joints, draw_limb, elbow_cosine
from backend.training.synthetic.tall.body import tall_body_shape
from backend.training.synthetic.tall.identity import change_clothes, random_tall_identity, random_tall_pose, vary_slightly
from backend.training.synthetic.tall.source import SAME_POSE_SHARE, Tall2D, draw_tall_character


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([9, seed])


def test_heads_high() -> None:
    """From crown to sole a character is 5.5 to 7.5 of its heads high, hair and hats aside."""
    for seed in range(30):
        who, pose = random_tall_identity(generator(seed)), random_tall_pose(generator(seed))
        f = tall_body_shape(who, pose)
        sole = f.hip + f.leg + 0.35
        assert (sole + 1.05) / 2.2 == pytest.approx(who.measures["heads"], abs=0.1)
        assert f.shoulder < f.waist < f.hip < 0.55 * sole
        _, high = draw_tall_character(who, pose).bounds()
        assert sole - 0.4 < high[1] < sole + 1.6


def test_arms_reach_where_their_pose_says() -> None:
    for seed in range(40):
        who, pose = random_tall_identity(generator(seed)), random_tall_pose(generator(seed))
        f = tall_body_shape(who, pose)
        for side, kind in zip((-1, 1), pose.arms, strict=True):
            shoulder, elbow, wrist = arm_joints(f, pose, side)
            assert np.linalg.norm(elbow - shoulder) < 1.8 * f.arm
            if kind == "hang":
                assert wrist[1] > f.waist and elbow_cosine(np.stack([shoulder, elbow, wrist])) > 0.5
            if kind == "raised":
                assert wrist[1] < f.shoulder + 1
            if kind == "crossed":
                assert (wrist[0] - f.spine_x(wrist[1])) * side < 0.2  # beyond the middle


def test_sharply_folded_limbs_come_in_two_pieces() -> None:
    sheet = Sheet()
    straight, folded = np.array([[0.0, 0], [0, 2], [0.2, 4]]), np.array([[0.0, 0], [0, 2], [0.3, 0.5]])
    assert len(draw_limb(sheet, straight, (0.3, 0.3, 0.2), "skin", 0.02)) == 1
    assert len(draw_limb(sheet, folded, (0.3, 0.3, 0.2), "skin", 0.02)) == 2


def test_the_next_drawing_of_a_sprite_keeps_its_stance() -> None:
    unchanged = 0
    for seed in range(60):
        rng = generator(seed)
        pose = random_tall_pose(rng)
        again = vary_slightly(rng, pose)
        assert again.turn == pose.turn and again.arms[0] == pose.arms[0]
        assert again.base.yaw == pose.base.yaw and abs(again.base.tilt - pose.base.tilt) < 0.2
        unchanged += again.arms == pose.arms
    assert 30 < unchanged < 60


def test_a_third_of_references_are_nearly_the_same_drawing() -> None:
    source = Tall2D(Backgrounds(None, 1.0))
    kinds = [draw_set(source, 1, i, 64).source for i in range(150)]
    assert kinds.count("tall/same") / 150 == pytest.approx(SAME_POSE_SHARE, abs=0.12)
    assert set(kinds) == {"tall/same", "tall/other", "tall/changed"}


def test_other_clothes_keep_paint_and_head() -> None:
    for seed in range(20):
        rng = generator(seed)
        who = random_tall_identity(rng)
        other = change_clothes(rng, who)
        assert other.palette is who.palette and other.measures is who.measures
        for part in ("mane", "fringe", "eyes", "glasses", "female"):
            assert other.traits[part] == who.traits[part]


def test_white_paper_when_asked() -> None:
    source = Tall2D(Backgrounds(None, 1.0))
    for index in range(10):
        item = draw_set(source, 2, index, 64)
        assert (item.color[item.mask == 0] == 255).all()
        assert (item.ref[item.refmask == 0] > 250).all()
