"""Wrong answers to @slug@, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

# FILL IN: six to twelve for each function
EDITS = {
    "twice": {
        "the factor 2 is missing": "2 * → ",
    },
}

# mutants made by swapping operators that are right answers too, each with the reason
SURVIVORS = {}
