"""Wrong answers to @slug@, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

# FILL IN: six to twelve for each function
EDITS = {
@each
    "answer_@n@": {
        "the factor 2 is missing": "2 * → ",
        "the @n@ is not added": " + @n@ → ",
        "the @n@ is subtracted": "+ @n@ → - @n@",
        "the 2 is added; it is a factor": "2 * x → 2 + x",
        "a return is missing": "return → ",
        "it is transposed": "x + @n@ → x.T + @n@",
    },
@end
}

# mutants made by swapping operators that are right answers too, each with the reason
SURVIVORS = {}
