"""Generalized Dice in MATLAB's form: the loss of the paper's preset."""

import torch
from monai.losses import GeneralizedDiceLoss
from monai.networks import one_hot


class MatlabGeneralizedDiceLoss(GeneralizedDiceLoss):
    r"""Generalized Dice loss with squared terms in the denominator, as MATLAB's Dice layer has it.

    $$L = 1 - \frac{2 \sum_c w_c \sum_x p_{cx} t_{cx}}{\sum_c w_c \sum_x (p_{cx}^2 + t_{cx}^2)},
      \qquad w_c = 1 / (\sum_x t_{cx})^2$$

    per image, then averaged over the batch (Crum et al. 2006, doi:10.1109/TMI.2006.880587; weights of Sudre et
    al. 2017, doi:10.1007/978-3-319-67558-9_28). MONAI's `GeneralizedDiceLoss` has $p + t$ in the denominator, and
    needs a larger learning rate than the paper's 0.002 to get as far in as many steps.

    A class that an image lacks gets the largest weight of the classes it has, as in MONAI's form. Its false
    pixels then cost $p^2$, and a perfect prediction still costs 0. Computed in float32 whatever comes in.

    Args:
        w_type: "square" (the formula above), "simple" (1 / sum) or "uniform" (1).
        batch: Sum over the batch before dividing, instead of image by image.
        smooth_dr: Keeps 0/0 away; 1e-12 is small beside every weight even of a 2160 x 2160 field.
        kwargs: Other arguments of MONAI's `GeneralizedDiceLoss`.

    Examples:
        >>> loss = MatlabGeneralizedDiceLoss()
        >>> logits = torch.tensor([[[[-200.0, 200.0]], [[200.0, -200.0]]]])
        >>> float(loss(logits, torch.tensor([[[[1, 0]]]]))), float(loss(logits, torch.tensor([[[[0, 1]]]])))
        (0.0, 1.0)
    """

    def __init__(self, w_type: str = "square", batch: bool = False, smooth_dr: float = 1e-12, **kwargs: object) -> None:
        defaults = {"softmax": True, "to_onehot_y": True, "include_background": True, "smooth_nr": 0.0}
        super().__init__(w_type=w_type, batch=batch, smooth_dr=smooth_dr, **(defaults | kwargs))

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Compute the loss.

        Args:
            input: (batch, class, x, y) logits.
            target: (batch, 1, x, y) class indices, or one-hot when `to_onehot_y` is False.

        Returns:
            A scalar, or (batch,) when `reduction` is "none".
        """
        p = torch.softmax(input.float(), 1) if self.softmax else input.float()
        t = one_hot(target, num_classes=input.shape[1]) if self.to_onehot_y else target
        t = t.to(p.dtype)
        first = 0 if self.include_background else 1
        p, t = p[:, first:], t[:, first:]
        axes = (0, 2, 3) if self.batch else (2, 3)
        weight = self._weight(t.sum(axes))
        both = (weight * (p * t).sum(axes)).sum(-1)
        either = (weight * (p * p + t * t).sum(axes)).sum(-1)
        loss = 1 - (2 * both + self.smooth_nr) / (either + self.smooth_dr)
        return loss if self.reduction == "none" else loss.sum() if self.reduction == "sum" else loss.mean()

    def _weight(self, pixels: torch.Tensor) -> torch.Tensor:
        weight: torch.Tensor = self.w_func(pixels)
        present = torch.where(torch.isinf(weight), torch.zeros_like(weight), weight)
        return torch.where(torch.isinf(weight), present.amax(-1, keepdim=True), weight)
