"""Other people's files -> a dataset folder: folders of images, label maps of other programs, fields of plates."""
