"""Wrong answers to 10_translation, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

# FILL IN: six to twelve for each function
EDITS = {
    "answer_1": {
        "the factor 2 is missing": "2 * → ",
        "the 1 is not added": " + 1 → ",
        "the 1 is subtracted": "+ 1 → - 1",
        "the 2 is added; it is a factor": "2 * x → 2 + x",
        "a return is missing": "return → ",
        "it is transposed": "x + 1 → x.T + 1",
    },
    "answer_2": {
        "the factor 2 is missing": "2 * → ",
        "the 2 is not added": " + 2 → ",
        "the 2 is subtracted": "+ 2 → - 2",
        "the 2 is added; it is a factor": "2 * x → 2 + x",
        "a return is missing": "return → ",
        "it is transposed": "x + 2 → x.T + 2",
    },
    "answer_3": {
        "the factor 2 is missing": "2 * → ",
        "the 3 is not added": " + 3 → ",
        "the 3 is subtracted": "+ 3 → - 3",
        "the 2 is added; it is a factor": "2 * x → 2 + x",
        "a return is missing": "return → ",
        "it is transposed": "x + 3 → x.T + 3",
    },
    "answer_4": {
        "the factor 2 is missing": "2 * → ",
        "the 4 is not added": " + 4 → ",
        "the 4 is subtracted": "+ 4 → - 4",
        "the 2 is added; it is a factor": "2 * x → 2 + x",
        "a return is missing": "return → ",
        "it is transposed": "x + 4 → x.T + 4",
    },
}

# mutants made by swapping operators that are right answers too, each with the reason
SURVIVORS = {}
