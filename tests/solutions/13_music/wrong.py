"""Wrong answers to the exercises of 13_music, each once, each with its cause."""

import numpy as np

EDITS = {
    "surprise": {
        "the sign in front of the score is wrong: a sounding key wants -s": "1 - 2 * v → 2 * v - 1",
        "the sum over the keys is missing": ".sum(axis=-1) → ",
        "it is the mean over the keys, not their sum": ".sum(axis=-1) → .mean(axis=-1)",
        "only the keys that sound are counted": "np.logaddexp(0, sign * s) → (v * np.logaddexp(0, sign * s))",
        "only the silent keys are counted": "np.logaddexp(0, sign * s) → ((1 - v) * np.logaddexp(0, sign * s))",
        "a sign is wrong": "return np → return -np",
        "these are the probabilities of what happened, not their surprise": "np.logaddexp(0, sign * s).sum(axis=-1) → np.exp(-np.logaddexp(0, sign * s)).sum(axis=-1)",
        "every key is counted as if it were silent": "sign = 1 - 2 * v → sign = 1 + 0 * v",
        "every key is counted as if it sounded": "sign = 1 - 2 * v → sign = -1 + 0 * v",
    },
    "masked_loss": {
        "the padding counts": "np.arange(len(s))[:, None] < lengths → np.arange(len(s))[:, None] < 0 * lengths + len(s)",
        "the zeros put into the padding cost ln 2 each": "loss = surprise(s, v)[counts].mean() → loss = surprise(*(np.where(counts[..., None], z, 0.0) for z in (s, v))).sum() / counts.sum()",
        "one frame of the padding counts": "[:, None] < lengths → [:, None] <= lengths",
        "the gradient is divided by each piece's own length": "ds / counts.sum() → ds / lengths[:, None]",
        "the loss is the sum over the frames that count, not the mean": "[counts].mean() → [counts].sum()",
        "the loss is divided by all frames, the padding too": "surprise(s, v)[counts].mean() → surprise(s, v)[counts].sum() / counts.size",
        "the loss is the mean of the pieces' means": "surprise(s, v)[counts].mean() → np.mean([surprise(s, v)[:n, b].mean() for b, n in enumerate(lengths)])",
        "the gradient is not divided by the number of frames that count": "return loss, ds / counts.sum() → return loss, ds",
        "the gradient has the score in place of its sigmoid": "p = np.exp(-np.logaddexp(0, -s)) → p = s",
        "in the gradient v is not subtracted": "p - v, 0.0 → p, 0.0",
        "the gradient is v minus p; it is p minus v": "p - v, 0.0 → v - p, 0.0",
        "the gradient does not stop at the end of a piece": "np.where(counts[..., None], p - v, 0.0) → p - v",
        "the zeros put into the padding get a gradient": "p - v, 0.0) → p - v, 0.5)",
        "the gradient is divided by the pieces, not their frames": "ds / counts.sum() → ds / len(lengths)",
        "K is 4: a mean in place of a sum": "ds / counts.sum() → ds / counts.sum() / s.shape[2]",
        "a finite number is expected": [
            "np.where(counts[..., None], p - v, 0.0) → counts[..., None] * (p - v)",
            "np.exp(-np.logaddexp(0, -s)) → np.exp(s) / (1 + np.exp(s))",
        ],
    },
    "key_chain": {
        "the last frame of a piece stands before the first of the next": "before = np.concatenate([np.vstack([0 * roll[:1], roll[:-1]]) for roll in rolls]) → before = np.vstack([0 * now[:1], now[:-1]])",
        "before the first frame every key is taken to sound; it is silent": "0 * roll[:1] → 0 * roll[:1] + 1",
        "the frame itself is taken for the one before": "np.vstack([0 * roll[:1], roll[:-1]]) → roll",
        "a is added only once below; sounding and silence need one each": "+ 2 * a) → + a)",
        "nothing is added to the counts": "+ a) / (such.sum(axis=0) + 2 * a) → ) / np.maximum(such.sum(axis=0), 1)",
        "this is the probability of silence": "((now * such) → (((1 - now) * such)",
        "the two rows are exchanged": "p[u] = → p[1 - u] =",
        "it is divided by all frames, not by those with u before": "(such.sum(axis=0) + 2 * a) → (len(now) + 2 * a)",
        "it is read backwards: what follows is taken for what came before": "np.vstack([0 * roll[:1], roll[:-1]]) → np.vstack([roll[1:], 0 * roll[:1]])",
        "the last frame of a piece stands before its own first": "np.vstack([0 * roll[:1], roll[:-1]]) → np.roll(roll, 1, axis=0)",
    },
    "chain_nats": {
        "the last frame of a piece stands before the first of the next": "before = np.concatenate([np.vstack([0 * roll[:1], roll[:-1]]) for roll in rolls]) → before = np.vstack([0 * now[:1], now[:-1]])",
        "the two rows of p are exchanged": "p[1], p[0] → p[0], p[1]",
        "a silent key costs -ln(1 - p), and not -ln p": "np.where(now == 1, sounds, 1 - sounds) → sounds",
        "only the keys that sound are counted": "np.where(now == 1, sounds, 1 - sounds) → np.where(now == 1, sounds, 1)",
        "it is the mean over the keys, too": ".sum(axis=1).mean() → .mean()",
        "the sum is divided by the pieces, not by their frames": ".sum(axis=1).mean() → .sum() / len(rolls)",
        "the sum is not divided by the frames": ".sum(axis=1).mean() → .sum()",
        "a sign is wrong": "return -np → return np",
        "the frame itself is taken for the one before": "np.vstack([0 * roll[:1], roll[:-1]]) → roll",
        "before the first frame every key is taken to sound; it is silent": "0 * roll[:1] → 0 * roll[:1] + 1",
    },
    "write_frames": {
        "the model never gets what was drawn, but always the first frame": "frame = (chances → drawn = (chances; written[t] = frame → written[t] = drawn",
        "the state is lost from beat to beat": "scores, state = model(frame, state) → scores, _ = model(frame, None)",
        "the comparison is the wrong way round": "chances[t] < p → chances[t] > p",
        "the scores are multiplied by the temperature; divide by it": "-scores / temperature → -scores * temperature",
        "the temperature is not used": "-scores / temperature → -scores",
        "the probability is divided by the temperature; the score must be": "p = 1 / (1 + np.exp(-scores / temperature)) → p = 1 / (1 + np.exp(-scores)) / temperature",
        "the likelier of sound and silence is taken, without chance": "chances[t] < p → 0.5 < p",
        "the chances of the first beat are used at every beat": "chances[t] < p → chances[0] < p",
        "the temperature comes behind the sigmoid; it must divide the score": "p = 1 / (1 + np.exp(-scores / temperature)) → p = temperature / (1 + np.exp(-scores))",
        "the loop begins one beat late": "range(len(chances)) → range(1, len(chances))",
        "the scores and the state are exchanged": "scores, state = model → state, scores = model",
        "the probability is the sigmoid of score / temperature": "p = 1 / (1 + np.exp(-scores / temperature)) → p = scores / temperature",
        "a softmax is taken; each key has a sigmoid of its own": "p = 1 / (1 + np.exp(-scores / temperature)) → p = np.exp(scores / temperature) / np.exp(scores / temperature).sum()",
        "silence is read first, not the first frame": "(chances.shape), first, → (chances.shape), 0 * first,",
        "the probabilities stand in the result, not the frames": "written[t] = frame → written[t] = p",
        "the model gets the probabilities, not the frame that was drawn": "frame = (chances[t] < p) * 1.0 → frame = p; written[t] = frame → written[t] = (chances[t] < p) * 1.0",
        "the sign of the score is lost": "np.exp(-scores → np.exp(scores",
        "a `return` stands inside the loop": "    return written →         return written",
    },
    "voice": {
        "a note that stays begins again on each beat; it is one long note": "if t == 0 or notes[t] != notes[t - 1]] → ]",
        "the envelope is missing, or 1 all the time": "* e * → *",
        "a note does not fall at its end": "np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → np.minimum(1, n / R)",
        "a note does not rise at its beginning": "np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → np.minimum(1, (L - 1 - n) / R)",
        "the last number of a note is not 0": "L - 1 - n → L - n",
        "a rest is not silent": "(notes[start] > 0) * e → e",
        "the 2 of 2π is missing": "np.sin(2 * np.pi → np.sin(np.pi",
        "the rate is missing": "* n / rate → * n",
        "an octave has 12 semitones, here 6": "- 69) / 12 → - 69) / 6",
        "note 69 has 440 hertz; here note 60 has": "- 69) / 12 → - 60) / 12",
        "the sine goes on through the notes; each note begins its own": "f * n / rate → f * (n + start * N) / rate",
        "a cosine is taken, which is 1 at 0": "np.sin( → np.cos(",
        "the envelope goes above 1": "np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → np.minimum(n / R, (L - 1 - n) / R)",
        "the slopes are multiplied; the smallest of the three counts": "np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → np.minimum(1, n / R) * np.minimum(1, (L - 1 - n) / R)",
        "the last note is missing": "[*starts[1:], len(notes)] → starts[1:]",
    },
    "parallel_fifths": {
        "voices that stay are counted": "* moves[:, lower] > 0 → * moves[:, lower] >= 0",
        "voices that move in opposite directions are counted": "moves[:, upper] * moves[:, lower] > 0 → moves[:, upper] * moves[:, lower] != 0",
        "the direction is not asked for at all": "fifth[:-1] & fifth[1:] & together → fifth[:-1] & fifth[1:]",
        "octaves are not taken away: 19 semitones are a fifth, too": "% 12 == 7 → == 7",
        "these are octaves, not fifths": "% 12 == 7 → % 12 == 0",
        "these are fourths: 5 semitones": "% 12 == 7 → % 12 == 5",
        "the fifth after is enough here; there must be one before, too": "fifth[:-1] & fifth[1:] & together → fifth[1:] & together",
        "the fifth before is enough here; there must be one after, too": "fifth[:-1] & fifth[1:] & together → fifth[:-1] & together",
        "both need not move equally far: 7 and then 19 are two fifths": "fifth[:-1] & fifth[1:] & together → fifth[:-1] & fifth[1:] & together & (moves[:, upper] == moves[:, lower])",
        "the last beat is never reached": "(fifth[:-1] & fifth[1:] & together) → (fifth[:-1] & fifth[1:] & together)[:-1]",
        "fourths, 5 semitones, are counted as well": "(piece[:, upper] - piece[:, lower]) % 12 == 7 → np.isin((piece[:, upper] - piece[:, lower]) % 12, (5, 7))",
        "octaves are counted as well": "(piece[:, upper] - piece[:, lower]) % 12 == 7 → np.isin((piece[:, upper] - piece[:, lower]) % 12, (0, 7))",
        "the last pair alone is counted; add all up": "count += int → count = int",
        "only neighbouring voices are compared": "range(upper + 1, 4) → range(upper + 1, min(upper + 2, 4))",
        "each pair is counted twice, or a voice is compared with itself": "range(upper + 1, 4) → range(4)",
        "crossed voices: upper minus lower, as written; -5 is a fifth, 5 is none": "(piece[:, upper] - piece[:, lower]) → abs(piece[:, upper] - piece[:, lower])",
        "the bass is left out": "range(upper + 1, 4) → range(upper + 1, 3)",
        "only moves upwards are counted": "moves[:, upper] * moves[:, lower] > 0 → (moves[:, upper] > 0) & (moves[:, lower] > 0)",
        "a `return` stands inside the loop": "    return count →         return count",
    },
    "fair_score": {
        "the padding counts": "batch[counts].sum() → batch[:, : own.max()].sum(); count += own.sum() → count += len(own) * own.max()",
        "it is the mean of the batches' means": "total += batch[counts].sum() → total += batch[counts].mean(); count += own.sum() → count += 1",
        "the padding adds nothing, but its frames are counted": "count += own.sum() → count += len(own) * own.max()",
        "each piece's last frame is left out": "< own[:, None] → < own[:, None] - 1",
        "it is the mean of the pieces' means": "total += batch[counts].sum() → total += (np.where(counts, batch, 0).sum(axis=1) / own).sum(); count += own.sum() → count += len(own)",
        "the sum is not divided": "return total / count → return total",
        "the last batch alone is scored": "total += batch → total = batch; count += own → count = own",
        "the costs of the padding are added": "batch[counts].sum() → batch[:, : own.max()].sum()",
        "a batch counts by its pieces; it must by its frames": "total += batch[counts].sum() → total += batch[counts].mean() * len(own); count += own.sum() → count += len(own)",
    },
}

# mutants made by swapping operators that are right answers too, each with the reason
SURVIVORS = {
    "surprise: return np.logaddexp(0, sign * s).sum(axis=-1) → return np.logaddexp(sign * s, 0).sum(axis=-1)": "the order of the two arguments makes no difference",
    "masked_loss: p = np.exp(-np.logaddexp(0, -s)) → p = np.exp(-np.logaddexp(-s, 0))": "the order of the two arguments makes no difference",
    "chain_nats: before = np.concatenate([np.vstack([0 * roll[:1], roll[:-1]]) for roll in rolls]) → before = np.concatenate([np.vstack([0 / roll[:1], roll[:-1]]) for roll in rolls])": "what is no 1 counts as silence before the first frame, too",
    "chain_nats: before = np.concatenate([np.vstack([0 * roll[:1], roll[:-1]]) for roll in rolls]) → before = np.concatenate([np.vstack([-1 * roll[:1], roll[:-1]]) for roll in rolls])": "what is no 1 counts as silence before the first frame, too",
    "write_frames: frame = (chances[t] < p) * 1.0 → frame = (chances[t] < p) / 1.0": "booleans become the same zeros and ones in the result",
    "write_frames: frame = (chances[t] < p) * 1.0 → frame = chances[t] < p": "booleans become the same zeros and ones in the result",
    "write_frames: frame = (chances[t] < p) * 1.0 → frame = (chances[t] <= p) * 1.0": "no chance number equals a probability",
    "voice: e = np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → e = np.minimum(np.minimum(n / R, (L - 1 - n) / R), 1)": "the order of the two arguments makes no difference",
    "voice: e = np.minimum(1, np.minimum(n / R, (L - 1 - n) / R)) → e = np.minimum(1, np.minimum((L - 1 - n) / R, n / R))": "the order of the two arguments makes no difference",
    "voice: x[start * N:end * N] = (notes[start] > 0) * e * np.sin(2 * np.pi * f * n / rate) → x[start * N:end * N] = (notes[start] > 1) * e * np.sin(2 * np.pi * f * n / rate)": "there is no note 1 in a melody",
    "parallel_fifths: for upper in range(4): → for upper in range(5):": "the lowest voice is upper in no pair",
    "parallel_fifths: for upper in range(4): → for upper in range(3):": "the lowest voice is upper in no pair",
    "parallel_fifths: for lower in range(upper + 1, 4): → for lower in range(upper, 4):": "a voice has no fifth with itself",
    "parallel_fifths: for lower in range(upper + 1, 4): → for lower in range(upper + 0, 4):": "a voice has no fifth with itself",
    "parallel_fifths: together = moves[:, upper] * moves[:, lower] > 0 → together = moves[:, upper] / moves[:, lower] > 0": "a quotient has the sign of the product",
}


def surprise__of_rounded_probabilities(s, v):
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-s))
        return -np.log(np.where(v == 1, p, 1 - p)).sum(axis=-1)


def surprise__a_little_is_added(s, v):
    p = np.exp(-np.logaddexp(0, -s))
    return -np.log(np.where(v == 1, p, 1 - p) + 1e-12).sum(axis=-1)


def fair_score__as_it_stood(nats, lengths, B):
    """the padding counts, and a small batch counts as much as a large one"""
    scores = []
    for start in range(0, len(nats), B):
        batch, own = nats[start : start + B], lengths[start : start + B]
        scores.append(batch[:, : own.max()].mean())
    return np.mean(scores)


def key_chain__without_first_frames(rolls, a):
    """the first frame of each piece is left out"""
    now = np.concatenate([roll[1:] for roll in rolls])
    before = np.concatenate([roll[:-1] for roll in rolls])
    such = [before == u for u in (0, 1)]
    return np.array([((now * u).sum(axis=0) + a) / (u.sum(axis=0) + 2 * a) for u in such])


def key_chain__mean_of_pieces(rolls, a):
    """it is the mean of the pieces' chains; add up the counts"""
    return np.mean([_chain(roll, a) for roll in rolls], axis=0)


def _chain(now, a):
    before = np.vstack([0 * now[:1], now[:-1]])
    such = [before == u for u in (0, 1)]
    return np.array([((now * u).sum(axis=0) + a) / (u.sum(axis=0) + 2 * a) for u in such])


def chain_nats__mean_of_means(rolls, p):
    """it is the mean of the pieces' means"""
    return np.mean([_costs(roll, p).mean() for roll in rolls])


def chain_nats__without_first_frames(rolls, p):
    """the first frame of each piece is left out"""
    return np.concatenate([_costs(roll, p)[1:] for roll in rolls]).mean()


def _costs(now, p):
    sounds = np.where(np.vstack([0 * now[:1], now[:-1]]) == 1, p[1], p[0])
    return -np.log(np.where(now == 1, sounds, 1 - sounds)).sum(axis=1)


def _note(note, beats, N, rate, R):
    n, L = np.arange(beats * N), beats * N
    e = np.minimum(1, np.minimum(n / R, (L - 1 - n) / R))
    return e * np.sin(2 * np.pi * 440 * 2.0 ** ((note - 69) / 12) * n / rate)


def voice__without_rests(notes, N, rate, R):
    """a rest takes no time; it is N zeros"""
    parts = np.split(notes, np.flatnonzero(np.diff(notes)) + 1)
    sung = [_note(part[0], len(part), N, rate, R) for part in parts if len(part) and part[0]]
    return np.concatenate([np.zeros(0), *sung])


def voice__all_beats_of_a_note(notes, N, rate, R):
    """two notes apart are joined into one"""
    x = np.zeros((len(notes), N))
    for note in set(notes[notes > 0].tolist()):
        x[notes == note] = _note(note, (notes == note).sum(), N, rate, R).reshape(-1, N)
    return x.ravel()


def write_frames__the_likeliest(model, first, chances, temperature):
    """the likeliest key sounds alone, without chance"""
    written, frame, state = np.zeros(chances.shape), first, None
    for t in range(len(chances)):
        scores, state = model(frame, state)
        frame = (np.arange(len(scores)) == scores.argmax()) * 1.0
        written[t] = frame
    return written


def parallel_fifths__begun_anew(piece):
    """the count begins anew for each upper voice"""
    moves = np.diff(piece, axis=0)
    for upper in range(4):
        count = 0
        for lower in range(upper + 1, 4):
            fifth = (piece[:, upper] - piece[:, lower]) % 12 == 7
            together = moves[:, upper] * moves[:, lower] > 0
            count += int((fifth[:-1] & fifth[1:] & together).sum())
    return count


def parallel_fifths__round_and_round(piece):
    """the last beat is compared with the first"""
    count, moves = 0, np.roll(piece, -1, axis=0) - piece
    for upper in range(4):
        for lower in range(upper + 1, 4):
            fifth = (piece[:, upper] - piece[:, lower]) % 12 == 7
            together = moves[:, upper] * moves[:, lower] > 0
            count += int((fifth & np.roll(fifth, -1) & together).sum())
    return count


def parallel_fifths__once_a_beat(piece):
    """two parallel fifths at once are counted as one"""
    moves = np.diff(piece, axis=0)
    found = np.zeros(len(moves), dtype=bool)
    for upper in range(4):
        for lower in range(upper + 1, 4):
            fifth = (piece[:, upper] - piece[:, lower]) % 12 == 7
            together = moves[:, upper] * moves[:, lower] > 0
            found |= fifth[:-1] & fifth[1:] & together
    return int(found.sum())
