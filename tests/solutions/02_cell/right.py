"""Right answers to 02_cell that look nothing like ours: all must earn every point."""

import numpy as np


def leaky_step__row_by_row(x_t, h_prev, W_x, W_h, b, a):
    rows = [h + a * (np.tanh(W_x @ x + W_h @ h + b) - h) for x, h in zip(x_t, h_prev, strict=True)]
    return np.array(rows).reshape(h_prev.shape)


def leaky_step__one_matrix(x_t, h_prev, W_x, W_h, b, a):
    z = np.hstack([x_t, h_prev]) @ np.hstack([W_x, W_h]).T + b
    return np.where(a == 1, np.tanh(z), h_prev - a * h_prev + a * np.tanh(z))


def read_then_rest__stacked(x, h_0, R, W_x, W_h, b, a):
    h = [h_0]
    for t in range(len(x) + R):
        x_t = x[t] if t < len(x) else np.zeros((len(h_0), W_x.shape[1]))
        h.append(leaky_step(x_t, h[-1], W_x, W_h, b, a))
    return np.stack(h)[1:]


def many_to_many__einsum(h, W_y, c):
    return np.einsum("tbh,kh->tbk", h, W_y) + c


def many_to_one__comprehension(h, lengths, W_y, c):
    return np.array([h[n - 1][i] @ W_y.T + c for i, n in enumerate(lengths)])


def many_to_one__outputs_first(h, lengths, W_y, c):
    y = many_to_many(h, W_y, c)
    return np.take_along_axis(y, (lengths - 1)[None, :, None], axis=0)[0]


def one_to_many__from_other_answers(x_first, h_0, T, W_x, W_h, b, W_y, c):
    y, x, h = [], x_first, h_0
    while len(y) < T:
        h = read_then_rest(x[None], h, 0, W_x, W_h, b, 1.0)[-1]
        x = many_to_many(h[None], W_y, c)[0]
        y.append(x)
    return np.stack(y)


def final_states__from_read_then_rest(documents, W_x, W_h, b):
    zero, one = np.zeros((1, len(b))), np.ones(len(b))
    return np.array(
        [read_then_rest(d[:, None], zero, 0, W_x, W_h, b, one)[-1, 0] for d in documents]
    )


def fuse__whole_numbers():
    return np.array([[-6]]), np.array([[3]]), np.array([1])


def fuse__just_enough():
    return np.array([[-3.4]]), np.array([[2.1]]), np.array([0.56])


def fuse__strong():
    return np.array([[-100.0]]), np.array([[30.0]]), np.array([20.0])


def two_in_a_row__no_bias():
    W_h = np.array([[0, 0], [-1, 0]])
    return np.ones((2, 1)), W_h, np.zeros(2), np.array([[1, -1]]), np.zeros(1)


def two_in_a_row__units_exchanged_and_scaled():
    W_x, W_h = np.array([[0.5], [2.0]]), np.array([[0.0, 0.25], [0.0, 0.0]])
    return W_x, W_h, np.array([-0.5, 0.0]), np.array([[2.0, 0.0]]), np.zeros(1)
