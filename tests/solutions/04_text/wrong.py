"""Wrong answers to 04_text, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

EDITS = {
    "softmax_loss": {
        "the logarithm has base 2; nats want the natural one": "- np.log(np.exp → - np.log2(np.exp",
        "the loss is the sum over the characters, not the mean": "log_p[came].mean() → log_p[came].sum()",
        "the sign of the loss is lost": "loss = - → loss = ",
        "the loss is the mean over all scores, not over those that came": "-log_p[came].mean() → -log_p.mean()",
        "the loss is the mean probability that came; the logarithm is missing": (
            "-log_p[came].mean() → np.exp(log_p[came]).mean()"
        ),
        "the gradient is not divided by the number of characters": " / targets.size → ",
        "the gradient is divided by T, not by T times B": "/ targets.size → / len(targets)",
        "in the gradient nothing is subtracted where a character came": "(np.exp(log_p) - came) → np.exp(log_p)",
        "these are the scores minus what happened; the softmax is missing": "np.exp(log_p) - came → logits - came",
        "a sign is wrong; it is the negative of what is expected": "np.exp(log_p) - came → came - np.exp(log_p)",
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
        "the strands stand in the columns' place: neighbours of the text stand side by side": (
            "x = code[: B * L].reshape(B, L).T → x = code[: B * L].reshape(L, B); "
            "y = code[1 : B * L + 1].reshape(B, L).T → y = code[1 : B * L + 1].reshape(L, B)"
        ),
        "Is time the first axis?": (
            "[: B * L].reshape(B, L).T → [: B * L].reshape(B, L); L + 1].reshape(B, L).T → L + 1].reshape(B, L); "
            "(x[t : t + T], y[t : t + T]) → (x[:, t : t + T], y[:, t : t + T])"
        ),
        "the targets are the inputs: they must be one character later": "code[1 : B * L + 1] → code[: B * L]",
        "the targets are two characters later, not one": "code[1 : B * L + 1] → np.roll(code, -1)[1 : B * L + 1]",
        "the targets are the characters before": "code[1 : B * L + 1] → np.roll(code, 1)[: B * L]",
        "the last, shorter piece is missing": "range(0, L, T) → range(0, L - T + 1, T)",
        "the pieces overlap: each begins one step after the one before": "range(0, L, T) → range(L)",
        "the strands are one step too short": "(len(code) - 1) // B → (len(code) - 1) // B - 1",
        "the strands are at the end of the text: what is left over belongs to the beginning": (
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
        "they do not add up to 1: the probabilities of those that fall away are lost": (
            "raised / raised.sum() → raised / np.exp((logits - logits.max()) / temperature).sum()"
        ),
        "the probabilities are not divided by their sum": "raised / raised.sum() → raised",
        "the result is in the order from the best to the worst": "p[possible] = raised → p[: len(possible)] = raised",
        "of equal scores the last comes first": 'np.argsort(-logits, kind="stable") → np.argsort(logits, kind="stable")[::-1]',
        "the temperature divides the probabilities; it must divide the scores": (
            "- logits.max()) / temperature) → - logits.max())); raised / raised.sum() → raised / raised.sum() / temperature"
        ),
        "a finite number is expected": "logits[possible] - logits.max() → logits[possible]",
        "where is the case of temperature 0": "temperature == 0 → temperature < 0",
    },
    "pick": {
        "a number on a border belongs to the stretch that begins there": 'side="right" → side="left"',
        "it is the likeliest character; the chance is not used": 'int(np.searchsorted(ends, chance, side="right")) → int(np.argmax(p))',
        "the stretches are laid from the last character to the first": "np.cumsum(p) → np.cumsum(p[::-1])",
        "the probabilities are not added up: they are no borders": "np.cumsum(p) → p",
        "it is one too large": 'side="right") → side="right") + 1',
        "it is one too small": 'side="right") → side="right") - 1',
        "the chance is taken from the other end": "ends, chance → ends, 1 - chance",
        "it is a fraction of V: all characters are treated as equally likely": (
            'np.searchsorted(ends, chance, side="right") → chance * len(p)'
        ),
        "a return is missing": "return int → int",
    },
    "write": {
        "the state is not carried: every step begins with None": "[[character]]), state) → [[character]]), None)",
        "the first character is read at every step; what was drawn must be read next": "[[character]] → [[first]]",
        "the first character is among what is written": "written[t] = character → ; scores, state = model → written[t] = character\n        scores, state = model",
        "the same chance is used at every step": "chances[t] → chances[0]",
        "the likeliest character is taken at every step; the chances are not used": "temperature, k), chances → 0, k), chances",
        "k is not used": "temperature, k) → temperature, scores.shape[-1])",
        "the temperature is not used": "temperature, k) → 1.0, k)",
        "it is one step late: entry t holds what belongs at t - 1": "written[t] = → written[(t + 1) % len(chances)] =",
        "the text is reversed": "return written → return written[::-1]",
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
        "the logarithm is taken a second time": "-log_p.mean() → -np.log(-log_p).mean()",
        "it is the logarithm of the mean probability": "-log_p.mean() → -np.log(np.exp(log_p).mean())",
        "it is e to the power of the bits; bits want 2": "2**bits → np.exp(bits)",
        "it is bits to the power of 2": "2**bits → bits**2",
        "the perplexity is 1 over what is expected": "2**bits → 2**-bits",
        "bits and perplexity are exchanged": "return bits, 2**bits → return 2**bits, bits",
        "bits_and_perplexity returns 2 results": "return bits, 2**bits → return bits",
    },
    "ngram_bits": {
        "the first character is scored, too": "range(1, len(code)) → range(len(code))",
        "the context holds the character that is to be predicted": "padded[t : t + n - 1]) → padded[t + 1 : t + n])",
        "the context ends one character too early": "[0] * (n - 1) + → [0] * n +",
        "the context is in reverse order: the oldest comes first": "padded[t : t + n - 1]) → padded[t : t + n - 1][::-1])",
        "the logarithm is the natural one; bits want base 2": "np.log2 → np.log",
        "it is the sum over the characters, not the mean": ".mean() → .sum()",
        "a sign is wrong": "return - → return ",
        "it is the logarithm of the mean probability": "np.log2(p).mean() → np.log2(np.mean(p))",
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
        "expected ['gggggg', 'x/x'], got gggggg": "return passages[:cut], → return '\\n\\n'.join(passages[:cut]),",
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
