"""The docker's list of models, the mode of one, and the parameters that its spec describes."""

from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from tests.unit.plugin.bench import Bench

FINISHES = ["painted"]
SAMPLERS = (("dpm", "DPM++"), ("ddim", "DDIM"))


def moody(plugin: Any, **changes: Any) -> Any:
    """A model with everything that can be described."""
    model_spec = plugin.shared.model_spec
    parameters = (
        model_spec.ParameterInfo("strength", "Reference", "How strongly it colors.", "number", 1.0, 0.0, 2.0, 0.05),
        model_spec.ParameterInfo("side", "Size", "Pixels a side.", "integer", 512, 256, 1024, 64),
        model_spec.ParameterInfo("steps", "Steps", "How many.", "integer", 20, 1, 100),
        model_spec.ParameterInfo("merge", "Mixing", "How far the halves mix.", "number", 0.0, modes=("both",)),
        model_spec.ParameterInfo("tiled", "Tiles", "Decode in pieces.", "switch", False, advanced=True),
        model_spec.ParameterInfo("sampler", "Sampler", "Who steps.", "choice", "dpm", choices=SAMPLERS, advanced=True),
        model_spec.ParameterInfo("words", "Words", "What to change.", "text", "", advanced=True),
    )
    modes = (
        model_spec.ModeInfo("plain", "Whole image", "One reference for all."),
        model_spec.ModeInfo("both", "Foreground to foreground", "Each half apart.", ("mask",)),
    )
    fields = {"name": "moody", "title": "moody · Moods", "license": "CC0", "finishes": FINISHES, "ready": True}
    return model_spec.ModelInfo(**{**fields, "modes": modes, "parameters": parameters, **changes})


def mini(plugin: Any) -> Any:
    return plugin.shared.model_spec.ModelInfo("mini", "Mini", "MIT", ["flats", "painted"], True)


@pytest.fixture
def listed(bench: Bench, document: Any, plugin: Any, file: Path) -> Any:
    """A docker that knows two models, with a reference dropped."""
    bench.backend.models = [mini(plugin), moody(plugin)]
    bench.controller.models.refresh_or_start()
    bench.until(lambda: len(bench.controller.models.models) == 2 and not bench.controller.models.is_loading)
    bench.drop(file)
    return document


def colored(bench: Bench) -> Any:
    """The request that one press of Colorize sends."""
    bench.click("color")
    bench.until(bench.idle)
    return bench.backend.request


def texts(box: Any) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


def is_visible(bench: Bench, name: str) -> bool:
    return bool(bench.widget(name).isVisibleTo(bench.docker))


def test_before_anybody_was_asked_the_own_model_stands_alone(bench: Bench, document: Any) -> None:
    assert texts(bench.widget("model")) == ["mini"]
    assert not is_visible(bench, "mode") and not is_visible(bench, "moreParameters")
    assert "connect" not in bench.backend.calls  # no backend is started for a list that nobody looks at


def test_opening_the_list_asks_and_fills_it(bench: Bench, document: Any, plugin: Any) -> None:
    bench.backend.models = [
        mini(plugin),
        moody(plugin),
        moody(plugin, name="old", title="Old", ready=False, reason="CLIP is missing"),
    ]
    box = bench.widget("model")
    box.showPopup()
    bench.until(lambda: texts(box) == ["Mini", "moody · Moods", "Old"])
    assert box.view().isVisible()  # it stays open while it fills
    items = [box.model().item(index) for index in range(3)]
    assert [item.isEnabled() for item in items] == [True, True, False]
    assert items[2].data(Qt.ItemDataRole.ToolTipRole) == "CLIP is missing"
    assert "CC0" in items[1].data(Qt.ItemDataRole.ToolTipRole)
    box.hidePopup()


def test_a_backend_that_cannot_start_says_why(bench: Bench, document: Any) -> None:
    bench.backend.fail["connect"] = "NOT_INSTALLED"
    bench.widget("model").showPopup()
    bench.until(lambda: bench.says().startswith("Linewash's coloring program is not installed."))
    bench.widget("model").hidePopup()
    assert not bench.controller.models.is_loading


def test_a_starting_backend_is_asked_again(bench: Bench, document: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = plugin.shared.errors.LinewashError(plugin.shared.errors.ErrorCode.BACKEND_START)
    answers = [error, error, [mini(plugin)]]

    def models(client: Any, wait_s: float = 0.0) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("tests.unit.plugin.backend.Client.models", models)
    bench.controller.models.refresh_or_start()
    bench.until(lambda: len(bench.controller.models.models) == 1)
    assert not answers


def test_the_model_its_method_and_parameters_reach_the_request(bench: Bench, listed: Any) -> None:
    plain = colored(bench)
    assert (plain.model, plain.mode, dict(plain.parameters)) == ("mini", "", {})
    bench.pick("model", "moody · Moods")
    assert texts(bench.widget("mode")) == ["Whole image", "Foreground to foreground"]
    assert texts(bench.widget("finish")) == ["Painted"]
    untouched = colored(bench)
    assert (untouched.model, untouched.mode, dict(untouched.parameters)) == ("moody", "plain", {})
    assert (plain.steps, untouched.steps) == (6, 20)  # each model's own
    bench.pick("mode", "Foreground to foreground")
    bench.widget("slide_strength").setValue(10)
    bench.widget("set_side").setValue(768)
    bench.widget("set_merge").setValue(0.25)
    bench.widget("set_steps").setValue(35)
    bench.click("moreParameters")
    bench.click("set_tiled")
    bench.pick("set_sampler", "DDIM")
    words = bench.widget("set_words")
    QTest.keyClicks(words, "red hair")
    QTest.keyClick(words, Qt.Key.Key_Return)
    wanted = colored(bench)
    assert (wanted.mode, wanted.finish.value, wanted.steps) == ("both", "painted", 35)
    assert dict(wanted.parameters) == {
        "strength": 0.5, "side": 768, "merge": 0.25, "tiled": True, "sampler": "ddim", "words": "red hair"
    }  # fmt: skip


def test_a_parameter_of_another_mode_is_hidden_remembered_and_not_sent(bench: Bench, listed: Any) -> None:
    bench.pick("model", "moody · Moods")
    assert bench.docker.findChild(type(bench.widget("set_side")), "set_merge") is None
    bench.pick("mode", "Foreground to foreground")
    bench.widget("set_merge").setValue(0.25)
    bench.pick("mode", "Whole image")
    assert "merge" not in colored(bench).parameters
    bench.pick("mode", "Foreground to foreground")
    assert bench.widget("set_merge").value() == 0.25


def test_choices_are_remembered_for_each_document_and_each_model(bench: Bench, listed: Any, paper: Any) -> None:
    bench.pick("model", "moody · Moods")
    bench.widget("set_side").setValue(768)
    bench.pick("model", "Mini")
    assert not is_visible(bench, "mode")
    bench.pick("model", "moody · Moods")
    assert bench.widget("set_side").value() == 768
    paper.document()
    bench.docker.refresh()
    assert bench.widget("model").currentText() == "moody · Moods"  # the model chosen last, as it comes
    assert bench.widget("set_side").value() == 512
    assert bench.krita.Krita.instance().settings[("linewash", "model")] == "moody"


def test_results_tell_the_method_and_seed_0_means_no_chance_with_mini_only(bench: Bench, listed: Any) -> None:
    assert texts(bench.widget("variation")) == ["Most likely"]
    bench.pick("model", "moody · Moods")
    assert texts(bench.widget("variation")) == ["Seed 0"]
    assert bench.widget("model").toolTip().endswith("moody · Moods")
    bench.pick("mode", "Foreground to foreground")
    colored(bench)
    assert "Linewash 0 Foreground to foreground · mini" in [
        node.name() for node in listed.topLevelNodes()
    ]  # that backend is mini


def test_defaults_bring_everything_back(bench: Bench, listed: Any) -> None:
    bench.pick("model", "moody · Moods")
    assert not bench.widget("defaultParameters").isEnabled()
    bench.widget("set_side").setValue(768)
    bench.click("defaultParameters")
    assert bench.widget("set_side").value() == 512 and not bench.widget("defaultParameters").isEnabled()
    assert dict(colored(bench).parameters) == {}


def test_rare_parameters_are_folded_away(bench: Bench, listed: Any) -> None:
    bench.pick("model", "moody · Moods")
    assert is_visible(bench, "set_strength") and not is_visible(bench, "set_tiled")
    bench.click("moreParameters")
    assert is_visible(bench, "set_tiled")
    bench.click("moreParameters")
    assert not is_visible(bench, "set_tiled")


def test_every_parameter_explains_itself(bench: Bench, listed: Any) -> None:
    bench.pick("model", "moody · Moods")
    assert bench.widget("set_strength").parentWidget().toolTip() == "How strongly it colors."
    assert bench.widget("set_words").toolTip() == "What to change."
    bench.pick("mode", "Foreground to foreground")
    assert bench.widget("mode").toolTip() == "Each half apart. The list Foreground says what the foreground is."


def test_the_wheel_changes_nothing_and_typing_is_not_disturbed(bench: Bench, listed: Any) -> None:
    bench.pick("model", "moody · Moods")
    bench.docker.activateWindow()
    for name in ("set_side", "slide_side", "set_strength"):
        before, widget = bench.widget(name).value(), bench.widget(name)
        none, free = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        turn = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, none, free, False)
        QApplication.sendEvent(widget, turn)
        assert bench.widget(name).value() == before
    number = bench.widget("set_side")
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "7")
    bench.docker.refresh()
    assert number.text() == "7"
    QTest.keyClicks(number, "04")
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert colored(bench).parameters["side"] == 704


def test_a_chosen_model_that_is_gone_is_shown_by_its_name(bench: Bench, document: Any, plugin: Any) -> None:
    bench.krita.Krita.instance().settings[("linewash", "model")] = "lost"
    bench.backend.models = [mini(plugin)]
    other = bench.krita.Krita.instance().createDocument(96, 80, "other", "RGBA", "U8", "", 300.0)
    bench.krita.Krita.instance().front = other
    bench.docker.refresh()
    bench.until(lambda: len(bench.controller.models.models) == 1)  # it is looked for at once
    bench.docker.refresh()
    assert bench.widget("model").currentText() == "lost"
    bench.click("color")
    assert bench.says().startswith("That model is not installed.")
    bench.until(lambda: not bench.controller.models.is_loading)
    bench.pick("model", "Mini")
    assert texts(bench.widget("model")) == ["Mini"]


def test_color_before_the_model_is_known_asks_for_patience(bench: Bench, document: Any) -> None:
    bench.docker._choose(model="moody")
    bench.click("color")
    assert bench.says() == "Looking for the model… Press Colorize again in a moment."
    bench.until(lambda: not bench.controller.models.is_loading)
    assert bench.backend.request is None


def test_a_value_that_the_model_forbids_by_now_is_left_out(plugin: Any) -> None:
    settings, models = plugin.state.choices, plugin.state.model_choices
    values = plugin.shared.model_spec.ParameterValues({"side": 5000, "strength": 0.5, "gone": 1})
    choices = settings.DockerState(model="moody", options_by_model=(("moody", settings.ModelOptions("gone", values)),))
    assert dict(models.chosen_values(choices, moody(plugin))) == {"strength": 0.5}
    assert models.selected_mode(choices, moody(plugin)).name == "plain"


def test_with_a_long_form_the_docker_stays_in_its_column(bench: Bench, listed: Any) -> None:
    bench.docker.resize(260, 700)
    bench.pick("model", "moody · Moods")
    bench.click("moreParameters")
    QTest.qWait(50)
    assert bench.docker.minimumSizeHint().width() <= 260
    bench.docker.resize(260, 10)
    QTest.qWait(50)
    assert bench.docker.width() == 260 and is_visible(bench, "color")
