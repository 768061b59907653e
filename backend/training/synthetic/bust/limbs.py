"""Legs and arms with clothes and shoes."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, draw_folds, draw_pattern
from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, smooth, tube


def draw_legs(sheet: Sheet, who: Identity, pose: Pose, f: BodyShape) -> None:
    """Legs with trousers, shorts, socks or boots, and shoes."""
    line, w = who.line_width, f.wh * 0.46
    for side, (upper, lower) in zip((-1, 1), pose.legs, strict=True):
        hip = np.array([f.spine_x(f.hip) + side * f.wh * 0.48, f.hip - 0.1])
        knee = hip + f.leg * 0.5 * np.array([side * np.sin(upper), np.cos(upper)])
        ankle = knee + f.leg * 0.5 * np.array([side * np.sin(upper + lower), np.cos(upper + lower)])
        # The bare leg comes first; socks, trousers and boots are drawn over it.
        skin = sheet.fill(tube([hip, knee, ankle], (w, w * 0.78, w * 0.5)), "skin", line)
        kind = who.traits["bottom"]
        toe = ankle + np.array([side * 0.28 + pose.yaw * 0.15, 0.24])
        shoe = smooth(
            [
                ankle + [-w * 0.6, -0.1],
                ankle + [w * 0.6, -0.1],
                toe + [w * 0.5 * (1 if side > 0 else 0.3), 0.02],
                toe + [0, 0.16],
                ankle + [-side * w * 0.75, 0.36],
            ],
            steps=4,
        )
        if who.traits["legs"] == "socks":
            high = knee * who.measures["hem"] + ankle * (1 - who.measures["hem"])
            sheet.fill(tube([high, (high + ankle) / 2, ankle], (w * 0.82, w * 0.74, w * 0.56)), "socks", line)
        if kind == "trousers":
            end = ankle + [0, 0.06]
            leg = sheet.fill(
                tube([hip, knee, end], (w * 1.16, w * 0.98, w * (0.6 + 0.5 * who.measures["flare"] * 0.6))), "bottom", line
            )
            draw_pattern(sheet, who, leg, "bottom")
            draw_folds(
                sheet,
                who,
                leg,
                [
                    ((hip[0] - side * 0.2, hip[1] + 0.4), (hip[0] + side * 0.15, hip[1] + 0.6)),
                    ((knee[0] - w * 0.7, knee[1]), (knee[0] + w * 0.1, knee[1] + 0.1)),
                ],
            )
        elif kind == "shorts":
            stop = hip + (knee - hip) * (0.35 + 0.6 * who.measures["hem"])
            leg = sheet.fill(tube([hip, (hip + stop) / 2, stop], (w * 1.16, w * 1.14, w * 1.12)), "bottom", line)
            draw_pattern(sheet, who, leg, "bottom")
        if who.traits["legs"] == "boots":
            high = knee * 0.75 + ankle * 0.25
            sheet.fill(tube([high, (high + ankle) / 2, ankle], (w * 0.95, w * 0.84, w * 0.68)), "shoes", line)
            sheet.fill(tube([high - [0, 0.12], high + [0, 0.12]], (w * 1.02, w * 1.0), 2), "trim", line)
        sheet.fill(shoe, "shoes", line)
        sheet.stroke(
            bezier((knee[0] - w * 0.3, knee[1]), (knee[0], knee[1] + 0.1), (knee[0] + w * 0.3, knee[1])), line * 0.5, skin
        )


def draw_arm(sheet: Sheet, who: Identity, pose: Pose, f: BodyShape, side: int) -> None:
    """Arm, hand and sleeve; side: -1 left, 1 right."""
    line, w = who.line_width, who.measures["arm"]
    upper, lower = pose.arms[0 if side < 0 else 1]
    shoulder = np.array([f.spine_x(f.shoulder) + side * f.ws * 0.86, f.shoulder + 0.26])
    elbow = shoulder + f.arm * np.array([side * np.sin(upper), np.cos(upper)])
    turn = upper + lower
    wrist = elbow + f.arm * 0.95 * np.array([side * np.sin(turn), np.cos(turn)])
    out = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
    across = np.array([-out[1], out[0]])
    sheet.fill(tube([shoulder, elbow, wrist], (w, w * 0.9, w * 0.7)), "skin", line)
    palm = wrist + out * w * 0.7
    hand = sheet.fill(
        smooth(
            [
                wrist - across * w * 0.6,
                palm - across * w * 0.85,
                palm + out * w * 1.0 - across * w * 0.4,
                palm + out * w * 1.05 + across * w * 0.35,
                palm + across * w * 0.85,
                wrist + across * w * 0.6,
            ],
            steps=5,
        ),
        "skin",
        line,
    )
    sheet.fill(
        tube([wrist + across * side * w * 0.5, palm + across * side * w * 1.15 + out * w * 0.3], (w * 0.28, w * 0.2), 4),
        "skin",
        line,
    )
    for k in (-0.25, 0.1):
        sheet.stroke(np.stack([palm + across * w * k + out * w * 0.3, palm + across * w * k + out * w]), line * 0.6, hand)
    reach = who.measures["sleeve_len"]
    if reach <= 0 or (who.traits["top"] == "vest" and reach < 0.4):
        return
    material = "shirt" if who.traits["top"] in ("vest", "armor") else "top"
    grow = who.measures["sleeve"]
    # The sleeve begins inside the body, so that the shoulder is round.
    root = shoulder + np.array([-side * w * 0.9, -w * 0.35])
    if reach <= 0.5:
        stop = shoulder + (elbow - shoulder) * min(0.95, reach * 1.9)
        spine, widths = [root, (shoulder * 1.2 + stop * 0.8) / 2, stop], (w * 0.55, w * grow * 1.05, w * grow * 0.95)
    else:
        stop = elbow + (wrist - elbow) * (reach - 0.5) * 2
        spine, widths = (
            [root, shoulder + (elbow - shoulder) * 0.25, elbow, stop],
            (w * 0.55, w * 1.22, w * (1.1 + grow * 0.15), w * grow),
        )
    sleeve = sheet.fill(tube(spine, widths), material, line)
    draw_pattern(sheet, who, sleeve, "top")
    draw_folds(
        sheet,
        who,
        sleeve,
        [
            ((elbow[0] - w * 0.8, elbow[1] - 0.1), (elbow[0] + w * 0.2, elbow[1] + 0.05)),
            ((elbow[0] - w * 0.5, elbow[1] + 0.15), (elbow[0] + w * 0.4, elbow[1] + 0.2)),
        ],
    )
    if who.traits["cuffs"] == "cuffs":
        back = stop - (stop - np.asarray(spine[-2])) / max(float(np.linalg.norm(stop - np.asarray(spine[-2]))), 1e-6) * 0.22
        sheet.fill(tube([back, stop + (stop - back) * 0.15], (widths[-1] * 1.06, widths[-1] * 1.08), 2), "trim", line)
