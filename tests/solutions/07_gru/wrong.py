"""Wrong answers to the exercises of 07_gru. tools/exercises.py says how they are written."""

# No sentence: the difference is shown alone, because a visible test has only so many lines.
EDITS = {
    "gru_step": {
        "z is the share that is written": ("(1 - z) * h_prev + z * n → z * h_prev + (1 - z) * n"),
        "here the reset stands after the product": [
            "if reset_after else → if not reset_after else",
            "(r * h_prev) @ W_hn.T → r * (h_prev @ W_hn.T)",
        ],
        "here the reset stands before the product": (
            "r * (h_prev @ W_hn.T) → (r * h_prev) @ W_hn.T"
        ),
        "r and z are exchanged": [
            "a_r, a_z, a_n = → a_z, a_r, a_n =; W_hr, W_hz, W_hn = → W_hz, W_hr, W_hn =",
            "return h_t, r, z, n → return h_t, z, r, n",
        ],
        "r stands where z belongs": "(1 - z) * h_prev + z * n → (1 - r) * h_prev + r * n",
        "the rows are taken in the order n, z, r": (
            "a_r, a_z, a_n = → a_n, a_z, a_r =; W_hr, W_hz, W_hn = → W_hn, W_hz, W_hr ="
        ),
        "the bias b is missing": "x_t @ W_x.T + b → x_t @ W_x.T",
        "the gates do not see the state before": (
            "sigmoid(a_r + h_prev @ W_hr.T) → sigmoid(a_r); sigmoid(a_z + h_prev @ W_hz.T) → sigmoid(a_z)"
        ),
        "the candidate does not see the state": "np.tanh(a_n + past) → np.tanh(a_n)",
        "the reset gate is missing in n": ("r * (h_prev @ → (h_prev @; (r * h_prev) @ → h_prev @"),
        "the candidate needs tanh, not sigmoid": ("np.tanh(a_n + past) → sigmoid(a_n + past)"),
        "the old state lacks the factor 1 - z": "(1 - z) * h_prev → h_prev",
        "yours gave 2 results": "return h_t, r, z, n → return h_t, n",
    },
    "gru_step_backward": {
        "z belongs to n, and 1 - z to h_prev": (
            "dh_t * z * (1 - n**2) → dh_t * (1 - z) * (1 - n**2); dh_t * (1 - z) + → dh_t * z +"
        ),
        "": [
            "(n - h_prev) → n",
            "dh_t * z * (1 - n**2) → dh_t * (1 - z) * (1 - n**2); dh_t * (1 - z) + → dh_t * z +"
            "; (n - h_prev) → (h_prev - n)",
            "dpast = dz_n @ W_hn → dpast = (dz_n * r) @ W_hn; "
            "dz_r = dpast * h_prev → dz_r = dz_n * (h_prev @ W_hn.T); + dpast * r + → + dpast +",
            "+ dpast * r + → + (dz_n * r) @ W_hn +",
            "(1 - n**2) → (1 - np.tanh(n)**2)",
        ],
        "the slope 1 - n**2 of tanh is missing": "dh_t * z * (1 - n**2) → dh_t * z",
        "the sign of the gradient of z is wrong": "(n - h_prev) → (h_prev - n)",
        "the slope z (1 - z) is missing": ("(n - h_prev) * z * (1 - z) → (n - h_prev)"),
        "the slope r (1 - r) is missing": "h_prev * r * (1 - r) → h_prev",
        "r gets what the reset after gives it": (
            "dz_r = dpast * h_prev → dz_r = dz_n * (h_prev @ W_hn.T)"
        ),
        "what r gets lacks the factor h_prev": "dz_r = dpast * h_prev → dz_r = dpast",
        "the way through r * h_prev is missing": "+ dpast * r + → +",
        "the way through r * h_prev lacks r": "+ dpast * r + → + dpast +",
        "the way through the reset gate is missing": "+ dz_r @ W_hr → ",
        "the way through the update gate is missing": "+ dz_z @ W_hz → ",
        "the direct way, 1 - z, is missing": "dh_t * (1 - z) + → ",
        "the rows of n met r * h_prev": "(r * h_prev)]) → h_prev])",
        "the sums come in the order r, z, n": "[dz_r, dz_z, dz_n] → [dz_z, dz_r, dz_n]",
    },
    "to_other": {
        "the update gate keeps its signs; all its weights change theirs": "*= -1 → *= 1",
        "the bias of the update gate keeps its sign": "in (W_x, W_h, b): → in (W_x, W_h):",
        "the reset gate changed its signs, and not the update gate": "array[H : 2 * H] → array[:H]",
        "the reset gates stay where they were": "rows[j] = k → pass",
        "the reset gates move the other way": "rows[j] = k → rows[k] = j",
        "the bias of the reset gate stays where it was": "W_h[rows], b[rows] → W_h[rows], b.copy()",
        "the update gates moved with the reset gates": (
            "rows[j] = k → rows[j] = k\n        rows[H + j] = H + k"
        ),
        "both units read h[1]: this must be refused": "(reads.sum(axis=0) > 1).any() or → ",
        "b_hn is [0, -2]: this must be refused": "or (b_hn != 0).any() → ",
        "b_hn is [2, 0]: this must be refused": "(b_hn != 0).any() → b_hn[-1] != 0",
        "b_hn is [2, -2]: this must be refused": "(b_hn != 0).any() → b_hn.sum() != 0",
        "return None, and nothing else": "return None → return None, None, None",
        "": [
            "rows[j] = k → rows[j], rows[k] = rows[k], rows[j]",
            "rows[j] = k → rows[j] = rows[k]",
            "in (W_x, W_h, b): → in (W_x, b):",
            "reads = W_h[2 * H :] != 0 → reads = W_h[2 * H :] > 0",
        ],
        "unit 1 reads both states: this can be converted": "sum(axis=0) → sum(axis=1)",
        "nobody reads h[0]: this can be converted": "(axis=0) > 1 → (axis=0) != 1",
        "to_other returns 3 results": "return W_x, W_h, b → return W_x, W_h",
    },
    "largest_width": {
        "the second bias of the recurrent layer is missing": "(I + H + 3) → (I + H + 2)",
        "the linear layer is missing": "+ K * (H + 2) → ",
        "the linear layer has K biases": [
            "K * (H + 2) → K * (H + 1)",
            "K * (H + 2) → K * (H + 1) + 1",
        ],
        "one unit too many": "return H → return H + 1",
        "one unit too few": "return H → return max(H - 1, 0)",
        "the candidate has weights, too": ('"GRU": 3, "LSTM": 4 → "GRU": 2, "LSTM": 3'),
        "the weights from state to state are missing": "(I + H + 3) → (I + 2)",
        "exactly `count` parameters are allowed": "count < → count <=",
        "": [
            "return H → return min(H, 999)",
            "G * (H + 1) * (I + H + 3) + K * (H + 2) → G * ((H + 1) * (I + H + 3) + K * (H + 2))",
        ],
    },
    "ported_step": {
        "b_hn and W_hn stand outside the reset": (
            "r * (h_prev @ V_n.T + b_hn) → (r * h_prev) @ V_n.T + b_hn"
        ),
        "b_hn stands outside the reset gate": "r * (h_prev @ V_n.T + b_hn) → r * (h_prev @ V_n.T) + b_hn",
        "the reset gate stands before the product": (
            "r * (h_prev @ V_n.T + b_hn) → (r * h_prev) @ V_n.T + r * b_hn"
        ),
        "": [
            "(h_prev @ V_n.T + b_hn) → ((r * h_prev) @ V_n.T + b_hn)",
        ],
        "z stands where r belongs": "r * (h_prev @ V_n → z * (h_prev @ V_n",
        "b_hn is missing": "(h_prev @ V_n.T + b_hn) → (h_prev @ V_n.T)",
        "torch's z is what is kept": ("(1 - z) * n + z * h_prev → z * n + (1 - z) * h_prev"),
        "the input's part passes the reset gate": (
            "i_n + r * (h_prev @ V_n.T + b_hn) → r * (i_n + h_prev @ V_n.T + b_hn)"
        ),
        "the reset gate is missing": "r * (h_prev @ V_n.T + b_hn) → h_prev @ V_n.T + b_hn",
    },
}
SURVIVORS = {
    "largest_width: for H in range(count + 1): → for H in range(count + 2):": (
        "each unit has parameters: the answer comes before the range ends"
    ),
}
ALLOWED = {
    "activations.sigmoid": "the notebook gives it",
    "activations.tanh_grad": "1 - n * n, one factor of the product that is asked",
}
