"""Wrong answers to 04_text, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

import numpy as np

_CUTS = ("strip()", "lstrip()", "rstrip()", r"strip('\n')", r"lstrip('\n')", r"rstrip('\n')")

EDITS = {
    "softmax_loss": {
        "the logarithm has base 2; nats want the natural one": "- np.log(np.exp → - np.log2(np.exp",
        "the loss is the sum over the characters, not the mean": "log_p[came].mean() → log_p[came].sum()",
        "the loss is the mean over all scores, not over those that came": "-log_p[came].mean() → -log_p.mean()",
        "the gradient is not divided by the number of characters": " / targets.size → ",
        "the gradient is divided by T, not by T times B": "/ targets.size → / len(targets)",
        "the gradient is divided by B, not by T times B": "/ targets.size → / targets.shape[1]",
        "the gradient is divided by T, B and V; T times B is right": (
            "/ targets.size → / logits.size"
        ),
        "the gradient has log p in place of p": "np.exp(log_p) - came → log_p - came",
        "the largest score is missing in one of the two terms": "shifted - np.log(np.exp → logits - np.log(np.exp",
        "in the gradient nothing is subtracted where a character came": "(np.exp(log_p) - came) → np.exp(log_p)",
        "these are the scores minus what happened; the softmax is missing": "np.exp(log_p) - came → logits - came",
        "a sign is wrong; it is the negative of what is expected": [
            "np.exp(log_p) - came → came - np.exp(log_p)",
            "loss = - → loss = ",
        ],
        "the softmax is taken over time, not over the characters": (
            "logits.max(axis=-1 → logits.max(axis=0; sum(axis=-1 → sum(axis=0"
        ),
        "the softmax is taken over the strands, not over the characters": (
            "logits.max(axis=-1 → logits.max(axis=1; sum(axis=-1 → sum(axis=1"
        ),
        "a finite number is expected": [
            " - logits.max(axis=-1, keepdims=True) → ",
            "logits.max(axis=-1, keepdims=True) → logits.max()",
        ],
        "softmax_loss changed its argument logits in place": "shifted = logits - logits.max( → shifted = logits\n    shifted -= logits.max(",
        "softmax_loss returns 2 results": "return loss, → return ",
    },
    "cut": {
        "rows and columns are exchanged in reshape": (
            "x = code[: B * L].reshape(B, L).T → x = code[: B * L].reshape(L, B); "
            "y = code[1 : B * L + 1].reshape(B, L).T → y = code[1 : B * L + 1].reshape(L, B)"
        ),
        "Is time the first axis?": (
            "[: B * L].reshape(B, L).T → [: B * L].reshape(B, L); L + 1].reshape(B, L).T → L + 1].reshape(B, L); "
            "(x[t : t + T], y[t : t + T]) → (x[:, t : t + T], y[:, t : t + T])"
        ),
        "the targets are the inputs": "code[1 : B * L + 1] → code[: B * L]",
        "the targets are two characters later, not one": "code[1 : B * L + 1] → np.roll(code, -1)[1 : B * L + 1]",
        "the targets are the characters before": "code[1 : B * L + 1] → np.roll(code, 1)[: B * L]",
        "the last, shorter piece is missing": "range(0, L, T) → range(0, L - T + 1, T)",
        "the last piece is filled up": (
            "(x[t : t + T], y[t : t + T]) → tuple(np.pad(a[t : t + T], ((0, max(t + T - L, 0)), (0, 0))) for a in (x, y))"
        ),
        "each piece is one step too short": "(x[t : t + T], y[t : t + T]) → (x[t : t + T - 1], y[t : t + T - 1])",
        "the last target of a strand is its first input": (
            "y = code[1 : B * L + 1].reshape(B, L).T → y = np.roll(x, -1, axis=0)"
        ),
        "the last target of each strand is missing": "y[t : t + T]) → x[t + 1 : t + T + 1])",
        "the steps of the pieces of 20 texts": "range(0, L, T) → range(0, L + T - L % T, T)",
        "the pieces overlap": "range(0, L, T) → range(L)",
        "the strands are one step too short": "(len(code) - 1) // B → (len(code) - 1) // B - 1",
        "the strands stand at the end of the text": (
            "code[: B * L] → code[len(code) - 1 - B * L : -1]; code[1 : B * L + 1] → code[len(code) - B * L :]"
        ),
        "a list is expected, not": "return [( → return tuple([(; L, T)] → L, T)])",
        "is no tuple (x, y)": "[(x[t : t + T], y[t : t + T]) for → [[x[t : t + T], y[t : t + T]] for",
        "only the first piece is there": "range(0, L, T) → range(0, 1)",
        "the pieces are reversed in time": "range(0, L, T) → reversed(range(0, L, T))",
    },
    "carried_loss": {
        "the state is not carried: every piece begins with None": [
            "model(x, state) → model(x, None)",
            "count += y.size → count += y.size\n        state = None",
        ],
        "it is the mean over the pieces; a shorter piece must count less": "loss * y.size → loss; count += y.size → count += 1",
        "it is the loss of the last piece alone": "total += loss * y.size → total = loss * y.size; count += y.size → count = y.size",
        "it is the sum over all characters, not the mean": "total / count → total",
        "it is divided by the number of steps, not of characters": "count += y.size → count += len(y)",
        "it is divided by the number of pieces": "count += y.size → count += 1",
        "the mean loss of a piece is multiplied by its steps, not by its characters": "loss * y.size → loss * len(y)",
        "it is divided by the number of strands, not of characters": "count += y.size → count += y.shape[1]",
        "a state that is neither None nor one that it gave out": [
            "None, 0.0, 0 → 0, 0.0, 0",
            "scores, state = model(x, state) → scores, _ = model(x, state)\n        state = scores[-1]",
        ],
        "it is in bits; nats are expected": "total / count → total / count / np.log(2)",
        "the targets are compared with themselves as inputs: softmax_loss got x": "softmax_loss(scores, y) → softmax_loss(scores, x)",
        "the first piece is left out": "for x, y in pieces: → for x, y in pieces[1:]:",
        "the pieces are read from the last to the first": "in pieces: → in pieces[::-1]:",
        "a `return` stands inside the loop": "    return total →         return total",
    },
    "next_probabilities": {
        "the temperature is not used": " / temperature) → )",
        "the scores are multiplied by the temperature; divide by it": "/ temperature) → * temperature)",
        "k is not used": "[:k] → ",
        "the k worst characters stay, not the k best": "np.argsort(-logits → np.argsort(logits",
        "one character too many stays possible": "[:k] → [: k + 1]",
        "one character too few stays possible": "[:k] → [: max(k - 1, 1)]",
        "they do not add up to 1: what falls away is lost": (
            "raised / raised.sum() → raised / np.exp((logits - logits.max()) / temperature).sum()"
        ),
        "the probabilities are not divided by their sum": "raised / raised.sum() → raised",
        "these are scores, not probabilities": "raised / raised.sum() → logits[possible]",
        "at temperature 0 all of the best share; the first of them has all": (
            "p[possible[0]] = 1 → p[logits == logits.max()] = 1 / (logits == logits.max()).sum()"
        ),
        "p is of type int64; a NumPy array is expected": "p[possible[0]] = 1 → return possible[0]",
        "the result is in the order from the best to the worst": "p[possible] = raised → p[: len(possible)] = raised",
        "of equal scores the last comes first": 'np.argsort(-logits, kind="stable") → np.argsort(logits, kind="stable")[::-1]',
        "the temperature divides the probabilities; it must divide the scores": (
            "- logits.max()) / temperature) → - logits.max())); raised / raised.sum() → raised / raised.sum() / temperature"
        ),
        "a finite number is expected": [
            "logits[possible] - logits.max() → logits[possible]",
            "temperature == 0 → temperature < 0",
        ],
    },
    "pick": {
        "a number on a border belongs to the stretch that begins there": 'side="right" → side="left"',
        "it is the likeliest character; the chance is not used": 'int(np.searchsorted(ends, chance, side="right")) → int(np.argmax(p))',
        "the stretches are laid from the last character to the first": "np.cumsum(p) → np.cumsum(p[::-1])",
        "the probabilities are not added up: they are no borders": "np.cumsum(p) → p",
        "the probabilities are sorted first": ("np.cumsum(p) → np.cumsum(np.sort(p)[::-1])"),
        "characters with probability 0 are left out of the numbers": "np.cumsum(p) → np.cumsum(p[p > 0])",
        "the character is of type float": 'int(np.searchsorted(ends, chance, side="right")) → float(ends[0])',
        "the character is of type ndarray": "return int(np.searchsorted(ends, chance → return (np.searchsorted(ends, np.array([chance])",
        "it is one too large": 'side="right") → side="right") + 1',
        "a return is missing": "return int → int",
    },
    "write": {
        "the state is not carried: every step begins with None": "[[character]]), state) → [[character]]), None)",
        "the first character is read at every step": "[[character]] → [[first]]",
        "the model begins with 0, not with the first character": "None, first → None, 0",
        "the first character is among what is written": "written[t] = character → ; scores, state = model → written[t] = character\n        scores, state = model",
        "": "chances[t] → chances[-1 - t]",
        "it wants (T, B)": "[[character]] → [character]",
        "the same chance is used at every step": "chances[t] → chances[0]",
        "the likeliest character is taken at every step": "temperature, k), chances → 0, k), chances",
        "k is not used": "temperature, k) → temperature, scores.shape[-1])",
        "the temperature is not used": "temperature, k) → 1.0, k)",
        "it is one step late: entry t holds what belongs at t - 1": "written[t] = → written[(t + 1) % len(chances)] =",
        "entries are used before they are filled in": "in range(len(chances)) → in range(len(chances) - 1)",
        "must hold whole numbers": ", dtype=int → ",
        "a `return` stands inside the loop": "    return written →         return written",
        "is of type list; a NumPy array is expected": "return written → return written.tolist()",
    },
    "bits_and_perplexity": {
        "these are nats; divide by the logarithm of 2": " / np.log(2) → ",
        "it is multiplied by the logarithm of 2; divide by it": "/ np.log(2) → * np.log(2)",
        "a sign is wrong; it is the negative of what is expected": "-log_p.mean() → log_p.mean()",
        "it is the sum over the characters, not the mean": ".mean() → .sum()",
        "it is the logarithm of the mean probability": "-log_p.mean() → -np.log(np.exp(log_p).mean())",
        "it is e to the power of the bits; bits want 2": "2**bits → np.exp(bits)",
        "it is the mean of 1/p; the mean is taken of the logarithms": "2**bits → np.exp(-log_p).mean()",
        "bits and perplexity are exchanged": "return bits, 2**bits → return 2**bits, bits",
        "bits_and_perplexity returns 2 results": "return bits, 2**bits → return bits",
    },
    "ngram_bits": {
        "the first character is scored, too": "range(1, len(code)) → range(len(code))",
        "the context holds the character that is to be predicted": "padded[t : t + n - 1]) → padded[t + 1 : t + n])",
        "the context ends one character too early": "[0] * (n - 1) + → [0] * n +",
        "the text's first character stands where some are missing; 0 must": "[0] * (n - 1) → [int(code[0])] * (n - 1)",
        "the probability of the character before was taken, not of the one that came": "[code[t]] → [code[t - 1]]",
        "the context is in reverse order: the oldest comes first": "padded[t : t + n - 1]) → padded[t : t + n - 1][::-1])",
        "the logarithm is the natural one; bits want base 2": "np.log2 → np.log",
        "it is the sum over the characters, not the mean": ".mean() → .sum()",
        "a sign is wrong": "return - → return ",
        "the characters near the beginning are left out": "range(1, len(code)) → range(min(n - 1, len(code) - 1) or 1, len(code))",
        "it is divided by N; N - 1 characters are scored": "np.log2(p).mean() → np.log2(p).sum() / len(code)",
        "the likeliest character was taken, not the one that came": "predict(contexts[t])[code[t]] → predict(contexts[t]).max()",
        "predict wants a tuple of n - 1": ["tuple(padded → list(padded", "t + n - 1]) → t + n])"],
    },
    "fair_split": {
        "passages that stand twice are kept": 'in dict.fromkeys(text.split("\\n\\n")) → in text.split("\\n\\n")',
        "empty passages are kept": " if one] → ]",
        "the beginning is held out, not the end": "return passages[:cut], passages[cut:] → return passages[len(passages) - cut :], passages[: len(passages) - cut]",
        "train and test are exchanged": "passages[:cut], passages[cut:] → passages[cut:], passages[:cut]",
        "large letters have become small": 'text.split("\\n\\n") → text.lower().split("\\n\\n")',
        "what is held out is in reverse order": "passages[:cut], passages[cut:] → passages[:cut], passages[cut:][::-1]",
        "the share is kept for training; it must be held out": "needed = share * → needed = (1 - share) *",
        "passages that stand twice are dropped altogether": (
            'dict.fromkeys(text.split("\\n\\n")) → text.split("\\n\\n"); '
            "if one] → if one and text.split('\\n\\n').count(one) == 1]"
        ),
        "repeats are dropped after the split, not before": (
            'dict.fromkeys(text.split("\\n\\n")) → text.split("\\n\\n"); '
            "return passages[:cut], passages[cut:] → return list(dict.fromkeys(passages[:cut])), list(dict.fromkeys(passages[cut:]))"
        ),
        "a blank and a line break are characters, also at the ends of a passage": [
            *(f'text.split("\\n\\n") → text.{cut}.split("\\n\\n")' for cut in _CUTS),
            *(f"[one for one in dict → [one.{cut} for one in dict" for cut in _CUTS),
            "if one] → if one.strip()]",
            "[one for one in dict → [one.strip() for one in dict; if one] → if one.strip()]",
        ],
        "line breaks are not counted": (
            "needed = share * sum(len(one) for → needed = share * sum(len(one) - one.count('\\n') for; "
            "if sum(len(one) for → if sum(len(one) - one.count('\\n') for"
        ),
        "one passage too many is held out": "passages[:cut], passages[cut:] → passages[: cut - 1], passages[cut - 1 :]",
        "one passage too few is held out": "passages[:cut], passages[cut:] → passages[: cut + 1], passages[cut + 1 :]",
        "a passage is held out although there were exactly enough": ">= needed → > needed",
        "passages are counted, not their characters": (
            "sum(len(one) for one in passages) → len(passages); sum(len(one) for one in passages[cut:]) → len(passages[cut:])"
        ),
        "the share is taken of the whole text, with what was dropped": (
            'share * sum(len(one) for one in passages) → min(share * len(text), len("".join(passages)))'
        ),
        "of equal passages the last is kept, not the first": (
            'dict.fromkeys(text.split("\\n\\n")) → list(dict.fromkeys(text.split("\\n\\n")[::-1]))[::-1]'
        ),
        "the passages are sorted; their order must stay": 'dict.fromkeys(text.split("\\n\\n")) → sorted(set(text.split("\\n\\n")))',
        "lines are split, not passages": 'text.split("\\n\\n") → text.split("\\n")',
        "train and test must be lists": "return passages[:cut], → return '\\n\\n'.join(passages[:cut]),",
    },
}

# mutants made by swapping operators that are right answers too, each with the reason
_PICKED = "character = pick(next_probabilities(scores[{}], temperature, k), chances[t])"
SURVIVORS = {
    f"write: {_PICKED.format('0, 0')} → {_PICKED.format(other)}": (
        "the model is called with one strand and one step, so that the last is the first"
    )
    for other in ("-1, 0", "0, -1")
}


def softmax_loss__a_little_is_added(logits, targets):
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    came = np.arange(logits.shape[-1]) == targets[..., None]
    return -np.log(p[came] + 1e-12).mean(), (p - came) / targets.size


def cut__past_the_end_of_a_strand(code, B, T):
    """the last piece runs on"""
    L, pieces = (len(code) - 1) // B, []
    for t in range(0, L, T):
        rows = [code[b * L + t : b * L + t + T + 1] for b in range(B)]
        rows = np.stack(rows, axis=1)
        pieces.append((rows[:-1], rows[1:]))
    return pieces


def cut__each_piece_by_itself(code, B, T):
    """each piece is cut from the text by itself"""
    pieces = []
    for start in range(0, len(code) - 1, B * T):
        steps = min(T, (len(code) - 1 - start) // B)
        x, y = (code[k : k + B * steps].reshape(B, steps).T for k in (start, start + 1))
        pieces += [(x, y)] if steps else []
    return pieces


def cut__row_by_row(code, B, T):
    """the text is cut before it is in strands"""
    n = (len(code) - 1) // (B * T)
    x, y = (code[k : k + n * B * T].reshape(n, T, B) for k in (0, 1))
    return list(zip(x, y, strict=True))


def next_probabilities__masked_with_0(logits, temperature, k):
    """what falls away got the score 0, not the probability 0"""
    kept = np.zeros(len(logits))
    best = np.argsort(-logits, kind="stable")[:k]
    kept[best] = logits[best]
    raised = np.exp((kept - kept.max()) / temperature)
    return raised / raised.sum()


def next_probabilities__from_the_kth_on(logits, temperature, k):
    """all that equal the kth stay possible; only k characters may"""
    raised = np.exp((logits - logits.max()) / (temperature or 1e-300))
    raised[logits < np.sort(logits)[-k]] = 0
    return raised / raised.sum() if temperature else np.eye(len(logits))[np.argmax(logits)]


def pick__one_alone(p, chance):
    """each probability is compared alone; those before it must be added"""
    for character in range(len(p)):
        if chance < p[character]:
            return character
    return len(p) - 1


def write__first_at_the_front(model, first, temperature, k, chances):
    """the first character, which was given, is in it"""
    text, state = [first], None
    for chance in chances:
        scores, state = model(np.array([[text[-1]]]), state)
        text.append(pick(next_probabilities(scores[0, 0], temperature, k), chance))
    return np.array(text)


def write__reads_all_again(model, first, temperature, k, chances):
    """all is read again at every step, though the state holds it"""
    text, state = [first], None
    for chance in chances:
        scores, state = model(np.array(text)[:, None], state)
        text.append(pick(next_probabilities(scores[-1, 0], temperature, k), chance))
    return np.array(text[1:], dtype=int)


def fair_split__words(text, share):
    passages = [one for one in dict.fromkeys(text.split("\n\n")) if one]
    needed = share * sum(len(one.split()) for one in passages)
    for cut in reversed(range(len(passages))):
        if sum(len(one.split()) for one in passages[cut:]) >= needed:
            return passages[:cut], passages[cut:]
