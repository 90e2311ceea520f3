"""Wrong answers to the exercises of 06_lstm. tools/exercises.py says how they are written."""

EDITS = {
    "coupled_step": {
        "rows in the order g, f, o": "z_f, z_g, z_o → z_g, z_f, z_o",
        "rows in the order o, g, f": "z_f, z_g, z_o → z_o, z_g, z_f",
        "f and 1 - f are exchanged": "f * c_prev + (1 - f) * g → (1 - f) * c_prev + f * g",
        "g is added without 1 - f": "(1 - f) * g → g",
        "g is a tanh, no sigmoid": "g = np.tanh(z_g) → g = sigmoid(z_g)",
        "the tanh of c_t is missing": "o * np.tanh(c_t) → o * c_t",
        "the bias b is missing": "h_prev @ W_h.T + b → h_prev @ W_h.T",
        "h_t shows the old memory": "o * np.tanh(c_t) → o * np.tanh(c_prev)",
        "f is a sigmoid, no tanh": "f, o = sigmoid(z_f), sigmoid(z_o) → f, o = np.tanh(z_f), sigmoid(z_o)",
        "yours gave 2 results": "return h_t, c_t, f, g, o → return h_t, c_t",
    },
    "coupled_step_backward": {
        "dh_t does not join dc_t": "dc = dc_t + dh_t * o * (1 - shown**2) → dc = dc_t",
        "o is missing beside dh_t": "dh_t * o * (1 - shown**2) → dh_t * (1 - shown**2)",
        "1 - tanh(c_t)**2 is missing": "dh_t * o * (1 - shown**2) → dh_t * o",
        "f stands before g, too": "(c_prev - g) → c_prev",
        "the second f has a minus": "(c_prev - g) → (c_prev + g)",
        "f (1 - f) is missing": "(c_prev - g) * f * (1 - f) → (c_prev - g)",
        "g has 1 - f, not f": "dc * (1 - f) * (1 - g**2) → dc * f * (1 - g**2)",
        "1 - g**2 is missing": "(1 - f) * (1 - g**2) → (1 - f)",
        "o has tanh(c_t), not c_t": "dh_t * shown * o → dh_t * c_t * o",
        "dc_prev needs dh_t, too": "dc_prev = dc * f → dc_prev = dc_t * f",
        "the factor f is missing": "dc_prev = dc * f → dc_prev = dc",
        "dz has the order f, g, o": "[dz_f, dz_g, dz_o] → [dz_g, dz_f, dz_o]",
    },
    "coupled_forward": {
        "the memory is not carried on": "h_t, c_t, _, _, _ = → h_t, c[t], _, _, _ =; c[t] = c_t → pass",
        "the state is not carried on": "coupled_step(x[t], h_t, → coupled_step(x[t], h_0,",
        "h and c are exchanged": "return h, c → return c, h",
        "it is reversed in time": "return h, c → return h[::-1], c[::-1]",
        "the walk begins with c_0 = 0": "h_t, c_t = h_0, c_0 → h_t, c_t = h_0, 0 * c_0",
        "the walk begins with h_0 = 0": "h_t, c_t = h_0, c_0 → h_t, c_t = 0 * h_0, c_0",
        "a `return` stands inside the loop": "    return h, c →         return h, c",
    },
    "bias_for": {
        "the sign of the bias is wrong": "-np.log(np.expm1 → np.log(np.expm1",
        "it is the gate, not its bias": "-np.log(np.expm1(np.log(2) / np.asarray(n))) → np.exp(-np.log(2) / np.asarray(n))",
        "it is the half-life of a bias n": "-np.log(np.expm1(np.log(2) / np.asarray(n))) → np.log(2) / np.log1p(np.exp(-np.asarray(n)))",
        "2**(1/n) is taken as e**(1/n)": "np.log(2) / np.asarray(n) → 1 / np.asarray(n)",
        "for n = 1e18 the bias is": "np.expm1(np.log(2) / np.asarray(n)) → (2 ** (1 / np.asarray(n)) - 1)",
        "the 1 is not subtracted": "np.expm1(np.log(2) / np.asarray(n)) → np.exp(np.log(2) / np.asarray(n))",
    },
    "input_coupled_step": {
        "the old memory is whole": "(1 - i) * c_prev → c_prev",
        "i and 1 - i are exchanged": "(1 - i) * c_prev + i * g → i * c_prev + (1 - i) * g",
        "the candidate is written whole": "+ i * g → + g",
        "the old memory has the factor i": "(1 - i) * c_prev → i * c_prev",
        "1 - o in place of 1 - i": "(1 - i) * c_prev → (1 - o) * c_prev",
        "h_t shows the old memory": "o * np.tanh(c_t), → o * np.tanh(c_prev),",
    },
}
SURVIVORS = {}
ALLOWED = {
    "activations.tanh": "it is np.tanh under another name",
    "activations.tanh_grad": "1 - n * n, one factor of the product that is asked",
}
