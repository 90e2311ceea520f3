"""Right answers to 10_translation that look nothing like ours: all must earn every point."""

# FILL IN: one and more for each function


def answer_1__sum(x):
    return x + x + 1


def answer_2__sum(x):
    return x + x + 2


def answer_3__sum(x):
    return x + x + 3


def answer_4__sum(x):
    return x + x + 4
