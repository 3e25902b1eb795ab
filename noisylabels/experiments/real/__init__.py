"""The paper's study on real images: nuclei with curated masks, and cells that several experts annotated."""
