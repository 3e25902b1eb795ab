"""Wells and parents as other programs read them: Cytomining's column names, AnnData.

pycytominer takes columns that begin with `Metadata_` for keys and those that begin with the name of a compartment for
features (github.com/cytomining/pycytominer).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

METADATA = {"plate": "Plate", "well": "Well", "row": "Row", "column": "Column", "field": "Site", "method": "Method"}
PLACES = {"centroid_row": "Location_Center_Y", "centroid_column": "Location_Center_X", "area_px": "AreaShape_Area"}


def name_as_cytomining(
    table: "pd.DataFrame", *, compartment: str = "Image", metadata: Sequence[str] = ()
) -> "pd.DataFrame":
    """Rename the columns of a table to Cytomining's column names.

    Args:
        table: `wells`, `fields` or `parents`.
        compartment: What its features begin with: `Image`, `Nuclei`, `Cells`.
        metadata: Columns beside those of plate and well that are no features, such as treatments.

    Examples:
        >>> import pandas as pd
        >>> wells = pd.DataFrame({"plate": ["P1"], "well": ["A01"], "n_spot": [3], "dose": [0.1]})
        >>> name_as_cytomining(wells, metadata=["dose"]).columns.tolist()
        ['Metadata_Plate', 'Metadata_Well', 'Image_n_spot', 'Metadata_dose']
    """

    def rename(name: str) -> str:
        if name in METADATA or name in metadata or table[name].dtype.kind not in "iufb":
            return f"Metadata_{METADATA.get(name, name)}"
        return f"{compartment}_{PLACES.get(name, name)}"

    return table.rename(columns={name: rename(name) for name in table.columns})


def write_anndata(table: "pd.DataFrame", path: Path, *, metadata: Sequence[str] = ()) -> None:
    """Write a table as AnnData: features as X, the rest as obs.

    Args:
        table: `wells` or `parents`.
        path: The `.h5ad` file; whole or not at all.
        metadata: Columns beside those of plate and well that are no features.

    Raises:
        InputError: If the package is not installed.
    """
    try:
        import anndata
    except ImportError as error:
        msg = "AnnData must be installed for this, and is not. Run: pip install 'noisylabels[anndata]'."
        raise InputError(msg) from error
    known = [name for name in table.columns if name in METADATA or name in metadata]
    features = [name for name in table.columns if name not in known and table[name].dtype.kind in "iufb"]
    obs = table[[name for name in table.columns if name not in features]].copy()
    for name in obs.columns:
        if obs[name].dtype.kind not in "iufb":
            obs[name] = obs[name].astype(str)
    obs.index = [str(number) for number in range(len(obs))]
    values = table[features].to_numpy(dtype=np.float64, na_value=np.nan)
    made = anndata.AnnData(values, obs=obs)
    made.var_names = features
    with replacing(path) as temporary:
        made.write_h5ad(temporary)


def write_profiles(
    wells: "pd.DataFrame", folder: Path, *, treatments: "pd.DataFrame | None", cytomining: bool, as_anndata: bool
) -> None:
    """Write wells, and parents where `parents.parquet` is there, as other programs read them.

    Args:
        wells: The table of wells.
        folder: Where the measurements are. `profiles/wells.csv` and `profiles/parents.csv`, `wells.h5ad` and
            `parents.h5ad` are written.
        treatments: The layout, whose columns are no features.
        cytomining: Whether to write profiles/.
        as_anndata: Whether to write the .h5ad files.
    """
    import pandas as pd

    tables = {"wells": wells}
    if (folder / "parents.parquet").exists():
        tables["parents"] = pd.read_parquet(folder / "parents.parquet")
    metadata = [] if treatments is None else list(treatments.columns)
    for name, table in tables.items():
        if cytomining:
            compartment = "Image" if name == "wells" else "Cells"
            write_text(
                folder / "profiles" / f"{name}.csv",
                name_as_cytomining(table, compartment=compartment, metadata=metadata).to_csv(index=False),
            )
        if as_anndata:
            write_anndata(table, folder / f"{name}.h5ad", metadata=metadata)
