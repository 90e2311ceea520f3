"""Right answers to @slug@ that look nothing like ours: all must earn every point."""

# FILL IN: one and more for each function
@each


def answer_@n@__sum(x):
    return x + x + @n@
@end
