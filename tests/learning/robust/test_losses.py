"""Losses against their formulas, written out pixel by pixel, and at the ends of the number range."""

import math

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from torch.nn import functional

from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX
from noisylabels.learning.robust.background import BackgroundDiscountedCrossEntropy
from noisylabels.learning.robust.forward import ForwardCorrection, estimate_transitions
from noisylabels.learning.robust.ignoring import IgnoringLoss
from noisylabels.learning.robust.image_losses import NoiseRobustDice, TLoss
from noisylabels.learning.robust.pixel_losses import CrossEntropy, GeneralizedCrossEntropy, SymmetricCrossEntropy
from noisylabels.learning.robust.warm_start import WarmStart

T = [[0.98, 0.01, 0.01], [0.5, 0.4, 0.1], [0.3, 0.0, 0.7]]
LOSSES = {
    "cross-entropy": CrossEntropy(),
    "generalized": GeneralizedCrossEntropy(),
    "symmetric": SymmetricCrossEntropy(),
    "noise-robust Dice": NoiseRobustDice(),
    "T": TLoss(),
    "forward": ForwardCorrection(T),
    "background": BackgroundDiscountedCrossEntropy(weight=0.1, distance_px=1),
    "ignoring": IgnoringLoss(CrossEntropy()),
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 4, generator=generator)
    labels = torch.randint(0, 3, (2, 1, 5, 4), generator=generator).float()
    labels[0] = 0  # the empty image first
    return logits, labels


def by_pixel(logits, labels, cost):
    p = functional.softmax(logits.double(), dim=1).numpy()
    y = labels[:, 0].long().numpy()
    return np.mean([cost(p[n, :, i, j], y[n, i, j]) for n, i, j in np.ndindex(y.shape)])


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("cross-entropy", lambda p, y: -math.log(p[y])),
        ("generalized", lambda p, y: (1 - p[y] ** 0.7) / 0.7),
        ("symmetric", lambda p, y: -0.1 * math.log(p[y]) + sum(-math.log(1e-4) * p[k] for k in range(3) if k != y)),
        ("forward", lambda p, y: -math.log(sum(p[a] * T[a][y] for a in range(3)))),
    ],
)
def test_a_pixel_loss_is_its_formula(batch, name, cost):
    assert LOSSES[name](*batch).item() == pytest.approx(by_pixel(*batch, cost), rel=1e-5)


def test_noise_robust_dice_is_the_authors_ratio_pooled_over_the_batch(batch):
    logits, labels = batch
    p = functional.softmax(logits.double(), dim=1).numpy()
    ratios = []
    for c in range(3):
        numerator = denominator = 0.0
        for n, i, j in np.ndindex(labels[:, 0].shape):
            y = float(labels[n, 0, i, j] == c)
            numerator += abs(p[n, c, i, j] - y) ** 1.5
            denominator += p[n, c, i, j] + y
        ratios.append(numerator / (denominator + 1e-5))
    assert NoiseRobustDice()(*batch).item() == pytest.approx(np.mean(ratios), rel=1e-5)


def test_a_class_that_one_image_lacks_is_pushed_down_there():
    labels = torch.zeros(2, 1, 4, 4)
    labels[0, 0, :2, :2] = 1  # the second image has no event
    logits = torch.zeros(2, 2, 4, 4, requires_grad=True)
    NoiseRobustDice()(logits, labels).backward()
    assert (logits.grad[1, 1] > 0).all()  # descent lowers the probability of an event


def test_the_t_loss_is_scipys_multivariate_t_per_residual(batch):
    from scipy.stats import multivariate_t

    logits, labels = batch
    p = functional.softmax(logits.double(), dim=1).numpy()
    one_hot = np.stack([(labels[:, 0].numpy() == c) for c in range(3)], axis=1)
    residuals = (one_hot - p).reshape(2, -1)
    size = residuals.shape[1]
    expected = [-multivariate_t.logpdf(r, np.zeros(size), np.eye(size), df=3) / size for r in residuals]
    assert TLoss(degrees_of_freedom=3.0)(*batch).item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_t_loss_learns_its_degrees_of_freedom_by_the_slope_of_the_likelihood(batch):
    from scipy.stats import multivariate_t

    loss = TLoss(degrees_of_freedom=3.0, learn=True)
    loss(*batch).backward()
    logits, labels = batch
    p = functional.softmax(logits.double(), dim=1).numpy()
    residuals = (np.stack([(labels[:, 0].numpy() == c) for c in range(3)], axis=1) - p).reshape(2, -1)
    size, step = residuals.shape[1], 1e-4

    def mean_cost(log_nu):
        scale = {"loc": np.zeros(size), "shape": np.eye(size), "df": math.exp(log_nu)}
        return np.mean([-multivariate_t.logpdf(r, **scale) / size for r in residuals])

    slope = (mean_cost(math.log(3) + step) - mean_cost(math.log(3) - step)) / (2 * step)
    assert loss.log_nu.grad.item() == pytest.approx(slope, rel=1e-3)


def test_a_warm_start_ends_after_its_epochs():
    loss = WarmStart(CrossEntropy(), GeneralizedCrossEntropy(q=1.0), epochs=2)
    logits, labels = torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1, 1)
    engine = Engine(lambda *_: loss(logits, labels).item())
    loss.attach(engine)
    seen = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(round(e.state.output, 4)))
    engine.run([0], max_epochs=4)
    assert seen == [0.6931, 0.6931, 0.5, 0.5]  # log 2, then 1 - 1/2


def test_background_far_from_events_is_discounted():
    labels = torch.zeros(1, 1, 5, 7)
    labels[0, 0, 2, 1] = 1
    weights = BackgroundDiscountedCrossEntropy(weight=0.25, distance_px=2).weights(labels)[0]
    expected = torch.full((5, 7), 0.25)
    expected[0:5, 0:4] = 1
    assert torch.equal(weights, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_gradients_stay_finite_at_extreme_logits(name, dtype):
    labels = torch.tensor([[[[0.0, 1.0, 2.0]]]])
    for winner in range(3):
        logits = torch.full((1, 3, 1, 3), -200.0)
        logits[:, winner] = 200.0
        logits = logits.to(dtype).requires_grad_()
        loss = LOSSES[name](logits, labels)
        loss.backward()
        assert torch.isfinite(loss), (name, winner)
        assert torch.isfinite(logits.grad).all(), (name, winner)


@pytest.mark.parametrize("name", LOSSES)
def test_a_right_prediction_costs_less_than_a_wrong_one(name):
    labels = torch.tensor([[[[0.0, 1.0, 2.0]]]])
    right = 6 * functional.one_hot(labels[:, 0].long(), 3).movedim(-1, 1).float()
    wrong = right.roll(1, dims=1)
    assert LOSSES[name](right, labels) < LOSSES[name](wrong, labels)


def test_one_transition_matrix_per_bin_is_used_where_the_bin_says():
    logits = torch.zeros(1, 2, 1, 2)
    dim_is_missed = [[[1.0, 0.0], [0.9, 0.1]], [[1.0, 0.0], [0.0, 1.0]]]
    labels = torch.tensor([[[[0.0, 0.0]], [[0.0, 1.0]]]])  # both labelled background; pixel 0 dim, pixel 1 bright
    expected = -(math.log(0.5 + 0.5 * 0.9) + math.log(0.5)) / 2
    assert ForwardCorrection(dim_is_missed)(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_transitions_are_counted_row_by_row_and_bin_by_bin():
    reference = np.array([1, 1, 1, 1, 0, 0], np.uint8)
    noisy = np.array([0, 1, 1, 1, 0, 0], np.uint8)
    bins = np.array([0, 0, 1, 1, 0, 1])
    table = estimate_transitions(reference, noisy, n_classes=2, bins=bins, n_bins=2, smoothing=0)
    assert table.tolist() == [[[1, 0], [0.5, 0.5]], [[1, 0], [0, 1]]]


def test_a_class_that_never_occurs_in_the_trusted_set_is_taken_as_clean():
    empty = np.zeros((2, 2), np.uint8)
    assert estimate_transitions(empty, empty, n_classes=3).tolist() == np.eye(3).tolist()


def test_forward_correction_recovers_a_majority_that_was_missed():
    # 70 % of a uniform group's labels are missed: cross-entropy settles on background, corrected p on the event.
    labels = torch.zeros(1, 1, 1, 10)
    labels[..., :3] = 1
    answers = {}
    for name, loss in {"plain": CrossEntropy(), "forward": ForwardCorrection([[1.0, 0.0], [0.7, 0.3]])}.items():
        shared = torch.zeros(1, 2, 1, 1, requires_grad=True)
        optimizer = torch.optim.SGD([shared], lr=1.0)
        for _ in range(300):
            optimizer.zero_grad()
            loss(shared.expand(1, 2, 1, 10), labels).backward()
            optimizer.step()
        answers[name] = functional.softmax(shared.detach(), dim=1)[0, 1].item()
    assert answers["plain"] == pytest.approx(0.3, abs=0.01)
    assert answers["forward"] > 0.9


def test_ignored_pixels_have_no_gradient_and_do_not_reach_the_loss_as_a_class():
    logits = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(1), requires_grad=True)
    labels = torch.tensor([[[[float(IGNORE_INDEX), 1.0], [0.0, 2.0]]]])
    IgnoringLoss(CrossEntropy())(logits, labels).backward()
    assert logits.grad[0, :, 0, 0].abs().max() == 0
    assert logits.grad[0, :, 0, 1].abs().min() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GeneralizedCrossEntropy(q=0), r"q must be in \(0, 1\], got 0"),
        (lambda: SymmetricCrossEntropy(alpha=-1), "alpha and beta must be at least 0"),
        (lambda: NoiseRobustDice(gamma=3), r"gamma must be in \[1, 2\], got 3"),
        (lambda: TLoss(0), "degrees_of_freedom must be positive, got 0"),
        (lambda: ForwardCorrection([[0.5, 0.4], [0.0, 1.0]]), "must be probabilities that sum to 1"),
        (lambda: ForwardCorrection([[1.0, 0.0]]), "must be .* class, class"),
        (lambda: BackgroundDiscountedCrossEntropy(weight=2), r"weight must be in \[0, 1\]"),
        (lambda: WarmStart(CrossEntropy(), CrossEntropy(), epochs=-1), "epochs must be at least 0, got -1"),
    ],
)
def test_settings_outside_their_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
