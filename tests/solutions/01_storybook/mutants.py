"""Wrong answers to the exercises of 01_storybook.

The part of a name before the two underscores is the exercise's function; the
docstring is what the failure must say to name the cause (none: it need only fail).
"""

from collections import Counter

import numpy as np

# ── exercise 1 ───────────────────────────────────────────────────────────────


def count_ngrams__across_stories(stories, n):
    """an n-gram reaches from one story into the next"""
    words = ["<s>"] * (n - 1) + [word for story in stories for word in story]
    return dict(Counter(tuple(words[t : t + n]) for t in range(len(words) - n + 1)))


def count_ngrams__no_start(stories, n):
    """the start signs are missing"""
    counts = {}
    for story in stories:
        for t in range(len(story) - n + 1):
            ngram = tuple(story[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__a_start_too_many(stories, n):
    """there is a start sign too many"""
    counts = {}
    for story in stories:
        words = ["<s>"] * n + story
        for t in range(len(words) - n + 1):
            ngram = tuple(words[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__last_word_lost(stories, n):
    """the last word of each story is not counted"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story) - 1):
            ngram = tuple(words[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__once(stories, n):
    """add 1 each time it occurs"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            counts[tuple(words[t : t + n])] = 1
    return counts


def count_ngrams__last_story(stories, n):
    """only the last story is counted"""
    for story in stories:
        counts = {}
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = tuple(words[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__returns_in_the_loop(stories, n):
    """only the first story is counted"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = tuple(words[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
        return counts


def count_ngrams__one_too_long(stories, n):
    """the n-grams are one word too long"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(words) - n):
            ngram = tuple(words[t : t + n + 1])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__context_only(stories, n):
    """the word that follows is missing"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = tuple(words[t : t + n - 1])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__reversed(stories, n):
    """the words of an n-gram are in reverse order"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = tuple(words[t : t + n][::-1])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__texts(stories, n):
    """the keys are texts"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = " ".join(words[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__lists(stories, n):
    """cannot be a key of a dict"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            ngram = words[t : t + n]
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


def count_ngrams__no_default(stories, n):
    """a key is not in the dict yet"""
    counts = {}
    for story in stories:
        words = ["<s>"] * (n - 1) + story
        for t in range(len(story)):
            counts[tuple(words[t : t + n])] += 1
    return counts


def count_ngrams__stories_changed(stories, n):
    """count_ngrams changed its argument stories in place"""
    counts = {}
    for story in stories:
        for _ in range(n - 1):
            story.insert(0, "<s>")
        for t in range(len(story) - n + 1):
            ngram = tuple(story[t : t + n])
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


# ── exercise 2 ───────────────────────────────────────────────────────────────


def _followed(counts, context, vocabulary):
    return np.array([counts.get((*context, word), 0) for word in vocabulary], dtype=float)


def next_word_probabilities__not_smoothed(counts, context, vocabulary, alpha):
    """alpha is not added"""
    followed = _followed(counts, context, vocabulary)
    return followed / followed.sum()


def next_word_probabilities__only_below(counts, context, vocabulary, alpha):
    """alpha is missing above the line"""
    followed = _followed(counts, context, vocabulary)
    return followed / (followed.sum() + alpha * len(vocabulary))


def next_word_probabilities__only_above(counts, context, vocabulary, alpha):
    """alpha V is missing below the line"""
    followed = _followed(counts, context, vocabulary)
    return (followed + alpha) / followed.sum()


def next_word_probabilities__alpha_below(counts, context, vocabulary, alpha):
    """below the line stands alpha, not alpha V"""
    followed = _followed(counts, context, vocabulary)
    return (followed + alpha) / (followed.sum() + alpha)


def next_word_probabilities__all_counts(counts, context, vocabulary, alpha):
    """it is divided by all counts"""
    followed = _followed(counts, context, vocabulary)
    return (followed + alpha) / (sum(counts.values()) + alpha * len(vocabulary))


def next_word_probabilities__no_context(counts, context, vocabulary, alpha):
    """the context is not looked at"""
    words = Counter()
    for ngram, number in counts.items():
        words[ngram[-1]] += number
    followed = np.array([words[word] for word in vocabulary])
    return (followed + alpha) / (followed.sum() + alpha * len(vocabulary))


def next_word_probabilities__counts(counts, context, vocabulary, alpha):
    """they are not divided yet"""
    return _followed(counts, context, vocabulary) + alpha


def next_word_probabilities__alpha_for_the_unseen(counts, context, vocabulary, alpha):
    """alpha is added only to what was never seen"""
    followed = _followed(counts, context, vocabulary)
    followed[followed == 0] = alpha
    return followed / followed.sum()


def next_word_probabilities__key_in_a_tuple(counts, context, vocabulary, alpha):
    """as if the context were never found"""
    followed = np.array([counts.get((context, word), 0) for word in vocabulary])
    return (followed + alpha) / (followed.sum() + alpha * len(vocabulary))


def next_word_probabilities__list(counts, context, vocabulary, alpha):
    """is of type list"""
    followed = _followed(counts, context, vocabulary)
    return list((followed + alpha) / (followed.sum() + alpha * len(vocabulary)))


def next_word_probabilities__two(counts, context, vocabulary, alpha):
    followed = _followed(counts, context, vocabulary)
    return (followed + alpha) / (followed.sum() + 2 * alpha)


# ── exercise 3 ───────────────────────────────────────────────────────────────


def _came(probabilities, targets):
    return probabilities[np.arange(len(targets)), targets]


def bits_per_word__natural(probabilities, targets):
    """the logarithm is the natural one"""
    return -np.log(_came(probabilities, targets)).mean()


def bits_per_word__base_ten(probabilities, targets):
    """the logarithm has base 10"""
    return -np.log10(_came(probabilities, targets)).mean()


def bits_per_word__sign(probabilities, targets):
    """the sign is missing"""
    return np.log2(_came(probabilities, targets)).mean()


def bits_per_word__sum(probabilities, targets):
    """it is the sum over the words, not the mean"""
    return -np.log2(_came(probabilities, targets)).sum()


def bits_per_word__log_of_mean(probabilities, targets):
    """it is the logarithm of the mean"""
    return -np.log2(_came(probabilities, targets).mean())


def bits_per_word__perplexity(probabilities, targets):
    """this is the perplexity"""
    return 2 ** -np.log2(_came(probabilities, targets)).mean()


def bits_per_word__mean_probability(probabilities, targets):
    """the logarithm is missing"""
    return _came(probabilities, targets).mean()


def bits_per_word__most_likely(probabilities, targets):
    """the most likely word was taken"""
    return -np.log2(probabilities.max(axis=1)).mean()


def bits_per_word__by_entries(probabilities, targets):
    """it is divided by the number of entries"""
    return -np.log2(_came(probabilities, targets)).sum() / probabilities.size


def bits_per_word__all_columns(probabilities, targets):
    """pair each row with its target"""
    return -np.log2(probabilities[:, targets]).mean()


def bits_per_word__each(probabilities, targets):
    """the mean is missing"""
    return -np.log2(_came(probabilities, targets))


def bits_per_word__no_return(probabilities, targets):
    """a return is missing"""
    np.log2(_came(probabilities, targets)).mean()


# ── exercise 4 ───────────────────────────────────────────────────────────────


def _score(counted, test, n, vocabulary, alpha):
    counts = count_ngrams(counted, n)
    guesses, targets = [], []
    for story in test:
        words = ["<s>"] * (n - 1) + story
        for t, word in enumerate(story):
            context = tuple(words[t : t + n - 1])
            guesses.append(next_word_probabilities(counts, context, vocabulary, alpha))
            targets.append(vocabulary.index(word))
    return bits_per_word(np.array(guesses), np.array(targets))


def held_out_bits__leak(stories, n, vocabulary, alpha):
    """the stories of the test are counted too"""
    return _score(stories, stories[len(stories) * 4 // 5 :], n, vocabulary, alpha)


def held_out_bits__tested_on_training(stories, n, vocabulary, alpha):
    """the score is taken on the stories that were counted"""
    train = stories[: len(stories) * 4 // 5]
    return _score(train, train, n, vocabulary, alpha)


def held_out_bits__counted_on_test(stories, n, vocabulary, alpha):
    """the n-grams are counted on the test alone"""
    test = stories[len(stories) * 4 // 5 :]
    return _score(test, test, n, vocabulary, alpha)


def held_out_bits__tested_on_all(stories, n, vocabulary, alpha):
    """the score is taken on all the stories"""
    return _score(stories[: len(stories) * 4 // 5], stories, n, vocabulary, alpha)


def held_out_bits__all_and_all(stories, n, vocabulary, alpha):
    """everything is counted, and everything is in the test"""
    return _score(stories, stories, n, vocabulary, alpha)


def held_out_bits__nothing_counted(stories, n, vocabulary, alpha):
    """nothing is counted"""
    return _score([], stories[len(stories) * 4 // 5 :], n, vocabulary, alpha)


def held_out_bits__halves(stories, n, vocabulary, alpha):
    """half of the stories are counted"""
    cut = len(stories) // 2
    return _score(stories[:cut], stories[cut:], n, vocabulary, alpha)


def held_out_bits__first_fifth(stories, n, vocabulary, alpha):
    """the first fifth is the test"""
    cut = len(stories) // 5
    return _score(stories[cut:], stories[:cut], n, vocabulary, alpha)


# ── exercise 5 ───────────────────────────────────────────────────────────────


def _summaries(x, h_0, update):
    h, h_t = np.empty(x.shape), h_0
    for t in range(len(x)):
        h[t] = h_t = update(h_t, x[t])
    return h


def running_summary__exchanged(x, a, h_0):
    """a and 1 - a are exchanged"""
    return _summaries(x, h_0, lambda h_t, x_t: a * h_t + (1 - a) * x_t)


def running_summary__starts_from_zero(x, a, h_0):
    """the starting summary h_0 is not used"""
    return _summaries(x, 0 * h_0, lambda h_t, x_t: (1 - a) * h_t + a * x_t)


def running_summary__not_carried(x, a, h_0):
    """every step begins from h_0"""
    return _summaries(x, h_0, lambda h_t, x_t: (1 - a) * h_0 + a * x_t)


def running_summary__not_carried_zero(x, a, h_0):
    """every step begins from 0"""
    return a * x


def running_summary__keeps_all(x, a, h_0):
    """the factor 1 - a is missing"""
    return _summaries(x, h_0, lambda h_t, x_t: h_t + a * x_t)


def running_summary__takes_all(x, a, h_0):
    """the factor a is missing"""
    return _summaries(x, h_0, lambda h_t, x_t: (1 - a) * h_t + x_t)


def running_summary__stored_before(x, a, h_0):
    """the summary is stored before the word is read"""
    h, h_t = np.empty(x.shape), h_0
    for t in range(len(x)):
        h[t] = h_t
        h_t = (1 - a) * h_t + a * x[t]
    return h


def running_summary__mean(x, a, h_0):
    """this is the mean of all words so far"""
    return np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]


def running_summary__one_buffer(x, a, h_0):
    """the same array was stored again and again"""
    h, h_t = [], h_0.copy()
    for x_t in x:
        h_t[:] = (1 - a) * h_t + a * x_t
        h.append(h_t)
    return np.array(h).reshape(x.shape)


def running_summary__last(x, a, h_0):
    """this is the last summary only"""
    h_t = h_0
    for x_t in x:
        h_t = (1 - a) * h_t + a * x_t
    return h_t


def running_summary__with_h_0(x, a, h_0):
    """h_0 is returned among the summaries"""
    h = [h_0]
    for x_t in x:
        h.append((1 - a) * h[-1] + a * x_t)
    return np.array(h)


def running_summary__reversed(x, a, h_0):
    """the words are read from the last to the first"""
    return _summaries(x[::-1], h_0, lambda h_t, x_t: (1 - a) * h_t + a * x_t)[::-1]


def influence__newest_first(a, T):
    """the newest word is first; the oldest is asked first"""
    return np.append(a * (1 - a) ** np.arange(T), (1 - a) ** T)


def influence__words_reversed(a, T):
    """after h_0 the newest word is first"""
    return np.append((1 - a) ** T, a * (1 - a) ** np.arange(T))


def influence__no_h_0(a, T):
    """h_0 is missing"""
    return a * (1 - a) ** np.arange(T - 1.0, -1, -1)


def influence__exchanged(a, T):
    """a and 1 - a are exchanged"""
    return np.append(a**T, (1 - a) * a ** np.arange(T - 1.0, -1, -1))


def influence__no_factor(a, T):
    """the factor a is missing"""
    return np.append((1 - a) ** T, (1 - a) ** np.arange(T - 1.0, -1, -1))


def influence__h_0_scaled(a, T):
    """h_0 has the factor a too"""
    return a * (1 - a) ** np.arange(T, -1.0, -1)


def influence__off_by_one(a, T):
    """the powers are off by one"""
    return np.append((1 - a) ** T, a * (1 - a) ** np.arange(T, 0.0, -1))


def influence__h_0_off_by_one(a, T):
    """the power of h_0 is off by one"""
    return np.append((1 - a) ** (T - 1.0), a * (1 - a) ** np.arange(T - 1.0, -1, -1))


def influence__even(a, T):
    """every word counts the same here"""
    return np.full(T + 1, 1 / (T + 1))


def influence__h_0_forgotten(a, T):
    """h_0 has no influence here"""
    return np.append(0.0, a * (1 - a) ** np.arange(T - 1.0, -1, -1))


def half_life__upside_down(a):
    """it is upside down"""
    return np.log(1 - a) / np.log(0.5)


def half_life__of_a(a):
    """the weight is (1 - a)^k, not a^k"""
    return np.log(0.5) / np.log(a)


def half_life__sign(a):
    """a sign is wrong"""
    return np.log(2) / np.log(1 - a)


def half_life__first_order(a):
    """but for tiny a"""
    return np.log(2) / a


def half_life__linear(a):
    """the weight falls by a factor at each word"""
    return 0.5 / a


def half_life__whole_words(a):
    """k need not be a whole number"""
    return np.ceil(np.log(0.5) / np.log(1 - a))


def half_life__constant(a):
    return 1.0


# ── exercise 6 ───────────────────────────────────────────────────────────────


def place_given_reason__joint(prior, likelihood, reason):
    """it is not divided by its sum yet"""
    return prior * likelihood[:, reason]


def place_given_reason__no_prior(prior, likelihood, reason):
    """the prior P(place) is missing"""
    return likelihood[:, reason] / likelihood[:, reason].sum()


def place_given_reason__forward(prior, likelihood, reason):
    """not yet turned around"""
    return likelihood[:, reason]


def place_given_reason__prior(prior, likelihood, reason):
    """the reason is not used"""
    return prior


def place_given_reason__added(prior, likelihood, reason):
    """prior and likelihood are added"""
    joint = prior + likelihood[:, reason]
    return joint / joint.sum()


def place_given_reason__column_sum(prior, likelihood, reason):
    """by the sum of the column alone"""
    return prior * likelihood[:, reason] / likelihood[:, reason].sum()


def place_given_reason__maximum(prior, likelihood, reason):
    """it is divided by its largest entry"""
    joint = prior * likelihood[:, reason]
    return joint / joint.max()


def place_given_reason__winner(prior, likelihood, reason):
    """the most likely place gets everything"""
    joint = prior * likelihood[:, reason]
    return (joint == joint.max()) * 1.0


def place_given_reason__row(prior, likelihood, reason):
    """the shapes do not fit"""
    joint = prior * likelihood[reason]
    return joint / joint.sum()


def _beliefs(prior, likelihood, reasons, update):
    beliefs, belief = [], prior
    for reason in reasons:
        belief = update(belief, likelihood[:, reason])
        beliefs.append(belief)
    return np.array(beliefs).reshape(len(reasons), len(prior))


def _divided(p):
    return p / p.sum()


def carry_belief__not_carried(prior, likelihood, reasons):
    """every step begins from the prior"""
    return _beliefs(prior, likelihood, reasons, lambda s, column: _divided(prior * column))


def carry_belief__no_prior(prior, likelihood, reasons):
    """the prior is not used at the start"""
    even = np.full(len(prior), 1 / len(prior))
    return _beliefs(even, likelihood, reasons, lambda s, column: _divided(s * column))


def carry_belief__prior_every_time(prior, likelihood, reasons):
    """the prior is multiplied in at every step"""
    even = np.full(len(prior), 1 / len(prior))
    return _beliefs(even, likelihood, reasons, lambda s, column: _divided(s * prior * column))


def carry_belief__not_divided(prior, likelihood, reasons):
    """the beliefs are not divided by their sum"""
    return _beliefs(prior, likelihood, reasons, lambda s, column: s * column)


def carry_belief__divided_at_the_end(prior, likelihood, reasons):
    """only at the end, when it is 0 already"""
    beliefs = _beliefs(prior, likelihood, reasons, lambda s, column: s * column)
    return beliefs / beliefs.sum(axis=1, keepdims=True)


def carry_belief__divided_together(prior, likelihood, reasons):
    """all beliefs together add up to 1"""
    beliefs = _beliefs(prior, likelihood, reasons, lambda s, column: s * column)
    return beliefs / beliefs.sum()


def carry_belief__stored_before(prior, likelihood, reasons):
    """each belief is stored before its reason is read"""
    beliefs = np.empty((len(reasons), len(prior)))
    belief = prior
    for t, reason in enumerate(reasons):
        beliefs[t] = belief
        belief = _divided(belief * likelihood[:, reason])
    return beliefs


def carry_belief__reversed(prior, likelihood, reasons):
    """the reasons are read from the last to the first"""
    return _beliefs(prior, likelihood, reasons[::-1], lambda s, column: _divided(s * column))


def carry_belief__first_reason(prior, likelihood, reasons):
    """the first reason is read again and again"""
    return _beliefs(
        prior, likelihood, [reasons[0] for _ in reasons], lambda s, column: _divided(s * column)
    )


def carry_belief__last(prior, likelihood, reasons):
    """this is the last belief only"""
    return _beliefs(prior, likelihood, reasons, lambda s, column: _divided(s * column))[-1]


def carry_belief__with_prior(prior, likelihood, reasons):
    """the prior is returned among the beliefs"""
    beliefs = [prior]
    for reason in reasons:
        beliefs.append(_divided(beliefs[-1] * likelihood[:, reason]))
    return np.array(beliefs)


def _entropy(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def _posteriors(prior, likelihood):
    joint = prior[:, None] * likelihood
    told = joint.sum(axis=0)
    return joint[:, told > 0] / told[told > 0], told[told > 0]


def best_bits__even_weights(prior, likelihood):
    """each reason is weighed the same"""
    p, told = _posteriors(prior, likelihood)
    return sum(_entropy(p[:, r]) for r in range(len(told))) / len(told)


def best_bits__no_weights(prior, likelihood):
    """are added up without their weight"""
    p, told = _posteriors(prior, likelihood)
    return sum(_entropy(p[:, r]) for r in range(len(told)))


def best_bits__natural(prior, likelihood):
    """the logarithm is the natural one"""
    p, told = _posteriors(prior, likelihood)
    return sum(told[r] * _entropy(p[:, r]) for r in range(len(told))) * np.log(2)


def best_bits__sign(prior, likelihood):
    """the sign is missing"""
    p, told = _posteriors(prior, likelihood)
    return -sum(told[r] * _entropy(p[:, r]) for r in range(len(told)))


def best_bits__of_the_place(prior, likelihood):
    """as if no reason were told"""
    return _entropy(prior)


def best_bits__of_the_reasons(prior, likelihood):
    """this is the entropy of the reasons"""
    return _entropy(prior @ likelihood)


def best_bits__joint(prior, likelihood):
    """of place and reason together"""
    return _entropy((prior[:, None] * likelihood).ravel())


def best_bits__most_likely_only(prior, likelihood):
    """only the most likely place is counted"""
    p, told = _posteriors(prior, likelihood)
    return -(told * np.log2(p.max(axis=0))).sum()


def best_bits__other_way(prior, likelihood):
    """in place of P(place | reason)"""
    return sum(prior[q] * _entropy(likelihood[q]) for q in range(len(prior)))


def best_bits__zeros_not_left_out(prior, likelihood):
    """leave the places out that are impossible"""
    joint = prior[:, None] * likelihood
    p = joint / joint.sum(axis=0)
    return -(joint * np.log2(p)).sum()


def best_bits__untold_reason(prior, likelihood):
    """leave the reasons out that are never told"""
    bits = 0.0
    for r in range(likelihood.shape[1]):
        joint = prior * likelihood[:, r]
        p = joint / joint.sum()
        bits -= joint.sum() * (p[p != 0] * np.log2(p[p != 0])).sum()
    return bits


# ── mutants made by swapping operators that are right answers too ────────────

SURVIVORS = {
    "best_bits: bits -= prior @ likelihood[:, reason] * (p * np.log2(p)).sum() → "
    "bits -= likelihood[:, reason] @ prior * (p * np.log2(p)).sum()": (
        "the product of two vectors does not depend on their order"
    ),
}
