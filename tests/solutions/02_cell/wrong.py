"""Wrong answers to 02_cell, each once: a cause, and what an answer with that slip looks like.

tools/exercises.py says how they are written, and what is made from them.
"""

EDITS = {
    "leaky_step": {
        "W_h is transposed": "W_h.T → W_h",
        "does a matrix need .T": ["W_x.T → W_x", "W_x.T → W_x; W_h.T → W_h"],
        "the bias b is missing": "T + b → T",
        "the state W_h h_prev is missing": "h_prev @ W_h.T + b → b",
        "the input W_x x_t is missing": "x_t @ W_x.T + → ",
        "the tanh is missing": "np.tanh → np.positive",
        "b is added after the tanh": "T + b) → T) + b",
        "the tanh is taken of each term alone": "T + h → T) + np.tanh(h; T + b → T) + np.tanh(b",
        "f is the sigmoid, not tanh": "np.tanh(x → 1 / (1 + np.exp(-(x; + b) → + b)))",
        "a and 1 - a are exchanged": "(1 - a) * h_prev + a * → a * h_prev + (1 - a) *",
        "the factor 1 - a is missing": "(1 - a) * → ",
        "the factor a is missing": "+ a * → +",
        "the old state (1 - a) h_prev is missing": "(1 - a) * h_prev + → ",
        "a stands inside the tanh": "a * new → new; np.tanh( → np.tanh(a * (; + b) → + b))",
        "it is transposed": "return → return np.transpose(; a * new → a * new)",
        "a return is missing": "return (1 → (1",
        "leaky_step changed its argument h_prev in place": "new = → new = h_prev[:] =",
        "has dtype float32; expected float64": "return → return np.float32(; a * new → a * new)",
        "is of type list; a NumPy array is expected": "return → return list(; a * new → a * new)",
    },
    "read_then_rest": {
        "the starting state h_0 is not used": "h_t = h_0 → h_t = 0 * h_0",
        "the state is not carried on: every step begins from h_0": "x[t], h_t → x[t], h_0",
        "the state is not carried on: every step begins from 0": "x[t], h_t → x[t], 0 * h_t",
        "each h_t is stored before its step, so that h_0 comes first": (
            "h[t] = h_t → ; h_t = leaky → h[t] = h_t\n        h_t = leaky"
        ),
        "h_0 is returned among the states": "return h → return np.concatenate([h_0[None], h])",
        "this is the last state only": "return h → return h_t",
        "every step holds the last one: the same array was stored again and again": "h[t] = → h[:] =",
        "the inputs are read from the last to the first": "in range(len(x)) → in reversed(range(len(x)))",
        "only the first input is used, again and again": "x[t] → x[0]",
        "entries are used before they are filled in": "range(len(x)) → range(x.shape[1])",
        "read_then_rest changed its argument h_0 in place": "h_t = leaky → h_t[:] = leaky",
        "the steps of rest are missing": "np.zeros((R, → np.zeros((0,",
        "the rest comes first": "[x, np.zeros((R, *x.shape[1:]))] → [np.zeros((R, *x.shape[1:])), x]",
        "in the rest the last input goes on": "np.zeros((R, *x.shape[1:])) → np.repeat(x[-1:], R, 0)",
        "in the rest the state stands still; it must go on with input 0": (
            "leaky_step( → leaky_step(; W_x, W_h, b, a) → W_x, W_h, b, a) if t < len(x) - R else h_t"
        ),
        "a `return` stands inside the loop": "return h →     return h",
        "an empty list becomes an array of shape (0,)": (
            "h = np.empty((len(x), *h_0.shape)) → h = []; h[t] = h_t → h.append(h_t); return h → return np.array(h)"
        ),
    },
    "many_to_many": {
        "the bias c is missing": " + c → ",
        "the bias c is subtracted": "+ c → - c",
        "a tanh is applied; the output layer has none": "h @ W_y.T + c → np.tanh(h @ W_y.T + c)",
        "it is only the last entry of axis t": "h @ → h[-1] @",
        "does a matrix need .T": "W_y.T → W_y",
        "its axes are in another order": "return h → return h.swapaxes(0, 1)",
        "every step holds the last one": "h @ W_y.T → np.repeat(h[-1:], len(h), 0) @ W_y.T",
    },
    "many_to_one": {
        "the state at time T was taken, for the shorter sequence padding": "lengths - 1 → -1",
        "the time is off by one: step number n has index n - 1": [
            "lengths - 1 → lengths",
            "lengths - 1 → lengths % len(h)",
        ],
        "the states before the last valid ones were taken": "lengths - 1 → lengths - 2",
        "the first state was taken": "lengths - 1 → 0",
        "the mean over time was taken, not the last valid state": "return last → return h.mean(0)",
        "the mean of the valid states was taken, not the last of them": (
            "return last → return np.array([h[:n, r].mean(0) for r, n in enumerate(lengths)])"
        ),
        "the bias c is missing": " + c → ",
        "these are the states; the output layer is missing": " @ W_y.T + c → ",
        "each is read at every length: use np.arange": (", np.arange(len(lengths)) → "),
        "it answers at every step": "return last → return h",
    },
    "one_to_many": {
        "the first input is used at every step, the output never": "leaky_step(x_t → leaky_step(x_first",
        "after the first step the input is 0; it must be the output": "y[t] = x_t → y[t] = x_t\n        x_t = 0 * x_t",
        "the state is not carried on: every step begins from h_0": "(x_t, h_t, W_x → (x_t, h_0, W_x",
        "the state was fed back as the next input, not the output": "y[t] = x_t → y[t] = x_t\n        x_t = h_t",
        "the first input is among the outputs": "y[t] = x_t → ; h_t = leaky → y[t] = x_t\n        h_t = leaky",
        "the bias c is missing": " + c → ",
        "these are the states; the output layer is missing": "y[t] = x_t → y[t] = h_t",
        "there is one step too many": "np.empty((T → np.empty((T + 1; range(T) → range(T + 1)",
    },
    "final_states": {
        "the state of one document is carried into the next": "        h_t = np.zeros((1, len(b)))\n → ; for n, → h_t = np.zeros((1, len(b)))\n    for n,",
        "the state is reset at every input": "x_t[None, :], h_t → x_t[None, :], 0 * h_t",
        "only the first input of each document is read": "in document: → in document[:1]:",
        "the last input of each document is not read": "in document: → in document[:-1]:",
        "the first input of each document is not read": "in document: → in document[1:]:",
        "the mean of all states is taken, not the last one": (
            "summaries[n] = h_t[0] → ; b, 1) → b, 1)\n            summaries[n] += h_t[0] / len(document); np.empty → np.zeros"
        ),
        "it has an axis of size 1 too many": "(len(documents), len(b)) → (len(documents), 1, len(b)); h_t[0] → h_t",
        "": "h_t = np.zeros((1, len(b))) → h_t = leaky_step(documents[-1][:1], np.zeros((1, len(b))), W_x, W_h, b, 1)",
    },
    "fuse": {
        "the bias b is missing": ["1.0 → 0.0", "[3.0 → [2.0; -6.0 → 3.0; 1.0 → 0.0"],
        "the bias b is too small": "1.0 → 0.5",
        "the bias b is negative": "-6.0 → 6.0; 1.0 → -1.0",
        "the bias b is too large for this W_h": "-6.0 → -8.0; 1.0 → 1.5",
        "W_x is not negative": ["-6.0 → 6.0", "-6.0 → 0.0"],
        "W_x is too weak; it must overrule W_h": "-6.0 → -3.0",
        "but not far enough to stay": "-6.0 → -4.575",
        "W_h is too small; it forgets": ["3.0 → 0.5; 1.0 → 0.6", "3.0 → 0.0"],
        "but not against a bias that is large enough for the first step": [
            "3.0 → 2.0; 1.0 → 0.6",
            "3.0 → 2.0; 1.0 → 0.55",
        ],
        "W_h is negative: what is on pulls itself down": "3.0 → -3.0",
        "W_h is negative: what is off pulls itself up": "3.0 → -0.1",
        "W_x is of type float; a NumPy array is expected": "np.array([[-6.0]]) → -6.0",
        "W_x has shape (1,); expected (1, 1)": "[[-6.0]] → [-6.0]",
    },
    "two_in_a_row": {
        "this is the chapter's parity": "[0.0, 0.0], [1.0, 0.0] → [1, -2], [1, -2]; [[0.0, 1.0]] → [[1, -2]]",
        "it only repeats x_t: is x_{t-1} used, does W_y read the right unit?": [
            "[[0.0, 1.0]] → [[1, 0]]",
            "[0.0, -1.0] → [-1, 0]",
        ],
        "it repeats x_{t-1}, one step late: x_t itself is not used": "[1.0], [1.0] → [1], [0]; -1.0 → 0",
        "it is 1 as soon as one of the two inputs is 1; both are needed": (
            "[1.0], [1.0] → [1], [-1]; [0.0, -1.0] → [0, 0]; [[0.0, 1.0]] → [[1, 1]]"
        ),
        "it is the sum of the two inputs: the bias is missing": "-1.0 → 0",
        "the 1 is subtracted after the ReLU, in c; subtract it before, in b": "[0.0, -1.0] → [0, 0]; np.zeros(1) → np.array([-1])",
        "it is never 1: does one unit hold x_t, and does the other one see it?": [
            "[0.0, -1.0] → [-1, -1]",
            "[0.0, 0.0], [1.0, 0.0] → [0, 1], [0, 0]",
        ],
        "the bias is too weak: a single 1 passes the ReLU": "-1.0 → -0.5",
        "the bias is too strong, or W_y too small": "-1.0 → -1.5",
        "both units are added up, or x_t weighs too much: it passes alone": [
            "[[0.0, 1.0]] → [[1, 1]]",
            "[1.0], [1.0] → [1], [2]",
        ],
        "the memory is subtracted: it is 1 where a 1 follows a 0": "[1.0, 0.0] → [-1, 0]; -1.0 → 0",
        "a third 1 in a row counts further; y must stay 1": (
            "[1.0], [1.0] → [21], [21]; [0.0, 0.0], → [1, 0],; [0.0, -1.0] → [-20, -21]"
        ),
        "a third 1 in a row is taken for a new beginning": "[0.0, 0.0], → [-1, 0],",
        "ones that are not neighbours are counted: a unit must hold x_t only": "[0.0, 0.0], → [1, 0],",
        "it is 1 from the first 1 on; that 1 must be forgotten again": (
            "[0.0, 0.0], → [1, 0],; [[0.0, 1.0]] → [[1, -1]]"
        ),
        "the weight of x_{t-1} is too large: it passes alone": "[1.0, 0.0] → [2, 0]",
        "it is 2 times too large": "[1.0], [1.0] → [2], [2]; -1.0 → -2",
        "the unit of the answer feeds itself": "[1.0, 0.0] → [1, 1]",
        "a 1 before the first input is assumed; x_0 counts as 0": (
            "[1.0], [1.0] → [-1], [1]; [1.0, 0.0] → [-1, 0]; [0.0, -1.0] → [1, 0]"
        ),
        "W_x has shape (1, 2); expected (2, 1)": "[[1.0], [1.0]] → [[1, 1]]",
        "": [
            "[0.0, 0.0], [1.0, 0.0] → [1, 1], [1, 1]",
            "[[0.0, 1.0]] → [[0, -1]]; np.zeros(1) → np.ones(1)",
        ],
    },
}

# mutants made by swapping operators that are right answers too
_FUSE = "a W_x a little stronger or weaker, or a steeper W_h: the exercise has many answers"
SURVIVORS = {
    "final_states: h_t = np.zeros((1, len(b))) → h_t = np.zeros((2, len(b)))": (
        "two equal rows of state are carried along, and the first is read: only wasteful"
    ),
    "final_states: summaries[n] = h_t[0] → summaries[n] = h_t[-1]": (
        "with one row of state the first is the last"
    ),
    "fuse: W_x = np.array([[-6.0]]) → W_x = np.array([[-7.0]])": _FUSE,
    "fuse: W_x = np.array([[-6.0]]) → W_x = np.array([[-5.0]])": _FUSE,
    "fuse: W_h = np.array([[3.0]]) → W_h = np.array([[4.0]])": _FUSE,
}

ALLOWED = {"activations.tanh": "it is np.tanh under another name"}
