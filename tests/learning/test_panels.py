from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from noisylabels.learning.panels import COLOURS, FieldPanels, draw_panel
from tests.cases import draw


def test_image_labels_and_prediction_stand_side_by_side() -> None:
    image = np.zeros((2, 2, 3))
    image[0, 0, 0] = image[1, 1, 2] = 1
    panel = draw_panel(image, draw("1.. / ..2"), draw("... / ..."))
    assert panel.shape == (2, 9, 3)
    assert panel[0, 0].tolist() == [255, 0, 0]
    assert panel[1, 2].tolist() == [0, 255, 0]
    assert (panel[:, 3:6] == COLOURS[draw("1.. / ..2")]).all()
    assert not panel[:, 6:].any()


def test_an_empty_field_of_one_channel_is_black() -> None:
    assert not draw_panel(np.full((1, 2, 3), 7.0), draw("... / ..."), draw("... / ...")).any()


def test_the_same_first_fields_are_shown_every_epoch_in_rows_and_columns(tmp_path: Path) -> None:
    def validate(engine: Engine, number: int) -> None:
        label = torch.full((1, 5, 4), float(number))  # x, y
        engine.state.output = [{"image": torch.zeros(2, 5, 4), "label": label, "pred": label}]

    engine = Engine(lambda engine, number: validate(engine, number) or engine.state.output)
    FieldPanels(tmp_path, n_fields=2).attach(engine)
    engine.run([0, 1, 2], max_epochs=2)
    events = EventAccumulator(str(tmp_path), size_guidance={"images": 0})
    events.Reload()
    assert events.Tags()["images"] == ["validation field 1", "validation field 2"]
    shown = events.Images("validation field 2")
    assert [(picture.step, picture.width, picture.height) for picture in shown] == [(1, 15, 4), (2, 15, 4)]
