"""Teachers, corrections, triggers, co-teaching, trusted mixing, thresholds and memorisation curves."""

import math

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.engines import SupervisedTrainer
from monai.utils.enums import CommonKeys
from torch import nn

from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.learning.robust.correction import CorrectionRules, OnlineCorrection, correct_events
from noisylabels.learning.robust.coteaching import CoTeaching, redrawn, smallest_by_class
from noisylabels.learning.robust.early_learning import EarlyLearningTrigger, changes_of_slope, has_ended
from noisylabels.learning.robust.memorisation import EventFit, MemorisationCurves, fit_of_events
from noisylabels.learning.robust.pixel_losses import CrossEntropy
from noisylabels.learning.robust.teacher import EMATeacher, Follow
from noisylabels.learning.robust.threshold import apply_threshold, marginal_threshold
from noisylabels.learning.robust.trusted import mix_trusted
from tests.cases import draw

ANY_SIZE = CorrectionRules(min_area_px=1)


def sure(picture, confidence=0.95, n_classes=3):
    """Probabilities of a teacher that is this confident of a drawing."""
    classes = draw(picture)
    rest = (1 - confidence) / (n_classes - 1)
    return np.stack([np.where(classes == c, confidence, rest) for c in range(n_classes)])


def test_an_empty_field_stays_empty_when_the_teacher_sees_nothing():
    corrected, counts = correct_events(draw("..../...."), sure("..../...."), ANY_SIZE)
    assert corrected.max() == 0
    assert counts == {"added": 0, "relabelled": 0, "ignored": 0}


def test_a_missed_event_is_added_with_its_class():
    corrected, counts = correct_events(draw("1..../....."), sure("1...2/....2"), ANY_SIZE)
    assert corrected.tolist() == draw("1...2/....2").tolist()
    assert counts["added"] == 1


def test_a_predicted_event_that_touches_a_label_is_no_new_event():
    corrected, _ = correct_events(draw("1..../....."), sure("11.../....."), ANY_SIZE)
    assert corrected.tolist() == draw("1..../.....").tolist()


def test_an_unsure_teacher_adds_nothing():
    corrected, _ = correct_events(draw(".../..."), sure("..1/...", confidence=0.7), ANY_SIZE)
    assert corrected.max() == 0


def test_an_event_that_the_teacher_has_not_learnt_keeps_its_label():
    corrected, counts = correct_events(draw("1..2/1..2"), sure("..../....", confidence=0.999), CorrectionRules())
    assert corrected.tolist() == draw("1..2/1..2").tolist()
    assert counts["ignored"] == 0


def test_only_the_classes_that_are_done_are_corrected():
    labels, probabilities = draw("1.2......"), sure("2...1...2")
    rules = CorrectionRules(min_area_px=1, ignore_below=0.1)
    corrected, counts = correct_events(labels, probabilities, rules, only={1})
    assert corrected.tolist() == draw("1.2.1....").tolist()
    assert counts == {"added": 1, "relabelled": 0, "ignored": 0}
    assert correct_events(labels, probabilities, rules, only=())[0].tolist() == labels.tolist()


def test_a_misclassified_event_is_relabelled_and_a_spurious_one_ignored_where_that_is_asked_for():
    rules = CorrectionRules(min_area_px=1, ignore_below=0.1)
    corrected, counts = correct_events(draw("1..2/1..2"), sure("2.../2..."), rules)
    assert corrected.tolist() == [[2, 0, 0, IGNORE_INDEX]] * 2
    assert counts == {"added": 0, "relabelled": 1, "ignored": 1}


def test_a_small_prediction_is_not_added():
    corrected, _ = correct_events(draw(".../..."), sure("..1/..."), CorrectionRules(min_area_px=2))
    assert corrected.max() == 0


def test_the_teacher_is_the_moving_average_of_the_students_weights():
    student = nn.Linear(1, 1, bias=False)
    nn.init.constant_(student.weight, 8.0)  # not by lot: near 0 the average would be what rounding left
    teacher = EMATeacher(student, decay=0.75)
    for value, mean in ((4.0, 7.0), (3.0, 6.0), (-2.0, 4.0)):  # 7 = .75 x 8 + .25 x 4, and so on
        nn.init.constant_(student.weight, value)
        teacher.update()
        assert teacher.network.weight.item() == mean
        assert student.weight.item() == value


def test_a_teachers_state_makes_the_round_trip():
    teacher = EMATeacher(nn.Linear(2, 2))
    other = EMATeacher(nn.Linear(2, 2))
    other.load_state_dict(teacher.state_dict())
    assert torch.equal(other.network.weight, teacher.network.weight)


class Painter(nn.Module):
    """Always predicts one drawing."""

    def __init__(self, picture):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("logits", torch.as_tensor(np.log(sure(picture))).float())

    def forward(self, images):
        return self.scale * self.logits.expand(len(images), -1, -1, -1)


def trainer(network, labels, **settings):
    image = settings.pop("images", torch.zeros(len(labels), 1, *labels.shape[-2:]))
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=settings.pop("max_epochs", 3),
        train_data_loader=[{"image": image, "label": labels, "truth": settings.pop("truth", labels)}],
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.0),
        loss_function=CrossEntropy(),
        decollate=settings.pop("decollate", False),
        **settings,
    )


def as_batch(picture):
    return torch.as_tensor(draw(picture))[None, None].float()


def test_labels_are_corrected_from_the_starting_epoch_on():
    network = Painter("1...2/....2")
    correction = OnlineCorrection(EMATeacher(network), ANY_SIZE, start=2)
    engine = trainer(network, as_batch("1..../....."), prepare_batch=correction)
    Follow(correction).attach(engine)
    seen = []
    engine.add_event_handler(
        "ITERATION_COMPLETED", lambda e: seen.append((e.state.output[CommonKeys.LABEL] > 0).sum().item())
    )
    engine.run()
    assert seen == [1, 3, 3]
    assert correction.counts == {"added": 1, "relabelled": 0, "ignored": 0}


SATURATING = [0.8 * (1 - math.exp(-t / 2)) for t in range(16)]
ACCELERATING = [0, 0.01, 0.05, 0.3, 0.6]


def first_epoch(fit):
    """The epoch at which a trigger fires that sees one epoch after the other."""
    for epoch in range(1, len(fit) + 1):
        if has_ended(fit[:epoch]):
            return epoch
    return None


def test_the_change_of_slope_is_that_of_the_curve_the_fit_was_drawn_from():
    # f = .8 (1 - exp(-t / 2)): f'(t) / f'(1) = exp(-(t - 1) / 2)
    on_grid = [0.8 * (1 - math.exp(-t / 2)) for t in np.linspace(0, 16, 16)]
    expected = [1 - math.exp(-(t - 1) / 2) for t in range(1, 17)]
    assert changes_of_slope(on_grid).tolist() == pytest.approx(expected, abs=1e-3)


def test_a_saturating_fit_ends_early_learning_where_its_slope_has_fallen_by_nine_tenths():
    # 1 - exp(-(t - 1) / 2) > .9 from t = 5.6 on: at most .9 at five epochs, so that the sixth is the first; later where
    # fewer epochs stretch the grid, as the authors' linspace(0, n, n) does
    assert first_epoch(SATURATING) in (6, 7)


def test_a_fit_that_accelerates_or_grows_slowly_has_not_slowed_down():
    assert first_epoch(ACCELERATING) is None
    assert first_epoch([0.05 * t for t in range(11)]) is None
    assert changes_of_slope([0.0] * 6).tolist() == []
    assert changes_of_slope([]).tolist() == []


def test_leading_epochs_that_gain_little_are_left_out():
    assert len(changes_of_slope([0.0, 0.02, 0.04, *[0.04 + value for value in SATURATING]])) == len(SATURATING)


def test_the_trigger_counts_the_fit_to_the_training_labels():
    network = Painter("11../....")
    trigger = EarlyLearningTrigger(3)
    engine = trainer(network, as_batch("1.../...2"), max_epochs=2)
    trigger.attach(engine)
    engine.run()
    # class 1: one hit in a union of two pixels; class 2: no hit; background: 5 hits in a union of 7
    assert trigger.history == [[pytest.approx(5 / 7), 0.5, 0.0]] * 2
    assert trigger() == frozenset()


def test_a_class_whose_early_learning_has_ended_stays_done():
    trigger = EarlyLearningTrigger(3)
    engine = Engine(lambda *_: None)
    trigger.attach(engine)
    trigger.load_state_dict({"history": [[0.9, value, 0.0] for value in SATURATING], "done": []})
    trigger._close()
    assert trigger() == {1}
    trigger.load_state_dict({"history": [[0.9, 0.0, 0.0]], "done": [1]})  # as if the curve said otherwise now
    trigger._close()
    assert trigger() == {1}
    assert trigger.state_dict()["done"] == [1]


def test_co_teaching_keeps_the_pixels_of_each_class_that_surprise_the_peer_least():
    cost = torch.tensor([[0.1, 5.0, 0.2, 0.3], [7.0, 9.0, 8.0, 6.0]])
    labels = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
    assert smallest_by_class(cost, labels, 0.75).tolist() == [[True, False, True, True], [True, False, True, True]]
    assert smallest_by_class(cost, labels, 0.0).sum() == 2  # of each class at least one


def test_the_second_network_follows_the_schedule_and_the_weight_decay_of_the_first():
    network = nn.Conv2d(1, 3, 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.5, weight_decay=0.25)
    step = CoTeaching(network, optimizer)
    assert isinstance(step.optimizer, torch.optim.AdamW)
    assert step.optimizer.param_groups[0]["params"][0] is step.peer.weight
    engine = trainer(network, as_batch("12../...."), iteration_update=step, max_epochs=1)
    engine.optimizer = optimizer
    optimizer.param_groups[0]["lr"] = 0.125  # as a schedule would
    engine.run()
    assert (step.optimizer.param_groups[0]["lr"], step.optimizer.param_groups[0]["weight_decay"]) == (0.125, 0.25)


def test_co_teaching_trains_both_networks():
    network = nn.Conv2d(1, 3, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    step = CoTeaching(network, optimizer, forget=0.25, ramp_epochs=1)
    before = [p.detach().clone() for net in (network, step.peer) for p in net.parameters()]
    engine = trainer(network, as_batch("12../...."), iteration_update=step, max_epochs=1)
    engine.optimizer = optimizer
    engine.run()
    after = [p for net in (network, step.peer) for p in net.parameters()]
    assert any((a != b).any() for a, b in zip(before[:2], after[:2], strict=True))
    assert any((a != b).any() for a, b in zip(before[2:], after[2:], strict=True))


def test_a_redrawn_network_differs_and_leaves_the_random_state_alone():
    network = nn.Conv2d(1, 3, 3)
    state = torch.random.get_rng_state()
    peer = redrawn(network, seed=4)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not torch.equal(peer.weight, network.weight)
    assert torch.equal(peer.weight, redrawn(network, seed=4).weight)


def test_trusted_cases_reach_their_share_and_replace_their_twins():
    noisy = [{"image": f"{i}", "label": "cip"} for i in range(30)]
    trusted = [{"image": f"{i}", "label": "truth"} for i in range(3)]
    mixed = mix_trusted(noisy, trusted, share=0.25)
    assert sum(case["label"] == "truth" for case in mixed) == 9
    assert len(mixed) == 36
    assert len(noisy) == 30


@pytest.mark.parametrize(("trusted", "share"), [([], 0.5), ([{"image": "a", "label": "b"}], 1.0)])
def test_mixing_needs_a_trusted_case_and_a_share_inside_zero_and_one(trusted, share):
    with pytest.raises(InputError):
        mix_trusted([{"image": "x", "label": "y"}], trusted, share=share)


def test_the_marginal_threshold_is_the_one_a_search_over_expected_dice_finds():
    m = np.random.default_rng(0).beta(0.3, 1.5, 4000).round(2)
    expected = max(2 * m[m > t].sum() / (m.sum() + (m > t).sum()) for t in np.unique(m)[:-1]) / 2
    assert marginal_threshold([m[:1000], m[1000:]]) == pytest.approx(expected, abs=2e-3)


def test_no_foreground_at_all_gives_one_half():
    assert marginal_threshold([np.zeros((3, 3))]) == 0.5
    assert marginal_threshold([]) == 0.5


def test_a_lower_threshold_brings_unsure_events_back_with_their_class():
    probabilities = np.array([[0.6], [0.1], [0.3]])[:, :, None]
    assert apply_threshold(probabilities, 0.5).item() == 0
    assert apply_threshold(probabilities, 0.3).item() == 2


def test_memorisation_separates_right_labels_from_wrong_ones():
    truth = draw("11..22../......../11......")
    noisy = draw("11....../......../22....11")  # the 2 is missed, the lower 1 misclassified, one event is spurious
    assert fit_of_events(truth, noisy, prediction=noisy) == EventFit(1, 1, 3, 3, 0)
    assert fit_of_events(truth, noisy, prediction=truth) == EventFit(1, 1, 3, 0, 3)
    assert fit_of_events(draw("...."), draw("...."), draw("....")) == EventFit()


def test_a_swollen_rim_is_no_event_of_its_own():
    assert fit_of_events(draw(".11.."), draw("11111"), draw("11111")) == EventFit(1, 1, 0, 0, 0)


def test_rates_without_events_are_undefined_not_zero():
    assert all(math.isnan(value) for value in EventFit().rates().values())


@pytest.mark.parametrize("decollate", [True, False], ids=["taken apart", "collated"])
def test_memorisation_curves_are_recorded_epoch_by_epoch_and_among_the_metrics(decollate):
    network = Painter("1...2/....2")
    truth = as_batch("1...2/....2")
    engine = trainer(network, as_batch("1..../....."), truth=truth, max_epochs=2, decollate=decollate)
    curves = MemorisationCurves()
    curves.attach(engine)
    engine.run()
    assert curves.history == [EventFit(1, 1, 1, 0, 1)] * 2
    shares = {"correct_fitted": 1.0, "corrupted_memorised": 0.0, "corrupted_recovered": 1.0}
    assert {name: engine.state.metrics[f"memorisation_{name}"] for name in shares} == shares


def test_a_component_follows_any_engine():
    attached = []

    class Component:
        def attach(self, engine):
            attached.append(engine)

    engine = Engine(lambda *_: None)
    Follow(Component()).attach(engine)
    assert attached == [engine]


@pytest.mark.parametrize("make", [lambda: CorrectionRules(add_above=80), lambda: EMATeacher(nn.Linear(1, 1), decay=1)])
def test_levels_outside_their_range_are_refused(make):
    with pytest.raises(InputError):
        make()
