"""Wrong answers to 01_storybook, each once: a cause, and an answer with that slip.

tools/exercises.py says how they are written, and what is made from them.
"""

from collections import Counter

import numpy as np

EDITS = {
    "count_ngrams": {
        "the first words of each story are not counted: are start signs missing?": '["<s>"] * (n - 1) + story → story; len(story)) → len(story) - n + 1)',
        "there is a start sign too many": "(n - 1) → n; range(len(story)) → range(len(story) + 1)",
        "the last word of each story is not counted": "range(len(story)) → range(len(story) - 1)",
        "each kind is counted once; add 1 each time it occurs": "counts.get(ngram, 0) + 1 → 1",
        "only the last story is counted": "words = → counts, words = {},",
        "a `return` stands inside the loop": "return →     return",
        "the n-grams are one word too long": "t + n] → t + n + 1]; range(len(story)) → range(len(words) - n)",
        "the word that follows is missing": "t + n] → t + n - 1]",
        "the words of an n-gram are in reverse order": "t + n] → t + n][::-1]",
        "the keys are texts; tuples of words are expected": 'tuple(words[t : t + n]) → " ".join(words[t : t + n])',
        "cannot be a key of a dict": "tuple(words[t : t + n]) → words[t : t + n]",
        "a key is not in the dict yet": "counts.get(ngram, 0) → counts[ngram]",
        "count_ngrams changed its argument stories in place": (
            'words = ["<s>"] * (n - 1) + story → story[:0] = ["<s>"] * (n - 1); words[t → story[t; '
            "len(story)) → len(story) - n + 1)"
        ),
    },
    "next_word_probabilities": {
        "alpha is not added": "(followed + alpha) → followed; + alpha * len(vocabulary) → ",
        "alpha is missing above the line": "(followed + alpha) → followed",
        "alpha V is missing below the line": " + alpha * len(vocabulary) → ",
        "below the line stands alpha, not alpha V": " * len(vocabulary) → ",
        "it is divided by all counts, not by those of this context": "followed.sum() → sum(counts.values())",
        "the context is not looked at": (
            "counts.get((*context, word), 0) → sum(m for run, m in counts.items() if run[-1] == word)"
        ),
        "these are counts; they are not divided yet": "/ (followed.sum() + alpha * len(vocabulary)) → ",
        "alpha is added only to what was never seen": (
            "return (followed + alpha) / (followed.sum() + alpha * len(vocabulary)) → "
            "followed = np.where(followed == 0, alpha, followed)\n    return followed / followed.sum()"
        ),
        "every word is equally likely, as if the context were never found": "(*context, word) → (context, word)",
        "is of type list": "return ( → return list((; len(vocabulary)) → len(vocabulary)))",
        "": "len(vocabulary) → 4",
    },
    "bits_per_word": {
        "the logarithm is the natural one; bits want base 2": "np.log2 → np.log",
        "the logarithm has base 10; bits want base 2": "np.log2 → np.log10",
        "the sign is missing: surprise is minus the logarithm": "return - → return ",
        "it is the sum over the words, not the mean": ".mean() → .sum()",
        "it is the logarithm of the mean; the mean of the logarithms is expected": "(came).mean() → (came.mean())",
        "this is the perplexity, 2 to the power of the bits": "return - → return 2 ** -",
        "it is the mean probability; the logarithm is missing": "-np.log2(came) → came",
        "the most likely word was taken, not the one that came": (
            "probabilities[np.arange(len(targets)), targets] → probabilities.max(axis=1)"
        ),
        "it is divided by the number of entries, T times V": ".mean() → .sum() / probabilities.size",
        "another word was read; pair each row with its target": "np.arange(len(targets)) → :",
        "it is a number for each word; the mean is missing": ".mean() → ",
        "a return is missing": "return → -",
    },
    "held_out_bits": {
        "the stories of the test are counted too": "count_ngrams(train → count_ngrams(stories",
        "the score is taken on the stories that were counted": "in test: → in train:",
        "the n-grams are counted on the test alone": "count_ngrams(train → count_ngrams(test",
        "the score is taken on all the stories": "in test: → in stories:",
        "everything is counted, and everything is in the test": "count_ngrams(train → count_ngrams(stories; in test: → in stories:",
        "nothing is found in the counts: are they made, with n words each?": "count_ngrams(train, n) → {}",
        "half of the stories are counted, not four fifths": "* 4 // 5 → // 2",
        "the first fifth is the test, not the last": (
            "* 4 // 5 → // 5; train, test = stories[:cut], stories[cut:] → test, train = stories[:cut], stories[cut:]"
        ),
    },
    "running_summary": {
        "a and 1 - a are exchanged": "(1 - a) * h_t + a * → a * h_t + (1 - a) *",
        "the starting summary h_0 is not used": "h_t = h_0 → h_t = 0 * h_0",
        "nothing is carried on: every step begins from h_0": "* h_t + → * h_0 +",
        "nothing is carried on: every step begins from 0": "(1 - a) * h_t + → ",
        "the old summary is kept whole: the factor 1 - a is missing": "(1 - a) * → ",
        "the new word is added whole: the factor a is missing": "+ a * x → + x",
        "the summary is stored before the word is read": "h[t] = h_t → ; h_t = (1 → h[t] = h_t\n        h_t = (1",
        "this is the mean of all words so far, not the running summary": (
            "return h → return np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]"
        ),
        "the same array was stored again and again": "h[t] = h_t → h[:] = h_t",
        "this is the last summary only": "return h → return h_t",
        "h_0 is returned among the summaries": "return h → return np.concatenate([h_0[None], h])",
        "the words are read from the last to the first": "in range(len(x)) → in reversed(range(len(x)))",
    },
    "influence": {
        "the newest word is first; the oldest is expected first": "return (1 - a) ** ages * np.append(1.0, np.full(T, a)) → return ((1 - a) ** ages * np.append(1.0, np.full(T, a)))[::-1]",
        "after h_0 the newest word is first; the oldest is expected first": "np.arange(T - 1, -1, -1) → np.arange(T)",
        "h_0 is missing": "return (1 - a) ** ages * np.append(1.0, np.full(T, a)) → return a * (1 - a) ** np.arange(T - 1.0, -1, -1)",
        "a and 1 - a are exchanged": "ages = np → a = 1 - a\n    ages = np",
        "the factor a is missing": "* np.append(1.0, np.full(T, a)) → ",
        "h_0 has the factor a too; it came before the mixing": "np.append(1.0, np.full(T, a)) → a",
        "the powers are off by one: x_T has the power 0 of 1 - a": "np.arange(T - 1, -1, -1) → np.arange(T, 0, -1)",
        "the power of h_0 is off by one: it needs one for each word": "np.append(T, → np.append(T - 1.0,",
        "every word counts the same here; older ones must count less": "return (1 - a) ** ages * np.append(1.0, np.full(T, a)) → return np.full(T + 1, 1 / (T + 1))",
        "h_0 has no influence here; with few words it has": "np.append(1.0, → np.append(0.0,",
    },
    "half_life": {
        "it is upside down": "np.log(0.5) / np.log(1 - a) → np.log(1 - a) / np.log(0.5)",
        "the weight is (1 - a)^k, not a^k": "1 - a → a",
        "a sign is wrong: both logarithms are negative": "np.log(0.5) → np.log(2)",
        "log(1 - a) is not -a, but for tiny a": "np.log(1 - a) → -a",
        "the weight falls by a factor at each word, not by an amount": "np.log(0.5) / np.log(1 - a) → 0.5 / a",
        "k need not be a whole number": "return np.log(0.5) / np.log(1 - a) → return np.ceil(np.log(0.5) / np.log(1 - a))",
        "": "np.log(0.5) / np.log(1 - a) → 0.5",
    },
    "place_given_reason": {
        "it is not divided by its sum yet": " / joint.sum() → ",
        "the prior P(place) is missing": "prior * → ",
        "this is P(reason | place), not yet turned around": "prior * → ; / joint.sum() → ",
        "this is P(place): the reason is not used": "return joint / joint.sum() → return prior",
        "prior and likelihood are added, they must be multiplied": "prior * → prior +",
        "it is divided by the sum of the column, without the prior": "joint.sum() → likelihood[:, reason].sum()",
        "it is divided by its largest entry, not by its sum": "joint.sum() → joint.max()",
        "the most likely place gets everything": "joint / joint.sum() → (joint == joint.max()) * 1.0",
        "the shapes do not fit": "likelihood[:, reason] → likelihood[reason]",
    },
    "carry_belief": {
        "the belief is not carried: every step begins from the prior": "place_given_reason(belief → place_given_reason(prior",
        "the prior is not used at the start": "belief = prior → belief = np.full(len(prior), 1 / len(prior))",
        "the prior is multiplied in at every step; it only makes the start": "place_given_reason(belief, → place_given_reason(prior * belief / (prior @ belief) if t else prior,",
        "the prior is multiplied in at every step, the first one included": "place_given_reason(belief → place_given_reason(prior * belief",
        "the beliefs are not divided by their sum": "place_given_reason(belief, likelihood, reasons[t]) → belief * likelihood[:, reasons[t]]",
        "all beliefs together add up to 1; each of them must": (
            "place_given_reason(belief, likelihood, reasons[t]) → belief * likelihood[:, reasons[t]]; "
            "return beliefs → return beliefs / beliefs.sum()"
        ),
        "the sum is divided by only at the end, when it is 0 already": (
            "place_given_reason(belief, likelihood, reasons[t]) → belief * likelihood[:, reasons[t]]; "
            "return beliefs → return beliefs / beliefs.sum(axis=1, keepdims=True)"
        ),
        "only the last step is divided by its sum": (
            "place_given_reason(belief, likelihood, reasons[t]) → belief * likelihood[:, reasons[t]]; "
            "return beliefs → beliefs[-1:] /= beliefs[-1:].sum()\n    return beliefs"
        ),
        "each belief is stored before its reason is read": "beliefs[t] = belief → ; belief = place → beliefs[t] = belief\n        belief = place",
        "the reasons are read from the last to the first": "reasons[t] → reasons[-1 - t]",
        "the first reason is read again and again": "reasons[t] → reasons[0]",
        "this is the last belief only": "return beliefs → return belief",
        "the prior is returned among the beliefs": "return beliefs → return np.concatenate([prior[None], beliefs])",
    },
    "best_bits": {
        "the logarithm is the natural one; bits want base 2": "np.log2 → np.log",
        "the sign is missing": "bits -= → bits +=",
        "this is the entropy of P(place), as if no reason were told": "p = place_given_reason(prior, likelihood, reason) → p = prior",
        "only the most likely place is counted, not all of them": "(p * np.log2(p)).sum() → np.log2(p.max())",
        "the weight P(q | r) inside the sum is missing": "(p * np.log2(p)) → np.log2(p)",
        "the entropies are added up without their weight P(r)": "(prior @ likelihood[:, reason]) * → ",
        "each reason is weighed the same; weigh it by how often it is told": (
            "(prior @ likelihood[:, reason]) * → 1 / np.count_nonzero(prior @ likelihood) *"
        ),
        "leave the places out that are impossible": "        p = p[p > 0]\n → ",
        "leave the reasons out that are never told": "np.flatnonzero(prior @ likelihood) → range(likelihood.shape[1]); p > 0 → p != 0",
    },
}


def count_ngrams__across_stories(stories, n):
    """an n-gram reaches from one story into the next"""
    words = ["<s>"] * (n - 1) + [word for story in stories for word in story]
    return dict(Counter(tuple(words[t : t + n]) for t in range(len(words) - n + 1)))


def _entropy(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def best_bits__of_the_reasons(prior, likelihood):
    """this is the entropy of the reasons, not of the places"""
    return _entropy(prior @ likelihood)


def best_bits__joint(prior, likelihood):
    """this is the entropy of place and reason together"""
    return _entropy((prior[:, None] * likelihood).ravel())


def best_bits__other_way(prior, likelihood):
    """this is P(reason | place) in place of P(place | reason)"""
    return sum(prior[q] * _entropy(likelihood[q]) for q in range(len(prior)))


# mutants made by swapping operators that are right answers too
SURVIVORS = {
    "best_bits: bits -= prior @ likelihood[:, reason] * (p * np.log2(p)).sum() → "
    "bits -= likelihood[:, reason] @ prior * (p * np.log2(p)).sum()": (
        "the product of two vectors does not depend on their order"
    ),
}

ALLOWED = {
    "training.sliding_windows": "a window of one row is a row of the array that was put in",
}
