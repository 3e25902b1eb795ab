"""What the paper states, number by number, and where its text cannot be right. No number here is ours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """One number of the paper, in percent, percentage points or points of the rating scale.

    Args:
        what: What it is.
        value: The number.
        unit: "%", "points" (percentage points) or "of 10".
        measured: Key of our number, measured as the paper could: boxes, corrected maps, ratings.
        true: Key of our number against the truth, or "" where there is none.
    """

    what: str
    value: float
    unit: str
    measured: str
    true: str = ""


def _ratings() -> list[Statement]:
    return [
        Statement(f"mean rating of {name}", value, "of 10", f"rating {name}")
        for name, value in (("CIP", 4.3), ("CDL", 8.3))
    ]


def _detection() -> list[Statement]:
    stated = {
        ("CIP", ""): 64.48,
        ("CDL", ""): 77.19,
        ("CIP", "autolysosome"): 62.96,
        ("CDL", "autolysosome"): 78.84,
        ("CIP", "phagophore"): 66.79,
        ("CDL", "phagophore"): 75.55,
    }
    return [
        Statement(
            f"boxes found by {method}, {name or 'both classes'}",
            value,
            "%",
            f"found {method} {name}|all|boxes",
            f"found {method} {name}|all|truth",
        )
        for (method, name), value in stated.items()
    ]


def _gains() -> list[Statement]:
    stated = {
        ("CDL", "all", "MeanAccuracy"): 12.0,
        ("CDL", "all", "MeanIoU"): 12.2,
        ("CDL", "all", "MeanBFScore"): 12.19,
        ("MDL", "test", "MeanAccuracy"): 18.81,
        ("CDL", "test", "MeanAccuracy"): 21.23,
        ("MDL", "test", "MeanIoU"): 18.18,
        ("CDL", "test", "MeanIoU"): 24.75,
        ("MDL", "test", "MeanBFScore"): 15.09,
        ("CDL", "test", "MeanBFScore"): 16.86,
        ("MDL", "test", "GlobalAccuracy"): 2.38,
        ("CDL", "test", "GlobalAccuracy"): 3.33,
        ("MDL", "test", "WeightedIoU"): 4.21,
        ("CDL", "test", "WeightedIoU"): 5.82,
    }
    where = {"all": "306 quarters", "test": "31 quarters"}
    return [
        Statement(
            f"{metric}, {method} over CIP, {where[subset]}",
            value,
            "points",
            f"{metric} {method}-CIP|{subset}|corrected",
            f"{metric} {method}-CIP|{subset}|truth",
        )
        for (method, subset, metric), value in stated.items()
    ]


STATEMENTS = (*_ratings(), *_detection(), *_gains())

AMBIGUITIES = (
    (
        "Accuracy = TP / (TP + TN) (Eq. 1)",
        "A class of 2.3 % of the pixels would have at most about 0.024, so Eq. 1 cannot have made the figures. "
        "MATLAB's class accuracy is TP / (TP + FN) (Eq. 3), which we report.",
    ),
    (
        "BF score = 2PR / (P + R) (Eq. 6), with the P and R of pixels",
        "That is Dice. The boundary F1 needs those of boundary pixels within a tolerance, which is not given; we take "
        "MATLAB's, 0.75 % of the diagonal.",
    ),
    (
        '"Sørensen-Dice coefficient" as the name of the evaluation',
        "IoU is reported, no Dice. We report both.",
    ),
    (
        '"Mean": the average of all classes in all images',
        "MATLAB's MeanAccuracy and MeanIoU are means over classes of pooled counts, only MeanBFScore is one over "
        "images. We follow MATLAB.",
    ),
    (
        '"Weighted" by the pixels of each class',
        "Only the IoU has such a form.",
    ),
    (
        '"25 % increase of mean IoU" in the abstract',
        "The 24.75 of the 31 quarters; the 306 give 12.2. Points or relative is not said: ours are both kept.",
    ),
    (
        "Detection 64.48 % and 77.19 % beside those of the classes",
        "One pooled count would weigh the classes alike in both; the numbers need .603 and .4985 for the "
        "autolysosomes, the rarer class by the text. So the totals cannot be made again. Ours divides by the boxes of "
        "a class, all experts pooled.",
    ),
    (
        "Matching of boxes",
        '"Intersection of boxes". In our paper mode each expert box takes its best box of the same class, many times '
        "if need be, from IoU 0.1 on; the one-to-one mode stands beside it.",
    ),
    (
        "Kolmogorov-Smirnov p from 1e-8 to 1e-11 per expert",
        "With 20 ratings against 20 MATLAB's kstest2 ends at 5.5e-10; exact are 1.1e-8 at D = .90 and 1.4e-11 at "
        "D = 1. The images are paired, which it ignores; Wilcoxon's signed ranks stand beside it.",
    ),
    (
        "Four experts, or two groups",
        "Figure 3B gives means over four, the text speaks of two groups. We have four in two groups.",
    ),
    (
        "Precision and specificity (Eq. 2 and 4)",
        "Promised, and not reported in the text. Ours are in `tables/classes.csv`.",
    ),
)
"""(what the paper writes, what holds)."""
