"""Handlers on an engine of three lines: what they do, not how MONAI calls them."""

import json
import re
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents

from noisylabels.data.errors import InputError
from noisylabels.learning.checkpoint_handlers import BestModelSaver
from noisylabels.learning.checkpoints import load
from noisylabels.learning.divergence import StopOnDivergence
from noisylabels.learning.inferer import FastInferer
from noisylabels.learning.report import EpochReport


def diverging(losses: list[float]) -> Engine:
    """An engine whose only batch has one prediction per field; its loss is the mean of the predictions."""

    def step(engine: Engine, batch: dict) -> None:
        predictions = torch.tensor(losses).view(-1, 1)
        engine.state.output = {"pred": predictions, "label": predictions, "loss": predictions.mean()}
        engine.fire_event(IterationEvents.LOSS_COMPLETED)

    engine = Engine(step)
    engine.register_events(*IterationEvents)
    StopOnDivergence(lambda prediction, label: prediction.mean()).attach(engine)
    return engine


def test_a_finite_loss_goes_on() -> None:
    assert diverging([0.5, 0.5]).run([{"id": ["a", "b"]}], max_epochs=2).epoch == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_and_names_the_field(value: float) -> None:
    message = (
        f"The loss must be finite, got {value} in epoch 1, iteration 1, at B07_f3. "
        "Lower --learning_rate, or look at that field."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        diverging([0.5, value, 0.5]).run([{"id": ["B07_f2", "B07_f3", "B07_f4"]}])


def test_fields_without_a_name_are_counted() -> None:
    with pytest.raises(InputError, match="at number 2 of the batch"):
        diverging([0.5, float("nan")]).run([{}])


def validator(scores: list[float]) -> Engine:
    """An engine with a score per epoch, compared as MONAI's evaluators do."""
    engine = Engine(lambda engine, batch: None)
    engine.state.best_metric, engine.state.best_metric_epoch = -1.0, -1
    engine.state.key_metric_name = "val_mean_iou"

    @engine.on(Events.EPOCH_COMPLETED)
    def compare(engine: Engine) -> None:
        engine.state.metrics["val_mean_iou"] = scores[engine.state.epoch - 1]
        if engine.state.metrics["val_mean_iou"] > engine.state.best_metric:
            engine.state.best_metric = engine.state.metrics["val_mean_iou"]
            engine.state.best_metric_epoch = engine.state.epoch

    return engine


def test_the_best_model_is_kept_and_a_worse_one_does_not_replace_it(tmp_path: Path) -> None:
    network = torch.nn.Linear(1, 1)
    engine = validator([0.5, 0.7, 0.6])

    @engine.on(Events.EPOCH_STARTED)
    def change(engine: Engine) -> None:
        network.weight.data.fill_(engine.state.epoch)

    BestModelSaver(network, tmp_path / "model.pt").attach(engine)
    engine.run([0], max_epochs=3)
    assert float(load(tmp_path / "model.pt")["weight"]) == 2


def test_each_epoch_is_recorded_once_and_nan_as_null(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    for n_epochs in (3, 2):  # the second run repeats epochs 1 and 2
        trainer = Engine(lambda engine, batch: None)
        engine = validator([0.5, float("nan"), 0.7])
        engine.state.epoch = 0

        @trainer.on(Events.EPOCH_COMPLETED)
        def validate(trainer: Engine, engine: Engine = engine) -> None:
            engine.run([0], max_epochs=trainer.state.epoch)

        EpochReport(path, engine).attach(trainer)
        trainer.run([0], max_epochs=n_epochs)
        scores = [{"epoch": 1, "val_mean_iou": 0.5}, {"epoch": 2, "val_mean_iou": None}]
        assert json.loads(path.read_text())[:2] == scores
    assert len(json.loads(path.read_text())) == 2


@pytest.mark.parametrize("channels_last", [False, True])
def test_mixed_precision_gives_float32_logits_near_the_exact_ones(channels_last: bool) -> None:
    torch.manual_seed(0)
    network, image = torch.nn.Conv2d(2, 3, 3), torch.randn(1, 2, 9, 9)
    exact = network(image)
    assert torch.equal(FastInferer()(image, network), exact)
    mixed = FastInferer(amp=True, channels_last=channels_last)(image, network)
    assert mixed.dtype == torch.float32
    assert 0 < (mixed - exact).abs().max().item() < 0.05
