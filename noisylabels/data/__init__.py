"""The ground floor: label maps, events, image files, the dataset folder, wells, settings, and how they are written."""
