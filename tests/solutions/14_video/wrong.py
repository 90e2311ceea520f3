"""Wrong answers to the exercises of 14_video, each once, each with its cause."""

import numpy as np

EDITS = {
    "features": {
        "the pixels are not divided by 255": "frame / 255 → frame * 1.0",
        "the maximum with 0 is missing": "np.maximum(y, 0) → y",
        "the bias b is missing": " + b[:, None, None] → ",
        "b comes before the maximum, not behind it": " + b[:, None, None] → ; np.maximum(y, 0) → np.maximum(y, 0) + b[:, None, None]",
        "b is added along s; it belongs to the kernels, b[:, None, None]": "b[:, None, None] → b",
        "the stride is not used": "[::stride, ::stride] → ",
        "each kernel is transposed": "rsij,kij → rsij,kji",
        "each kernel is turned round": "seen, W) → seen, W[:, ::-1, ::-1])",
    },
    "features_backward": {
        "the maximum is left out: where it gave 0, nothing comes back": "dy * (features(frame, W, b, stride) > 0) → dy",
        "dy is asked for its sign, and not the sum behind the maximum": "(features(frame, W, b, stride) > 0) → (dy > 0)",
        "dy is multiplied by y; what counts is whether y is above 0": "(features(frame, W, b, stride) > 0) → features(frame, W, b, stride)",
        "the pixels are not divided by 255": "frame / 255 → frame * 1.0",
        "the stride is not used": [
            "[::stride, ::stride] → [: dy.shape[1], : dy.shape[2]]",
        ],
        "it is the mean over the places, not their sum": [
            "through, seen) → through, seen) / dy[0].size",
            "through.sum → through.mean",
        ],
        "in db the maximum is left out": "return dW, through.sum → return dW, dy.sum",
        "each window is transposed": "rsij->kij → rsji->kij",
        "db must be summed over both axes of the places": "through.sum(axis=(1, 2)) → through.sum(axis=1)",
        "db is one number for all kernels together": "through.sum(axis=(1, 2)) → np.full(len(b), through.sum())",
        "this is the gradient of the window: W belongs to the way forward": "through, seen) → through, seen) * W",
    },
    "in_batch": {
        "every clip begins at the first frame of all": "e[ends[n] - length : ends[n]] → e[:length]",
        "a clip begins behind all before it, not behind one": "ends = np.cumsum(lengths) → ends = np.append(0, lengths[:-1]) + lengths",
        "the zeros stand in front of the clips, not behind": "x[:length, n] → x[len(x) - length :, n]",
        "each clip is read backwards": "ends[n]] → ends[n]][::-1]",
        "the clips stand in reverse order": "x[:length, n] → x[:length, len(lengths) - 1 - n]",
        "time must come first, then the clips": "return x → return x.swapaxes(0, 1)",
        "the last frame of each clip is missing": "x[:length, n] = e[ends[n] - length : ends[n]] → x[: length - 1, n] = e[ends[n] - length : ends[n] - 1]",
        "there is one step too many": "lengths.max() → lengths.max() + 1",
        "a `return` stands inside the loop": "    return x →         return x",
    },
    "last_frame_loss": {
        "every clip is read at frame T - 1, also in the padding": "last, which = lengths - 1, → last, which = np.full(len(lengths), len(s) - 1),",
        "a finite number is expected": "z = s[last, which] - s[last, which].max(axis=1, keepdims=True) → z = s[last, which]",
        "every clip is read at its first frame": "last, which = lengths - 1, → last, which = 0 * lengths,",
        "every clip is read one frame before its last": "last, which = lengths - 1, → last, which = lengths - 2,",
        "every clip is read one frame after its last": "last, which = lengths - 1, → last, which = np.minimum(lengths, len(s) - 1),",
        "the loss is the sum over the clips, not the mean": ".mean(), ds → .sum(), ds",
        "at the label 1 is not subtracted": " - np.eye(s.shape[2])[labels] → ",
        "1 is subtracted, not 1 / B": "(np.exp(log_p) - np.eye(s.shape[2])[labels]) / len(labels) → np.exp(log_p) / len(labels) - np.eye(s.shape[2])[labels]",
        "ds is not divided by B": ") / len(labels) → )",
        "the sign of ds is wrong": "(np.exp(log_p) - np.eye(s.shape[2])[labels]) → (np.eye(s.shape[2])[labels] - np.exp(log_p))",
        "ds holds ln p, not p": "(np.exp(log_p) → (log_p",
        "the softmax is taken over the clips, not over the activities": "np.exp(z).sum(axis=1, → np.exp(z).sum(axis=0,",
        "the loss is 1 - p, not -ln p": "-log_p[which, labels].mean() → (1 - np.exp(log_p[which, labels])).mean()",
        "ds is divided by the lengths": "/ len(labels) → / lengths[:, None]",
        "the loss is taken of the likeliest activity, not of the label": "log_p[which, labels] → log_p.max(axis=1)",
        "ds stands at frame T - 1": "ds[last, which] → ds[-1, which]",
        "every frame gets the gradient, not only the last one": "ds[last, which] → ds[:, which]",
        "the loss is the negative score of the label; the softmax is missing": "return -log_p[which, labels] → return -s[last, which, labels]",
    },
    "ceiling": {
        "the frames are summed, not averaged": "clip.mean(axis=0) → clip.sum(axis=0)",
        "only the first frame is looked at": "clip.mean(axis=0) → clip[0]",
        "the features are averaged, too": "clip.mean(axis=0), 6) → clip.mean(keepdims=True)[0], 6)",
        "clips are one group only if all frames are the same; the mean decides": "tuple(np.round(clip.mean(axis=0), 6)) → tuple(map(tuple, np.sort(clip, axis=0)))",
        "the order of the frames is looked at, which an average does not know": "tuple(np.round(clip.mean(axis=0), 6)) → clip.tobytes()",
        "the rarest label of each group is taken": "sum(max( → sum(min(",
        "all of a group's labels are counted as right": "max(group.count(label) for label in group) → len(group)",
        "every group has one right clip; it may have more": "max(group.count(label) for label in group) → 1",
        "it is divided by the number of groups, not of clips": "/ len(labels) → / len(groups)",
        "the shares of the groups are averaged": "max(group.count(label) for label in group) → max(group.count(label) for label in group) / len(group); / len(labels) → / len(groups)",
        "this is the number of clips, not their share": "return best / len(labels) → return float(best)",
        "the first label of each group is taken": "max(group.count(label) for label in group) → group.count(group[0])",
        "the median is taken for the mean": "clip.mean(axis=0) → np.median(clip, axis=0)",
        "the means are rounded to whole numbers": ", 6) → )",
        "the means are rounded to 3 decimals": ", 6) → , 3)",
        "nearly equal means are one: round": [
            "np.round(clip.mean(axis=0), 6) → clip.mean(axis=0)",
            "np.round(clip.mean(axis=0), 6) → np.floor(clip.mean(axis=0) * 1e6)",
        ],
    },
    "shuffle_test": {
        "the clips played backwards are compared with their old labels": "== reverse[k] → == k",
        "the features are reversed, not the frames": "clip[::-1] → clip[:, ::-1]",
        "only the first shuffle of each clip counts": "for row in rows] → for row in rows[:1]]",
        "each frame goes to the place of its rank: argsort twice": "np.argsort(row)] → np.argsort(np.argsort(row))]",
        "the frame with the largest number comes first": "np.argsort(row)] → np.argsort(-row)]",
        "the shuffled clips are not shuffled": "clip[np.argsort(row)] → clip",
        "the clips are not played backwards": "clip[::-1] → clip",
        "a shuffled clip counts as right only if all of its shuffles are": "return np.mean(filmed), np.mean(shuffled) → return np.mean(filmed), np.mean([all(model(clip[np.argsort(row)]) == k for row in rows) for clip, k, rows in three])",
        "a shuffled clip counts as right if one of its shuffles is": "return np.mean(filmed), np.mean(shuffled) → return np.mean(filmed), np.mean([any(model(clip[np.argsort(row)]) == k for row in rows) for clip, k, rows in three])",
        "reverse is asked for the model's answer, not for the label": "model(clip[::-1]) == reverse[k] → reverse[model(clip[::-1])] == k",
    },
    "seen_accuracy": {
        "the share is taken of T, not of the clip's length": "percents[:, None] * lengths → percents[:, None] * np.full(len(lengths), len(s))",
        "the share is taken of T, and cut at the clip's end": "-(-percents[:, None] * lengths // 100) → np.minimum(-(-percents[:, None] * len(s) // 100), lengths)",
        "the number of frames is rounded down": "-(-percents[:, None] * lengths // 100) → np.maximum(percents[:, None] * lengths // 100, 1)",
        "one frame too many is read": "s[frames - 1, → s[np.minimum(frames, lengths - 1),",
        "the lowest score is taken for the answer": "argmax → argmin",
        "the mean is taken over the shares, not over the clips": ".mean(axis=1) → .mean(axis=0)",
        "the number of frames is rounded to the nearest": "-(-percents[:, None] * lengths // 100) → np.maximum(np.rint(percents[:, None] * lengths / 100).astype(int), 1)",
        "every share is answered at the end of the clip": "s[frames - 1, → s[0 * frames + lengths - 1,",
        "percent / 100 is rounded before it is multiplied": "-(-percents[:, None] * lengths // 100) → np.ceil(percents[:, None] / 100 * lengths).astype(int)",
    },
    "stop_early": {
        "a probability exactly at the threshold counts, too": ">= threshold → > threshold",
        "it stops where it is unsure": ">= threshold → < threshold",
        "the last sure frame is taken; it stops at the first": "sure[0] + 1 → sure[-1] + 1",
        "frames are counted from 1": "sure[0] + 1 → max(sure[0], 1)",
        "frames are counted from 1, and index 0 is the first": "sure[0] + 1 → sure[0]",
        "frames behind the end of a clip are looked at": "p[:length, n] → p[:, n]",
        "it stops one frame late": "sure[0] + 1 → min(sure[0] + 2, length)",
        "a clip that is never sure stops at its first frame, not at its last": "frames = lengths.copy() → frames = 0 * lengths + 1",
        "the answer is always that of the last frame": "p[frames - 1, → p[lengths - 1,",
        "the answer is always that of the first frame": "p[frames - 1, → p[0 * frames,",
        "the largest probability must reach the threshold, not the first activity's": ".max(axis=1) → [:, 0]",
        "the probabilities of all frames so far are added; the frame at which it stops decides": "p[frames - 1, np.arange(len(lengths))].argmax(axis=1) → np.array([p[:read, n].sum(axis=0).argmax() for n, read in enumerate(frames)])",
        "the answer is that of the clip's largest probability": "p[frames - 1, np.arange(len(lengths))].argmax(axis=1) → np.array([p[:length, n].max(axis=0).argmax() for n, length in enumerate(lengths)])",
        "the least probable activity is taken": "argmax → argmin",
        "the answer is taken one frame after the decision": "p[frames - 1, → p[np.minimum(frames, lengths - 1),",
        "a clip that is never sure is read to T, not to its own end": "frames = lengths.copy() → frames = 0 * lengths + len(p)",
        "all activities together always reach the threshold": ".max(axis=1) → .sum(axis=1)",
        "the answers and the frames are exchanged": "return p[frames - 1, np.arange(len(lengths))].argmax(axis=1), frames → return frames, p[frames - 1, np.arange(len(lengths))].argmax(axis=1)",
    },
    "recognised": {
        "the length leaks: divide each clip's sum by its own length": [
            "x.sum(axis=0) / lengths[:, None] → x.mean(axis=0)",
            " / lengths[:, None] → ",
            "/ lengths[:, None] → / lengths.max()",
        ],
        "a clip of the same recording may be the neighbour": "away[recording == recording[n]] → away[n]",
        "both leaks are still there": "x.sum(axis=0) / lengths[:, None] → x.mean(axis=0); away[recording == recording[n]] → away[n]",
        "clips of the same label are left out, and so none can be right": "recording == recording[n]] → labels == labels[n]]",
        "every clip finds itself, or its own recording; only others may be neighbours": [
            "away[recording == recording[n]] = np.inf → pass",
            "recording == recording[n]] → recording != recording[n]]",
        ],
        "a frame may hold 0, too; lengths says how many frames count": "/ lengths[:, None] → / np.maximum((x != 0).sum(axis=0), 1)",
        "only the first frames are compared": "x.sum(axis=0) / lengths[:, None] → x[0]",
        "only the last frames are compared": "x.sum(axis=0) / lengths[:, None] → x[lengths - 1, np.arange(len(lengths))]",
        "the differences cancel; square them before they are added": "((means - means[n]) ** 2).sum(axis=1) → abs((means - means[n]).sum(axis=1))",
    },
}

# mutants made by swapping operators that are right answers too, each with the reason
_ZIP = "the lists have the same length"
_MEANS = "no two means differ in the sixth decimal alone"
SURVIVORS = {
    "features: return np.maximum(y, 0) → return np.maximum(0, y)": "the larger of two is the same in either order",
    "ceiling: for clip, label in zip(clips, labels, strict=True): → for clip, label in zip(clips, labels, strict=False):": _ZIP,
    "ceiling: mean = tuple(np.round(clip.mean(axis=0), 6)) → mean = tuple(np.round(clip.mean(axis=0), 5))": _MEANS,
    "ceiling: mean = tuple(np.round(clip.mean(axis=0), 6)) → mean = tuple(np.round(clip.mean(axis=0), 7))": _MEANS,
    "shuffle_test: three = list(zip(clips, labels, keys, strict=True)) → three = list(zip(clips, labels, keys, strict=False))": _ZIP,
}


def features__one_place_less(frame, W, b, stride):
    """a place is missing at the end of each row and column"""
    return _y(frame, W, b, stride)[:, :-1, :-1]


def features__places_next_to_each_other(frame, W, b, stride):
    """the stride is in the number of places, not in where they begin"""
    _, R, S = _y(frame, W, b, stride).shape
    return _y(frame, W, b, 1)[:, :R, :S]


def _y(frame, W, b, stride):
    seen = np.lib.stride_tricks.sliding_window_view(frame / 255, W.shape[1:])[::stride, ::stride]
    return np.maximum(np.einsum("rsij,kij->krs", seen, W) + b[:, None, None], 0)


def features_backward__of_one_place(dy, frame, W, b, stride):
    """the last place alone is kept; add up over all places"""
    through, dW, size = dy * (_y(frame, W, b, stride) > 0), np.zeros(W.shape), len(W[0])
    for k, r, s in np.ndindex(dy.shape):
        dW[k] = through[k, r, s] * frame[stride * r :, stride * s :][:size, :size] / 255
    return dW, through.sum(axis=(1, 2))


def in_batch__one_clip_after_another(e, lengths):
    """e is read as if frame 0 of all clips came first"""
    rows, x = iter(e), np.zeros((lengths.max(), len(lengths), e.shape[1]))
    for t in range(len(x)):
        for n in range(len(lengths)):
            if t < lengths[n]:
                x[t, n] = next(rows)
    return x


def in_batch__last_frame_again(e, lengths):
    """behind a clip stands its last frame, not zeros"""
    ends = np.cumsum(lengths)
    t = np.minimum(np.arange(lengths.max())[:, None], lengths - 1)
    return e[ends - lengths + t]


def last_frame_loss__every_frame(s, lengths, labels):
    """the loss is the mean over all frames; only each clip's last one counts"""
    z = s - s.max(axis=2, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    counts = np.arange(len(s))[:, None] < lengths
    losses = -log_p[:, np.arange(len(labels)), labels]
    ds = np.where(counts[..., None], np.exp(log_p) - np.eye(s.shape[2])[labels], 0)
    return losses[counts].mean(), ds / counts.sum()


def shuffle_test__divided_by_clips(model, clips, labels, reverse, keys):
    """the number of right answers is divided by N; there are N R of them"""
    three = list(zip(clips, labels, keys, strict=True))
    filmed = [model(clip) == k for clip, k, _ in three]
    shuffled = [model(clip[np.argsort(row)]) == k for clip, k, rows in three for row in rows]
    backwards = [model(clip[::-1]) == reverse[k] for clip, k, _ in three]
    return np.mean(filmed), np.sum(shuffled) / len(clips), np.mean(backwards)


def seen_accuracy__percent_of_a_hundred(s, lengths, labels, percents):
    """the percent are taken for a number of frames"""
    frames = np.minimum(percents[:, None], lengths)
    return (s[frames - 1, np.arange(len(lengths))].argmax(axis=2) == labels).mean(axis=1)
