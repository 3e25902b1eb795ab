import pytest
import torch

from noisylabels.learning.generalized_dice import MatlabGeneralizedDiceLoss


def slowly(logits: torch.Tensor, target: torch.Tensor) -> float:
    """The definition, pixel by pixel: 1 - 2 sum_c w_c sum_x p t / sum_c w_c sum_x (p^2 + t^2), mean over images."""
    losses = []
    for image, classes in zip(logits, target[:, 0], strict=True):
        n_classes = image.shape[0]
        p = torch.softmax(image, 0)
        pixels = [sum(int(c) == k for c in classes.flatten()) for k in range(n_classes)]
        largest = max(1 / n**2 for n in pixels if n)
        weights = [1 / n**2 if n else largest for n in pixels]
        both = either = 0.0
        for k in range(n_classes):
            for x in range(classes.numel()):
                t = 1.0 if int(classes.flatten()[x]) == k else 0.0
                q = float(p[k].flatten()[x])
                both += weights[k] * q * t
                either += weights[k] * (q * q + t * t)
        losses.append(1 - 2 * both / either)
    return sum(losses) / len(losses)


@pytest.mark.parametrize(
    "target",
    [[[[0, 0], [0, 0]]], [[[1, 0], [0, 0]]], [[[1, 2], [2, 0]]], [[[2, 2], [2, 2]]]],
    ids=["empty", "one class missing", "all classes", "no background"],
)
def test_the_loss_is_its_definition(target: list) -> None:
    torch.manual_seed(0)
    both = torch.tensor([target[0], [[[0, 1], [2, 0]]][0]]).unsqueeze(1)
    logits = torch.randn(2, 3, 2, 2)
    assert float(MatlabGeneralizedDiceLoss()(logits, both)) == pytest.approx(slowly(logits, both), abs=1e-6)


@pytest.mark.parametrize("target", [[[0, 0, 0]], [[0, 1, 2]]], ids=["empty", "all classes"])
def test_a_perfect_prediction_costs_nothing_and_a_wrong_one_all(target: list) -> None:
    t = torch.tensor([[target]])
    right = torch.nn.functional.one_hot(t[:, 0], 3).permute(0, 3, 1, 2) * 400.0 - 200.0
    wrong = right.roll(1, dims=1)
    assert float(MatlabGeneralizedDiceLoss()(right, t)) == 0
    assert float(MatlabGeneralizedDiceLoss()(wrong, t)) == pytest.approx(1)


@pytest.mark.parametrize("side", [64, 512])
def test_false_events_in_an_empty_field_cost_the_same_however_large_the_field(side: int) -> None:
    """The smoothing must stay small beside weights of 1 / pixels**2 (with 1e-5 this loss falls to .36 at 512 x 680)."""
    empty = torch.zeros(1, 1, side, side, dtype=torch.long)
    all_wrong = torch.tensor([-200.0, 200.0]).view(1, 2, 1, 1).expand(1, 2, side, side)
    assert float(MatlabGeneralizedDiceLoss()(all_wrong, empty)) == pytest.approx(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loss_and_gradient_are_finite_at_extreme_logits(dtype: torch.dtype) -> None:
    logits = (torch.randn(2, 3, 8, 8).sign() * 200).to(dtype).requires_grad_()
    loss = MatlabGeneralizedDiceLoss()(logits, torch.zeros(2, 1, 8, 8))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_over_a_batch_the_images_are_summed_before_dividing() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 2, 3, 3), torch.randint(0, 2, (2, 1, 3, 3))
    side_by_side = MatlabGeneralizedDiceLoss()(
        torch.cat(list(logits), dim=-1)[None], torch.cat(list(target), dim=-1)[None]
    )
    assert float(MatlabGeneralizedDiceLoss(batch=True)(logits, target)) == pytest.approx(float(side_by_side))
