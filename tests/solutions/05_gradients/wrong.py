"""Wrong answers to the exercises of 05_gradients. tools/exercises.py says how they are written."""

EDITS = {
    "leaky_jacobian": {
        "the slope 1 - n_t**2 of the tanh is missing": "a * (1 - n_t**2) → a * (1 + 0 * n_t)",
        "the slope of the tanh is 1 - n_t**2, not 1 - n_t": "n_t**2 → n_t",
        "the factor a on the way through the tanh is missing": "a * (1 - n_t**2) → 1 - n_t**2",
        "the slope of the tanh is 1 - n_t**2, not (1 - n_t)**2": "1 - n_t**2 → (1 - n_t) ** 2",
        "a and 1 - a are exchanged": "a * (1 - n_t**2) → (1 - a) * (1 - n_t**2); np.diag(1 - a) → np.diag(a)",
        "the direct way leads past the tanh: 1 - a is not multiplied by a slope": (
            "slope[:, :, None] * W_h + np.diag(1 - a) → slope[:, :, None] * (W_h + np.diag(1 - a))"
        ),
        "a multiplies the columns of W_h; a[i] belongs to row i": (
            "slope = a * → slope = 1 * ; * W_h → * W_h * a"
        ),
        "the direct way, 1 - a on the diagonal, is missing": "+ np.diag(1 - a) → ",
        "the direct way has the factor 1 - a, not a": "np.diag(1 - a) → np.diag(a)",
        "the direct way has the factor 1 - a, not 1": "np.diag(1 - a) → np.eye(len(a))",
        "1 - a stands everywhere, not on the diagonal alone": "np.diag(1 - a) → (1 - a)[:, None]",
        "W_h is transposed": "* W_h → * W_h.T",
        "the slopes multiply the columns of W_h; they belong to its rows": (
            "slope[:, :, None] → slope[:, None, :]"
        ),
        "its axes are in another order": (
            "return slope → return np.transpose(slope; np.diag(1 - a) → np.diag(1 - a), (1, 2, 0))"
        ),
        "has shape (2, 2); expected (3, 2, 2)": "slope[:, :, None] → slope.mean(0)[:, None]",
        "a return is missing": "return slope → slope = slope",
        "leaky_jacobian changed its argument n_t in place": (
            "slope = → n_t **= 2\n    slope =; (1 - n_t**2) → (1 - n_t)"
        ),
    },
    "norms_against_lag": {
        "the Jacobians are not transposed: dh goes through M, not through its transpose": (
            "(dh[:, None, :] @ M)[:, 0] → (M @ dh[:, :, None])[:, :, 0]"
        ),
        "it is reversed in time: lag 0 stands last": "return norms → return norms[::-1]",
        "the steps are walked from the first to the last": "n[-1 - k] → n[k]",
        "the step is off by one: lag 1 needs the Jacobian of the last step": ("n[-1 - k] → n[-k]"),
        "the Jacobian of the last step is used at every lag": "n[-1 - k] → n[-1]",
        "lag 0 is missing: dh_T itself comes first": (
            "        norms[k] = np.linalg.norm(dh, axis=1)\n → ; [:, 0]\n → [:, 0]\n"
            "        norms[k] = np.linalg.norm(dh, axis=1)\n"
        ),
        "each lag begins again from dh_T": "(dh[:, None, :] @ M) → (dh_T[:, None, :] @ M)",
        "this is the bound of exercise 3, not what was measured": (
            "norms[k] = np.linalg.norm(dh, axis=1) → norms[k] = np.linalg.norm(dh_T, axis=1) if k == 0"
            " else norms[k - 1] * np.linalg.norm(M, 2, axis=(1, 2))"
        ),
        "the norm is taken over the batch; it is over the units": "(dh, axis=1) → (dh, axis=0)",
        "the last lag is missing": (
            "norms = np.empty → norms = np.zeros; range(len(n)) → range(len(n) - 1)"
        ),
        "dh is brought to length 1 at each step": (
            "(dh[:, None, :] @ M)[:, 0] → (dh[:, None, :] @ M)[:, 0]\n"
            "        dh = dh / np.linalg.norm(dh, axis=1, keepdims=True)"
        ),
        "the Jacobian of the first sequence is used for all": (
            "(dh[:, None, :] @ M) → (dh[:, None, :] @ M[:1])"
        ),
        "this is the cell of the chapter, without a": "(n[-1 - k], W_h, a) → (n[-1 - k], W_h, a**0)",
        "this is the root of the mean square; the norm is the root of the sum": (
            "np.linalg.norm(dh, axis=1) → np.sqrt((dh**2).mean(axis=1))"
        ),
        "the squares of the norms are returned; the root is missing": (
            "np.linalg.norm(dh, axis=1) → (dh**2).sum(axis=1)"
        ),
        "the entries are added up without squares": (
            "np.linalg.norm(dh, axis=1) → abs(dh).sum(axis=1)"
        ),
        "the norms are relative to lag 0; the lengths themselves are asked for": (
            "return norms → return norms / norms[0]"
        ),
        "one norm is taken of the whole batch; each sequence has its own": (
            "np.linalg.norm(dh, axis=1) → np.linalg.norm(dh)"
        ),
        "a `return` stands inside the loop": "    return norms →         return norms",
        "every step holds the last one": "norms[k] = → norms[:] =",
        "norms_against_lag changed its argument dh_T in place": (
            "dh = (dh[:, None, :] @ M)[:, 0] → dh[:] = (dh[:, None, :] @ M)[:, 0]"
        ),
    },
    "norm_bounds": {
        "the factors are not multiplied: each lag has its own step's alone": (
            "bounds[k - 1] * np.linalg → np.linalg"
        ),
        "the factors are added up, not multiplied": "bounds[k - 1] * np → bounds[k - 1] + np",
        "the Jacobians are multiplied; multiply their singular values": (
            "bounds = np.ones → P = np.eye(len(a))\n    bounds = np.ones; W_h, a)\n → W_h, a)\n"
            "        P = P @ M\n; bounds[k - 1] * np → np; svd(M → svd(P"
        ),
        "the smallest singular value is taken, not the largest": "[:, 0] → [:, -1]",
        "off by one: lag 1 needs the Jacobian of the last step": [
            "n[-k] → n[-k - 1]",
        ],
        "the steps are walked from the first to the last": "n[-k] → n[k - 1]",
        "this is the spectral radius, not the largest singular value": (
            "np.linalg.svd(M, compute_uv=False)[:, 0] → abs(np.linalg.eigvals(M)).max(axis=1)"
        ),
        "this is the norm of all entries of M, not its largest stretch": (
            "np.linalg.svd(M, compute_uv=False)[:, 0] → np.linalg.norm(M, axis=(1, 2))"
        ),
        "this is the singular value of W_h alone; it is that of M that counts": (
            "leaky_jacobian(n[-k], W_h, a) → np.broadcast_to(W_h, (n.shape[1], *W_h.shape))"
        ),
        "bounds[0] is 1: at lag 0 nothing has been passed": (
            "range(1, len(n)) → range(len(n)); n[-k] → n[-1 - k]; bounds[k - 1] → (bounds[k - 1] if k else 1)"
        ),
        "a `return` stands inside the loop": "    return bounds →         return bounds",
    },
    "clip_by_norm": {
        "each array is clipped by a norm of its own; there is one norm for all": (
            "return [factor * g for g in gradients], norm → return [g * min(1.0, max_norm /"
            " max(np.sqrt((g**2).sum()), 1e-300)) for g in gradients], norm"
        ),
        "every entry is cut at max_norm; clipping keeps the direction": (
            "[factor * g for g → [np.clip(g, -max_norm, max_norm) for g"
        ),
        "the sum of the norms is taken, not the norm of all": (
            "np.sqrt(sum((g**2).sum() for g in gradients)) → sum(np.sqrt((g**2).sum()) for g in gradients)"
        ),
        "the largest norm is taken, not the norm of all": (
            "np.sqrt(sum((g**2).sum() for g in gradients)) → max([np.sqrt((g**2).sum()) for g in gradients] or [0])"
        ),
        "the root is missing": (
            "float(np.sqrt(sum((g**2).sum() for g in gradients))) → float(sum((g**2).sum() for g in gradients))"
        ),
        "what is shorter than max_norm is made longer": (
            "max_norm / norm if norm > max_norm else 1.0 → max_norm / norm if norm > 0 else 1.0"
        ),
        "this array is not shortened": "[factor * g for g → [1.0 * g for g",
        "the result has the length 1, not max_norm": "max_norm / norm if → 1 / norm if",
        "the factor is squared": "max_norm / norm if → (max_norm / norm) ** 2 if",
        "the entries are added up without squares": "np.sqrt(sum((g**2).sum() for g in gradients)) → sum(abs(g).sum() for g in gradients)",
        "1e-6 is added to the norm": "max_norm / norm if → max_norm / (norm + 1e-6) if",
        "norm: expected inf, got nan": "in gradients], norm\n    factor → in gradients], np.nan\n    factor",
        "expected nan, got 0": "in gradients], norm\n    factor → in gradients], 0.0\n    factor",
        "an empty list was handed in": (
            "np.sqrt(sum((g**2).sum() for g in gradients)) →"
            " np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))"
        ),
        "the gradients are multiplied by norm / max_norm": "max_norm / norm if → norm / max_norm if",
        "the norm after clipping is returned; the norm before is asked for": (
            "return [factor * g for g in gradients], norm → return [factor * g for g in gradients], min(norm, max_norm)"
        ),
        "is nan": [
            "    if not np.isfinite(norm):\n        return [np.zeros_like(g) for g in gradients], norm\n → ",
            "np.zeros_like(g) → 0 * g",
        ],
        "clip_by_norm changed its argument gradients in place": (
            "return [factor * g for g in gradients], norm → for g in gradients:\n"
            "        g *= factor\n    return [1 * g for g in gradients], norm"
        ),
        "clipped is a tuple; expected a list": (
            "return [factor * g for g in gradients] → return tuple(factor * g for g in gradients)"
        ),
    },
    "orthogonal_start": {
        "nothing is taken away: the columns only have length 1": (
            " - Q[:, :j] @ (Q[:, :j].T @ A[:, j]) → "
        ),
        "the columns are not brought to length 1": "rest / np.linalg.norm(rest) → rest",
        "the columns of A are taken away, not those that are done": (
            "Q[:, :j] @ (Q[:, :j].T → A[:, :j] @ (A[:, :j].T"
        ),
        "only the column before is taken away, not all that are done": (
            "Q[:, :j] @ (Q[:, :j].T @ A[:, j]) → Q[:, max(j - 1, 0) : j] @ (Q[:, max(j - 1, 0) : j].T @ A[:, j])"
        ),
        "the factor gain is missing": "gain * Q → Q",
        "gain comes at the very end; the sum needs columns of length 1": (
            "rest / np.linalg.norm(rest) → gain * rest / np.linalg.norm(rest); gain * Q → Q"
        ),
        "the directions are added; they are taken away": "A[:, j] - Q → A[:, j] + Q",
        "what is left is divided by the length of A_j, not by its own": (
            "np.linalg.norm(rest) → np.linalg.norm(A[:, j])"
        ),
        "the first column keeps its length": (
            "np.linalg.norm(rest) → (np.linalg.norm(rest) if j else 1)"
        ),
        "some columns point the other way: np.linalg.qr does not keep the sign": (
            "gain * Q → gain * np.linalg.qr(A)[0]"
        ),
        "the rows were made orthonormal one after the other; the columns are asked for": (
            "Q = np.empty(A.shape) → A = A.T\n    Q = np.empty(A.shape); gain * Q → gain * Q.T"
        ),
        "it is transposed": "gain * Q → gain * Q.T",
        "the columns are gone through from right to left": (
            "Q = np.empty(A.shape) → A = A[:, ::-1]\n    Q = np.empty(A.shape); gain * Q → gain * Q[:, ::-1]"
        ),
        "the columns have length 1 in sum, not as a norm": "np.linalg.norm(rest) → abs(rest).sum()",
        "a `return` stands inside the loop": "    return gain * Q →         return gain * Q",
        "orthogonal_start changed its argument A in place": (
            "rest = A[:, j] - Q → A[:, j] -= Q; @ A[:, j]) → @ A[:, j])\n        rest = A[:, j]"
        ),
        "it is the identity": "gain * Q → gain * np.eye(len(A))",
    },
    "product_lines": {
        "this is the line of the sum; here the numbers are multiplied": (
            "(1 / 3) ** n - (1 / 4) ** n → n / 12"
        ),
        "the variances are multiplied; the variance of a product is not their product": (
            "(1 / 3) ** n - (1 / 4) ** n → (1 / 12) ** n"
        ),
        "this is the mean of y squared; the square of the mean is not taken away": (
            "(1 / 3) ** n - (1 / 4) ** n → (1 / 3) ** n"
        ),
        "the mean is taken away, not its square": "(1 / 4) ** n → (1 / 2) ** n",
        "this is the standard deviation, the root of the line": (
            "(1 / 3) ** n - (1 / 4) ** n → ((1 / 3) ** n - (1 / 4) ** n) ** 0.5"
        ),
        "what is known counts with its mean square, 1/3, not with its mean": (
            "(1 / 3) ** (n - 1) → (1 / 2) ** (n - 1)"
        ),
        "what is known counts with its mean square, 1/3, not with the square of its mean": (
            "(1 / 3) ** (n - 1) → (1 / 4) ** (n - 1)"
        ),
        "the error also depends on the numbers that are known: it is multiplied by them": (
            "(1 / 3) ** (n - 1) / 12 → 1 / 12"
        ),
        "one number is forgotten, and n - 1 are known": "(n - 1) / 12 → n / 12",
        "both results are exchanged": "return memoryless, forgot_first → return forgot_first, memoryless",
        "product_lines returns 2 results, memoryless, forgot_first; yours gave float": "return memoryless, forgot_first → return memoryless",
    },
    "simulated_lines": {
        "the constant is the mean of the answers drawn, not of all possible answers": (
            "0.5 ** u.shape[1] → y.mean()"
        ),
        "the constant is one half; it is the mean of a product of n numbers": (
            "0.5 ** u.shape[1] → 0.5"
        ),
        "the second reader's answer lacks the factor one half for u_1": (
            "0.5 * u[:, 1:].prod → u[:, 1:].prod"
        ),
        "the last number is forgotten, not the first": "u[:, 1:] → u[:, :-1]",
        "the sum of the squares is returned, not their mean": (
            "np.mean((y - 0.5 ** u → np.sum((y - 0.5 ** u; np.mean((y - 0.5 * u → np.sum((y - 0.5 * u"
        ),
        "is an array of shape": "return float(memoryless), float(forgot_first) → return memoryless + 0 * y, forgot_first + 0 * y",
    },
}

SURVIVORS = {
    "norms_against_lag: dh = (dh[:, None, :] @ M)[:, 0] → dh = (dh[:, None, :] @ M)[:, -1]": (
        "the axis has size 1: the first entry is the last"
    ),
    "clip_by_norm: factor = max_norm / norm if norm > max_norm else 1.0 → "
    "factor = max_norm / norm if norm >= max_norm else 1.0": (
        "where both are equal, the factor is 1 either way"
    ),
}

ALLOWED = {"activations.tanh_grad": "1 - n * n, one factor of the product that is asked"}
