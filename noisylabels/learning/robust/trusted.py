"""A small trusted set beside many noisy labels."""

from collections.abc import Sequence
from pathlib import Path

from noisylabels.data.errors import InputError


def mix_trusted(
    noisy: Sequence[dict[str, str]], trusted: Sequence[dict[str, str]], *, share: float
) -> list[dict[str, str]]:
    """Repeat the trusted cases until they make up a share of the list, and append them to the noisy ones.

    A trusted case replaces its noisy twin (same image).

    Args:
        noisy: Cases of a data list, each with "image" and "label".
        trusted: Cases with labels to rely on.
        share: Share of trusted cases in the result, in (0, 1); reached to within one case.

    Returns:
        The mixed list; the inputs are not modified.

    Raises:
        InputError: If share is outside (0, 1) or there is no trusted case.

    Examples:
        >>> noisy = [{"image": str(i), "label": "cip"} for i in range(4)]
        >>> mixed = mix_trusted(noisy, [{"image": "3", "label": "truth"}], share=0.5)
        >>> [(case["image"], case["label"]) for case in mixed][2:]
        [('2', 'cip'), ('3', 'truth'), ('3', 'truth'), ('3', 'truth')]
    """
    if not 0 < share < 1:
        msg = f"share must be in (0, 1), got {share}. For half of the cases write 0.5."
        raise InputError(msg)
    if not trusted:
        msg = "There must be at least one trusted case to mix, got none. Give a data list with corrected labels."
        raise InputError(msg)
    known = {case["image"] for case in trusted}
    remaining = [case for case in noisy if case["image"] not in known]
    n_wanted = max(len(trusted), round(share / (1 - share) * len(remaining)))
    return [*remaining, *(trusted[i % len(trusted)] for i in range(n_wanted))]


def mix_trusted_fields(
    fields: Sequence[dict[str, str]], *, trusted_name: str, trusted_ids: Sequence[str], share: float
) -> list[dict[str, str]]:
    """Mix trusted label maps into a dataset folder's training fields: `mix_trusted` by label-set name and ids.

    Args:
        fields: The training fields, each with "id", "image" and "label" as labels/<name>/<id>.tif.
        trusted_name: The label set to rely on.
        trusted_ids: Which fields have it.
        share: Share of trusted cases, in (0, 1).

    Returns:
        The mixed list.

    Raises:
        InputError: If an id is no training field.

    Examples:
        >>> field = {"id": "a", "image": "images/a.tif", "label": "labels/cip/a.tif"}
        >>> mix_trusted_fields([field], trusted_name="truth", trusted_ids=["a"], share=0.5)[0]["label"]
        'labels/truth/a.tif'
    """
    by_id = {field["id"]: field for field in fields}
    unknown = [name for name in trusted_ids if name not in by_id]
    if unknown:
        msg = f"trusted_ids must be ids of training fields, got {unknown[0]!r}. See datalist.json."
        raise InputError(msg)
    trusted = [
        {**by_id[name], "label": str(Path(by_id[name]["label"]).parent.parent / trusted_name / f"{name}.tif")}
        for name in trusted_ids
    ]
    return mix_trusted(fields, trusted, share=share)
