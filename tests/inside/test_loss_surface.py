"""The loss on a plane, against the line and a network moved by hand; and that it is kept by weights and settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from resnet_demo.config import ModelConfig
from resnet_demo.inside import loss_surface
from resnet_demo.inside.context import Context, ExperimentCancelled
from resnet_demo.inside.laboratory import Laboratory
from resnet_demo.inside.loss_line import direction, moved
from resnet_demo.inside.outcome import Outcome, Panel, to_csv
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import Sample, sample
from resnet_demo.inside.stored_outcomes import StoredOutcomes
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.results import plots
from resnet_demo.ui.widget import FOLDER
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import SHIPPED

PICTURES = Sample(torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(6))


def tiny() -> ResNet:
    """A network whose normalization has statistics of its own, so that fusing it changes filters and biases."""
    model = build(ModelConfig(depth=8, width=4), seed=1).train()
    with torch.no_grad():
        for _ in range(30):
            model(PICTURES.inputs)
    return model.eval().requires_grad_(False)


def test_each_place_of_the_plane_is_the_loss_of_the_network_moved_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_surface, "distances", lambda: (-1.0, 0.0, 0.5))
    model, sentences = tiny(), list[str]()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    heights = loss_surface.losses(model, PICTURES, 3, Context(Context.alone().load, sentences.append, lambda: False))
    ways = [direction(model, seed) for seed in (3, 3 + loss_surface.SECOND_SEED)]
    for number, height in enumerate(heights):
        second, first = ((-1.0, 0.0, 0.5)[place] for place in divmod(number, 3))
        network = moved(moved(model, ways[0], first), ways[1], second)
        assert height == pytest.approx(float(cross_entropy(network(PICTURES.inputs), PICTURES.labels)), rel=1e-3, abs=1e-4)
    assert len(sentences) == 9
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_surface_ends_when_nobody_waits() -> None:
    with pytest.raises(ExperimentCancelled):
        loss_surface.losses(tiny(), PICTURES, 0, Context(Context.alone().load, str, lambda: True))


MAP = Panel("N", form="map", axis=(-1.0, 0.0, 1.0), heights=(9.0, 2.0, 9.0, 2.0, 0.2, 2.0, 9.0, 2.0, 9.0), kind="plain")
OUTCOME = Outcome("S.", "C.", (MAP,))


def test_a_surface_is_kept_by_weights_and_settings(tmp_path: Path) -> None:
    stored, request = StoredOutcomes(tmp_path / "inside", max_bytes=300), InsideRequest(experiment="surface", seed=7)
    assert stored.get(request) is None
    stored.put(request, OUTCOME)
    assert Laboratory(StoredOutcomes(tmp_path / "inside")).find(request) == OUTCOME
    for other in ({"seed": 1}, {"second": ""}, {"model": "plain20-cifar10", "second": "resnet20-cifar10"}):
        assert stored.get(request.model_copy(update=other)) is None
    stored.put(request.model_copy(update={"seed": 1}), OUTCOME)
    (file,) = (tmp_path / "inside").glob("*.json")
    file.write_text("{")
    assert stored.get(request.model_copy(update={"seed": 1})) is None


def test_the_page_and_the_picture_draw_contours_at_the_same_losses() -> None:
    script = (FOLDER / "inside.map.js").read_text(encoding="utf-8")
    assert f"const contours = {json.dumps(plots.CONTOURS)};" in script


def test_a_map_has_a_table_and_a_picture() -> None:
    assert b"N,second direction 0.0,0.0,0.2\r\n" in to_csv(OUTCOME)
    assert plots.to_png(plots.experiment(OUTCOME, "T")).startswith(b"\x89PNG")


@pytest.mark.parametrize(("model", "second"), loss_surface.PAIRS)
def test_the_surfaces_that_ship_are_those_of_the_weights_that_ship(model: str, second: str, tmp_path: Path) -> None:
    outcome = Laboratory(StoredOutcomes(tmp_path)).find(InsideRequest(experiment="surface", model=model, second=second))
    assert outcome is not None
    everywhere = [height for panel in outcome.panels for height in panel.heights]
    assert {panel.limits for panel in outcome.panels} == {(min(everywhere), max(everywhere))}
    places, side = loss_surface.distances(), loss_surface.SIDE
    for name, panel in zip((model, second), outcome.panels, strict=True):
        assert panel.axis == places
        assert len(panel.heights) == side**2
        weights = folder.load(SHIPPED / name)
        pictures = sample(weights)
        inputs, labels = pictures.inputs[::2], pictures.labels[::2]
        ways = [direction(weights.model, seed) for seed in (0, loss_surface.SECOND_SEED)]
        for row, column in ((side // 2, side // 2), (side // 2 + 2, side // 2 - 3)):
            network = moved(moved(weights.model, ways[0], places[column]), ways[1], places[row])
            with torch.no_grad():
                loss = float(cross_entropy(network(inputs), labels))
            assert panel.heights[row * side + column] == pytest.approx(loss, rel=5e-3)
