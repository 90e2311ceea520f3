"""Right answers to @slug@ that look nothing like ours: all must earn every point."""


def twice__sum(x):
    return x + x  # FILL IN: two for each function
