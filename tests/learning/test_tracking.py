"""Scalars in MLflow: refused in one sentence where it is not installed; what it holds where it is."""

import importlib.util
import re
from pathlib import Path

import pytest
from ignite.engine import Engine

from noisylabels.data.errors import InputError
from noisylabels.learning.tracking import EpochTracker

INSTALLED = importlib.util.find_spec("mlflow") is not None


def run_engine(epochs: int, **settings: object) -> Engine:
    engine = Engine(lambda engine, number: number)
    engine.add_event_handler("EPOCH_STARTED", lambda engine: engine.state.metrics.update(score=engine.state.epoch / 4))
    EpochTracker(**settings).attach(engine)  # type: ignore[arg-type]
    engine.run([0, 1], max_epochs=epochs)
    return engine


def test_a_missing_package_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    sentence = (
        "The preset mlflow must have the package mlflow, got an installation without it. "
        "pip install 'noisylabels[mlflow]'"
    )
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        EpochTracker(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not INSTALLED, reason="needs MLflow: pip install 'noisylabels[mlflow]'")
@pytest.mark.filterwarnings("ignore")
def test_every_epoch_and_the_settings_are_in_the_folders_own_database(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    run_engine(3, output_dir=tmp_path / "run", settings={"label_name": "cip"}, last=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'run' / 'mlruns.db'}")
    experiment = client.get_experiment_by_name("noisylabels")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["label_name"] == "cip"
    logged = client.get_metric_history(run.info.run_id, "score")
    assert [(each.step, each.value) for each in logged] == [(1, 0.25), (2, 0.5), (3, 0.75)]


def test_no_config_can_name_a_server_or_a_file_to_send(tmp_path: Path) -> None:
    for name in ("tracking_uri", "artifacts", "artifact_location"):
        with pytest.raises(TypeError, match=name):
            EpochTracker(tmp_path, **{name: "http://example.org"})
