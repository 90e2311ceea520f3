"""Wrong answers to the exercises of 02_cell.

The part of a name before the two underscores is the exercise's function; the
docstring is what the failure must say to name the cause (none: it need only fail).
"""

import numpy as np

# ── exercise 1 ───────────────────────────────────────────────────────────────


def rnn_step__W_h_transposed(x_t, h_prev, W_x, W_h, b):
    """W_h is transposed"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h + b)


def rnn_step__W_x_not_transposed(x_t, h_prev, W_x, W_h, b):
    """W_x is transposed"""
    return np.tanh(x_t @ W_x + h_prev @ W_h.T + b)


def rnn_step__neither_transposed(x_t, h_prev, W_x, W_h, b):
    """both matrices are transposed"""
    return np.tanh(x_t @ W_x + h_prev @ W_h + b)


def rnn_step__no_bias(x_t, h_prev, W_x, W_h, b):
    """the bias b is missing"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T)


def rnn_step__bias_subtracted(x_t, h_prev, W_x, W_h, b):
    """the bias b is subtracted"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T - b)


def rnn_step__no_memory(x_t, h_prev, W_x, W_h, b):
    """the state before, W_h h_prev, is missing"""
    return np.tanh(x_t @ W_x.T + b)


def rnn_step__no_input(x_t, h_prev, W_x, W_h, b):
    """the input, W_x x_t, is missing"""
    return np.tanh(h_prev @ W_h.T + b)


def rnn_step__no_tanh(x_t, h_prev, W_x, W_h, b):
    """the tanh is missing"""
    return x_t @ W_x.T + h_prev @ W_h.T + b


def rnn_step__bias_outside(x_t, h_prev, W_x, W_h, b):
    """b is added after the tanh"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T) + b


def rnn_step__tanh_of_each(x_t, h_prev, W_x, W_h, b):
    """the tanh is taken of each term"""
    return np.tanh(x_t @ W_x.T) + np.tanh(h_prev @ W_h.T) + np.tanh(b)


def rnn_step__sigmoid(x_t, h_prev, W_x, W_h, b):
    """f is the sigmoid, not tanh"""
    return 1 / (1 + np.exp(-(x_t @ W_x.T + h_prev @ W_h.T + b)))


def rnn_step__columns(x_t, h_prev, W_x, W_h, b):
    """it is transposed"""
    return np.tanh(W_x @ x_t.T + W_h @ h_prev.T + b[:, None])


def rnn_step__no_return(x_t, h_prev, W_x, W_h, b):
    """a return is missing"""
    np.tanh(x_t @ W_x.T + h_prev @ W_h.T + b)


def rnn_step__first_row_only(x_t, h_prev, W_x, W_h, b):
    """an axis of size 1 was dropped"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T + b)[0]


def rnn_step__state_overwritten(x_t, h_prev, W_x, W_h, b):
    """rnn_step changed its argument h_prev in place"""
    h_prev[:] = np.tanh(x_t @ W_x.T + h_prev @ W_h.T + b)
    return h_prev


def rnn_step__single_precision(x_t, h_prev, W_x, W_h, b):
    """has dtype float32; expected float64"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T + b).astype(np.float32)


def rnn_step__list(x_t, h_prev, W_x, W_h, b):
    """is of type list; a NumPy array is asked"""
    return np.tanh(x_t @ W_x.T + h_prev @ W_h.T + b).tolist()


# ── exercise 2 ───────────────────────────────────────────────────────────────


def rnn_forward__starts_from_zero(x, h_0, W_x, W_h, b):
    """the starting state h_0 is not used"""
    h, h_t = np.empty((len(x), *h_0.shape)), np.zeros_like(h_0)
    for t in range(len(x)):
        h[t] = h_t = rnn_step(x[t], h_t, W_x, W_h, b)
    return h


def rnn_forward__not_carried(x, h_0, W_x, W_h, b):
    """every step begins from h_0"""
    h = np.empty((len(x), *h_0.shape))
    for t in range(len(x)):
        h[t] = rnn_step(x[t], h_0, W_x, W_h, b)
    return h


def rnn_forward__reset(x, h_0, W_x, W_h, b):
    """every step begins from 0"""
    h = np.empty((len(x), *h_0.shape))
    for t in range(len(x)):
        h[t] = rnn_step(x[t], 0 * h_0, W_x, W_h, b)
    return h


def rnn_forward__stored_before(x, h_0, W_x, W_h, b):
    """each h_t is stored before its step"""
    h, h_t = np.empty((len(x), *h_0.shape)), h_0
    for t in range(len(x)):
        h[t] = h_t
        h_t = rnn_step(x[t], h_t, W_x, W_h, b)
    return h


def rnn_forward__with_h_0(x, h_0, W_x, W_h, b):
    """h_0 is returned among the states"""
    h = [h_0]
    for x_t in x:
        h.append(rnn_step(x_t, h[-1], W_x, W_h, b))
    return np.array(h)


def rnn_forward__last_only(x, h_0, W_x, W_h, b):
    """this is the last state only"""
    h_t = h_0
    for x_t in x:
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
    return h_t


def rnn_forward__one_buffer(x, h_0, W_x, W_h, b):
    """the same array was stored again and again"""
    h, h_t = [], h_0.copy()
    for x_t in x:
        h_t[:] = rnn_step(x_t, h_t, W_x, W_h, b)
        h.append(h_t)
    return np.array(h).reshape(len(x), *h_0.shape)


def rnn_forward__from_the_end(x, h_0, W_x, W_h, b):
    """the inputs are read from the last to the first"""
    h, h_t = np.empty((len(x), *h_0.shape)), h_0
    for t in reversed(range(len(x))):
        h[t] = h_t = rnn_step(x[t], h_t, W_x, W_h, b)
    return h


def rnn_forward__first_input_only(x, h_0, W_x, W_h, b):
    """only the first input is used"""
    h, h_t = np.empty((len(x), *h_0.shape)), h_0
    for t in range(len(x)):
        h[t] = h_t = rnn_step(x[0], h_t, W_x, W_h, b)
    return h


def rnn_forward__no_steps_forgotten(x, h_0, W_x, W_h, b):
    """This case: T = 0"""
    h, h_t = [], h_0
    for x_t in x:
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        h.append(h_t)
    return np.array(h)


def rnn_forward__over_the_batch(x, h_0, W_x, W_h, b):
    """all is right before t = 1"""
    h, h_t = np.empty((len(x), *h_0.shape)), h_0
    for t in range(x.shape[1]):
        h[t] = h_t = rnn_step(x[t], h_t, W_x, W_h, b)
    return h


def rnn_forward__h_0_overwritten(x, h_0, W_x, W_h, b):
    """rnn_forward changed its argument h_0 in place"""
    h = np.empty((len(x), *h_0.shape))
    for t in range(len(x)):
        h_0[:] = rnn_step(x[t], h_0, W_x, W_h, b)
        h[t] = h_0
    return h


# ── exercise 3 ───────────────────────────────────────────────────────────────


def many_to_many__no_bias(h, W_y, c):
    """the bias c is missing"""
    return h @ W_y.T


def many_to_many__bias_subtracted(h, W_y, c):
    """the bias c is subtracted"""
    return h @ W_y.T - c


def many_to_many__tanh(h, W_y, c):
    """a tanh is applied; the output layer has none"""
    return np.tanh(h @ W_y.T + c)


def many_to_many__last_step(h, W_y, c):
    """an axis of size 1 was dropped"""
    return h[-1] @ W_y.T + c


def many_to_many__not_transposed(h, W_y, c):
    """does a matrix need .T"""
    return h @ W_y + c


def many_to_many__transposed_if_square(h, W_y, c):
    """W_y is transposed"""
    return h @ (W_y if W_y.shape[0] == W_y.shape[1] else W_y.T) + c


def many_to_many__batch_first(h, W_y, c):
    """its axes are in another order"""
    return (h @ W_y.T + c).swapaxes(0, 1)


def many_to_many__broadcast_last(h, W_y, c):
    """every step holds the last one"""
    return np.broadcast_to(h[-1] @ W_y.T + c, (*h.shape[:2], len(c))).copy()


def many_to_one__last_step(h, lengths, W_y, c):
    """which is padding for the shorter sequence"""
    return h[-1] @ W_y.T + c


def many_to_one__off_by_one(h, lengths, W_y, c):
    """an index is too large"""
    return h[lengths, np.arange(len(lengths))] @ W_y.T + c


def many_to_one__wraps_around(h, lengths, W_y, c):
    """the time is off by one"""
    return h[lengths % len(h), np.arange(len(lengths))] @ W_y.T + c


def many_to_one__one_too_early(h, lengths, W_y, c):
    """the states before the last valid ones were taken"""
    return h[lengths - 2, np.arange(len(lengths))] @ W_y.T + c


def many_to_one__first(h, lengths, W_y, c):
    """the first state was taken"""
    return h[0] @ W_y.T + c


def many_to_one__mean(h, lengths, W_y, c):
    """the mean over time was taken"""
    return h.mean(axis=0) @ W_y.T + c


def many_to_one__mean_of_valid(h, lengths, W_y, c):
    """the mean of the valid states was taken"""
    means = np.array([h[:n, r].mean(axis=0) for r, n in enumerate(lengths)])
    return means @ W_y.T + c


def many_to_one__no_bias(h, lengths, W_y, c):
    """the bias c is missing"""
    return h[lengths - 1, np.arange(len(lengths))] @ W_y.T


def many_to_one__states(h, lengths, W_y, c):
    """the output layer W_y, c is missing"""
    return h[lengths - 1, np.arange(len(lengths))]


def many_to_one__all_pairs(h, lengths, W_y, c):
    """every sequence was read at every length"""
    return h[lengths - 1] @ W_y.T + c


def many_to_one__every_step(h, lengths, W_y, c):
    """this gives an answer at every step"""
    return h @ W_y.T + c


def one_to_many__not_fed_back(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """the first input is used at every step"""
    y, h_t = np.empty((T, *x_first.shape)), h_0
    for t in range(T):
        h_t = rnn_step(x_first, h_t, W_x, W_h, b)
        y[t] = h_t @ W_y.T + c
    return y


def one_to_many__silence(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """after the first step the input is 0"""
    y, h_t, x_t = np.empty((T, *x_first.shape)), h_0, x_first
    for t in range(T):
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        y[t] = h_t @ W_y.T + c
        x_t = np.zeros_like(x_first)
    return y


def one_to_many__not_carried(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """every step begins from h_0"""
    y, x_t = np.empty((T, *x_first.shape)), x_first
    for t in range(T):
        y[t] = x_t = rnn_step(x_t, h_0, W_x, W_h, b) @ W_y.T + c
    return y


def one_to_many__state_fed_back(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """the state was fed back as the next input"""
    y, h_t, x_t = np.empty((T, *x_first.shape)), h_0, x_first
    for t in range(T):
        x_t = h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        y[t] = h_t @ W_y.T + c
    return y


def one_to_many__first_input_first(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """the first input is among the outputs"""
    y, h_t, x_t = np.empty((T, *x_first.shape)), h_0, x_first
    for t in range(T):
        y[t] = x_t
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        x_t = h_t @ W_y.T + c
    return y


def one_to_many__no_bias(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """the bias c is missing"""
    y, h_t, x_t = np.empty((T, *x_first.shape)), h_0, x_first
    for t in range(T):
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        y[t] = x_t = h_t @ W_y.T
    return y


def one_to_many__states(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """these are the states"""
    h, h_t, x_t = [], h_0, x_first
    for _ in range(T):
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        x_t = h_t @ W_y.T + c
        h.append(h_t)
    return np.array(h)


def one_to_many__one_more(x_first, h_0, T, W_x, W_h, b, W_y, c):
    """there is one step too many"""
    y, h_t, x_t = [], h_0, x_first
    for _ in range(T + 1):
        h_t = rnn_step(x_t, h_t, W_x, W_h, b)
        x_t = h_t @ W_y.T + c
        y.append(x_t)
    return np.array(y)


# ── exercise 4 ───────────────────────────────────────────────────────────────


def _backward(dz, x_t, h_prev, W_x, W_h):
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_prev, dz.sum(axis=0)


def rnn_step_backward__no_factor(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """the factor 1 - h_t**2 of the tanh is missing"""
    return _backward(dh_t, x_t, h_prev, W_x, W_h)


def rnn_step_backward__plus(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """the factor of the tanh is 1 - h_t**2, not 1 + h_t**2"""
    return _backward(dh_t * (1 + h_t**2), x_t, h_prev, W_x, W_h)


def rnn_step_backward__not_squared(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """the factor of the tanh is 1 - h_t**2, not 1 - h_t"""
    return _backward(dh_t * (1 - h_t), x_t, h_prev, W_x, W_h)


def rnn_step_backward__sigmoid(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """is the factor of the sigmoid"""
    return _backward(dh_t * h_t * (1 - h_t), x_t, h_prev, W_x, W_h)


def rnn_step_backward__tanh_again(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """h_t is the output of the tanh already"""
    return _backward(dh_t * (1 - np.tanh(h_t) ** 2), x_t, h_prev, W_x, W_h)


def rnn_step_backward__factor_at_h_prev(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """the factor 1 - h**2 was taken at h_prev"""
    return _backward(dh_t * (1 - h_prev**2), x_t, h_prev, W_x, W_h)


def rnn_step_backward__W_h_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """W_h is transposed"""
    return _backward(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h.T)


def rnn_step_backward__dh_prev_is_dz(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """not yet multiplied by W_h"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz, dz.T @ x_t, dz.T @ h_prev, dz.sum(axis=0)


def rnn_step_backward__factor_at_weights_only(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """the factor 1 - h_t**2 of the tanh is missing"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dh_t @ W_h, dz.T @ x_t, dz.T @ h_prev, dz.sum(axis=0)


def rnn_step_backward__exchanged(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """two of the results are exchanged"""
    dx_t, dh_prev, *weights = _backward(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h)
    return dh_prev, dx_t, *weights


def rnn_step_backward__weights_first(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """two of the results are exchanged"""
    dx_t, dh_prev, dW_x, dW_h, db = _backward(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h)
    return dW_x, dW_h, dx_t, dh_prev, db


def rnn_step_backward__negative(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """a sign is wrong"""
    return _backward(dh_t * (h_t**2 - 1), x_t, h_prev, W_x, W_h)


def rnn_step_backward__dW_x_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it is transposed"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, x_t.T @ dz, dz.T @ h_prev, dz.sum(axis=0)


def rnn_step_backward__dW_h_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it is transposed"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, h_prev.T @ dz, dz.sum(axis=0)


def rnn_step_backward__dW_h_with_h_t(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it was made with h_t, not with h_prev"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_t, dz.sum(axis=0)


def rnn_step_backward__mean(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """a mean instead of a sum"""
    dz = dh_t * (1 - h_t**2)
    B = len(x_t)
    return dz @ W_x, dz @ W_h, dz.T @ x_t / B, dz.T @ h_prev / B, dz.mean(axis=0)


def rnn_step_backward__db_mean(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it is the mean over the batch where the sum is asked"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_prev, dz.mean(axis=0)


def rnn_step_backward__db_not_summed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it is not summed over the rows of the batch"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_prev, dz


def rnn_step_backward__db_over_units(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """it is summed over the units, not over the rows of the batch"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_prev, dz.sum(axis=1)


def rnn_step_backward__db_forgotten(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """as if the result were never filled in"""
    dz = dh_t * (1 - h_t**2)
    return dz @ W_x, dz @ W_h, dz.T @ x_t, dz.T @ h_prev, np.zeros(len(W_h))


def rnn_step_backward__four_results(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """yours gave 4 results"""
    return _backward(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h)[:4]


def rnn_step_backward__dz_in_place(dh_t, x_t, h_prev, h_t, W_x, W_h):
    """rnn_step_backward changed its argument dh_t in place"""
    dh_t *= 1 - h_t**2
    return _backward(dh_t, x_t, h_prev, W_x, W_h)


# ── exercise 5 ───────────────────────────────────────────────────────────────


def final_states__leak(documents, W_x, W_h, b):
    """the state of one document is carried into the next"""
    summaries, h_t = [], np.zeros((1, len(b)))
    for document in documents:
        for x_t in document:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries.append(h_t[0])
    return np.array(summaries)


def final_states__reset_at_every_input(documents, W_x, W_h, b):
    """only the last one counts"""
    summaries = np.empty((len(documents), len(b)))
    for n, document in enumerate(documents):
        for x_t in document:
            h_t = np.zeros((1, len(b)))
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries[n] = h_t[0]
    return summaries


def final_states__first_input(documents, W_x, W_h, b):
    """only the first input of each document is read"""
    zero = np.zeros((1, len(b)))
    return np.array([rnn_step(d[:1], zero, W_x, W_h, b)[0] for d in documents])


def final_states__last_input_unread(documents, W_x, W_h, b):
    """the last input of each document is not read"""
    summaries = np.empty((len(documents), len(b)))
    for n, document in enumerate(documents):
        h_t = np.zeros((1, len(b)))
        for x_t in document[:-1]:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries[n] = h_t[0]
    return summaries


def final_states__first_input_unread(documents, W_x, W_h, b):
    """the first input of each document is not read"""
    summaries = np.empty((len(documents), len(b)))
    for n, document in enumerate(documents):
        h_t = np.zeros((1, len(b)))
        for x_t in document[1:]:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries[n] = h_t[0]
    return summaries


def final_states__mean(documents, W_x, W_h, b):
    """the mean of all states is taken"""
    summaries = np.zeros((len(documents), len(b)))
    for n, document in enumerate(documents):
        h_t = np.zeros((1, len(b)))
        for x_t in document:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
            summaries[n] += h_t[0] / len(document)
    return summaries


def final_states__keeps_axis(documents, W_x, W_h, b):
    """it has one axis too many"""
    summaries = []
    for document in documents:
        h_t = np.zeros((1, len(b)))
        for x_t in document:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries.append(h_t)
    return np.array(summaries)


def final_states__state_from_last_of_the_pile(documents, W_x, W_h, b):
    summaries = np.empty((len(documents), len(b)))
    h_0 = rnn_step(documents[-1][:1], np.zeros((1, len(b))), W_x, W_h, b)
    for n, document in enumerate(documents):
        h_t = h_0
        for x_t in document:
            h_t = rnn_step(x_t[None], h_t, W_x, W_h, b)
        summaries[n] = h_t[0]
    return summaries


# ── exercise 6 ───────────────────────────────────────────────────────────────


def _fuse(w_x, w_h, b):
    return np.array([[w_x]]), np.array([[w_h]]), np.array([b])


def fuse__chapters_latch():
    """the bias b is missing"""
    return _fuse(3.0, 2.0, 0.0)


def fuse__no_bias():
    """the bias b is missing"""
    return _fuse(-6.0, 3.0, 0.0)


def fuse__small_bias():
    """the bias b is too small"""
    return _fuse(-6.0, 3.0, 0.5)


def fuse__negative_bias():
    """the bias b is negative"""
    return _fuse(6.0, 3.0, -1.0)


def fuse__large_bias():
    """the bias b is too large for this W_h"""
    return _fuse(-8.0, 3.0, 1.5)


def fuse__pushed_up():
    """W_x is not negative"""
    return _fuse(6.0, 3.0, 1.0)


def fuse__deaf():
    """W_x is not negative"""
    return _fuse(0.0, 3.0, 1.0)


def fuse__weak_push():
    """W_x is too weak; it must overrule W_h"""
    return _fuse(-3.0, 3.0, 1.0)


def fuse__pushed_but_not_far_enough():
    """but not far enough to stay"""
    return _fuse(-4.575, 3.0, 1.0)


def fuse__forgets():
    """W_h is too small; it forgets"""
    return _fuse(-6.0, 0.5, 0.6)


def fuse__without_memory():
    """W_h is too small; it forgets"""
    return _fuse(-6.0, 0.0, 1.0)


def fuse__chapters_memory():
    """not against a bias that is large enough for the first step"""
    return _fuse(-6.0, 2.0, 0.6)


def fuse__recovers_after_many_steps():
    """not against a bias that is large enough for the first step"""
    return _fuse(-6.0, 2.0, 0.55)


def fuse__alternating():
    """W_h is negative: what is on pulls itself down"""
    return _fuse(-6.0, -3.0, 1.0)


def fuse__on_again():
    """W_h is negative: what is off pulls itself up"""
    return _fuse(-6.0, -0.1, 1.0)


def fuse__numbers():
    """W_x is of type float; a NumPy array is asked"""
    return -6.0, 3.0, 1.0


def fuse__flat():
    """W_x has shape (1,); expected (1, 1)"""
    return np.array([-6.0]), np.array([3.0]), np.array([1.0])


def _two(W_x, W_h, b=(0, -1), W_y=((0, 1),), c=(0,)):
    return tuple(np.array(a, dtype=float) for a in (W_x, W_h, b, W_y, c))


def two_in_a_row__chapters_parity():
    """this is the chapter's parity"""
    return _two([[1], [1]], [[1, -2], [1, -2]], W_y=[[1, -2]])


def two_in_a_row__echo():
    """it only repeats the input"""
    return _two([[1], [1]], [[0, 0], [1, 0]], W_y=[[1, 0]])


def two_in_a_row__bias_of_the_other_unit():
    """it only repeats the input"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[-1, 0])


def two_in_a_row__late():
    """one step late"""
    return _two([[1], [0]], [[0, 0], [1, 0]], b=[0, 0])


def two_in_a_row__or():
    """both are asked"""
    return _two([[1], [-1]], [[0, 0], [1, 0]], b=[0, 0], W_y=[[1, 1]])


def two_in_a_row__no_bias():
    """the bias is missing"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[0, 0])


def two_in_a_row__bias_at_the_output():
    """subtracted after the ReLU, in c"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[0, 0], c=[-1])


def two_in_a_row__bias_of_both_units():
    """it is 0 always"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[-1, -1])


def two_in_a_row__weak_bias():
    """the bias is too weak"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[0, -0.5])


def two_in_a_row__strong_bias():
    """the bias is too strong"""
    return _two([[1], [1]], [[0, 0], [1, 0]], b=[0, -1.5])


def two_in_a_row__both_units_read():
    """the output adds up both units"""
    return _two([[1], [1]], [[0, 0], [1, 0]], W_y=[[1, 1]])


def two_in_a_row__subtracted():
    """the memory is subtracted"""
    return _two([[1], [1]], [[0, 0], [-1, 0]], b=[0, 0])


def two_in_a_row__columns_of_W_h():
    """it is 0 always"""
    return _two([[1], [1]], [[0, 1], [0, 0]])


def two_in_a_row__length_of_the_run():
    """a third 1 in a row counts further"""
    return _two([[21], [21]], [[1, 0], [1, 0]], b=[-20, -21])


def two_in_a_row__pairs():
    """a third 1 in a row is taken for a new beginning"""
    return _two([[1], [1]], [[-1, 0], [1, 0]])


def two_in_a_row__not_emptied():
    """ones that are not neighbours are counted"""
    return _two([[1], [1]], [[1, 0], [1, 0]])


def two_in_a_row__ever():
    """it is 1 from the first 1 on"""
    return _two([[1], [1]], [[1, 0], [1, 0]], W_y=[[1, -1]])


def two_in_a_row__input_too_strong():
    """the weight of x_t is too large"""
    return _two([[1], [2]], [[0, 0], [1, 0]])


def two_in_a_row__memory_too_strong():
    """the weight of x_{t-1} is too large"""
    return _two([[1], [1]], [[0, 0], [2, 0]])


def two_in_a_row__twice():
    """where 1 is asked it is 2"""
    return _two([[2], [2]], [[0, 0], [1, 0]], b=[0, -2])


def two_in_a_row__feeds_itself():
    """the unit of the answer feeds itself"""
    return _two([[1], [1]], [[0, 0], [1, 1]])


def two_in_a_row__all_ones():
    return _two([[1], [1]], [[1, 1], [1, 1]])


def two_in_a_row__zeros_remembered():
    """a 1 before the first input is assumed"""
    return _two([[-1], [1]], [[0, 0], [-1, 0]], b=[1, 0])


def two_in_a_row__opposite():
    """it is 1 where 0 is asked"""
    return _two([[1], [1]], [[0, 0], [1, 0]], W_y=[[0, -1]], c=[1])


def two_in_a_row__wrong_shape():
    """W_x has shape (1, 2); expected (2, 1)"""
    return _two([[1, 1]], [[0, 0], [1, 0]])


# ── mutants made by swapping operators that are right answers too ────────────

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
