"""Recurrent neural networks in NumPy, written to be read.

    h_t = f(W_x x_t + W_h h_{t-1} + b)        y_t = W_y h_t + c

A legend of letters holds everywhere::

    T time    B batch    I input    H hidden    K classes or outputs
    G gates   D directions          L layers

Read the package from the bottom up: `activations` and `cells` hold one time
step, beside the formula; `bptt` repeats it over time and walks back; `kernels`
does the same fast; `recurrent` gives it torch's arguments and names.
"""

from . import plot
from .activations import (
    log_softmax,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softmax,
    tanh,
    tanh_grad,
)
from .attention import AdditiveAttention, DotAttention
from .bptt import unroll, unroll_backward
from .cells import (
    GRUCell,
    LSTMCell,
    RNNCell,
    gru_reset_before,
    gru_step,
    gru_step_backward,
    lstm_step,
    lstm_step_backward,
    rnn_step,
    rnn_step_backward,
)
from .checkpoints import load, save
from .ctc import ctc_loss
from .decoding import (
    Hypothesis,
    beam_search,
    ctc_best_path,
    ctc_collapse,
    ctc_prefix_beam,
    draw,
    greedy,
    sample,
)
from .gradcheck import check_gradients, numerical_gradient
from .initializers import glorot_uniform, identity, orthogonal, uniform
from .layers import AvgPool2d, Conv2d, Dropout, Embedding, Linear, MaxPool2d
from .losses import bernoulli_nll, cross_entropy, mse, quantile_loss
from .metrics import bits, coverage, mase, perplexity
from .module import Module, ModuleList, Parameter, Sequential
from .optim import SGD, Adam, AdamW, RMSprop, clip_grad_norm, clip_grad_value
from .recurrent import GRU, LSTM, RNN
from .scan import MinGRU, MinLSTM, scan, scan_backward, scan_loop
from .schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from .seq2seq import Decoder, Encoder, Seq2Seq, teacher_forcing
from .training import Batches, Buckets, EarlyStopping, Fresh, Pieces, fit, sliding_windows
from .trials import Trials, model_card, paired_interval, verdict

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Adam",
    "AdamW",
    "AdditiveAttention",
    "AvgPool2d",
    "Batches",
    "Buckets",
    "Conv2d",
    "CosineAnnealingLR",
    "Decoder",
    "DotAttention",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Encoder",
    "ExponentialLR",
    "Fresh",
    "GRUCell",
    "Hypothesis",
    "LSTMCell",
    "Linear",
    "LinearLR",
    "MaxPool2d",
    "MinGRU",
    "MinLSTM",
    "Module",
    "ModuleList",
    "Parameter",
    "Pieces",
    "RMSprop",
    "RNNCell",
    "ReduceLROnPlateau",
    "Seq2Seq",
    "Sequential",
    "SequentialLR",
    "StepLR",
    "Trials",
    "beam_search",
    "bernoulli_nll",
    "bits",
    "check_gradients",
    "clip_grad_norm",
    "clip_grad_value",
    "coverage",
    "cross_entropy",
    "ctc_best_path",
    "ctc_collapse",
    "ctc_loss",
    "ctc_prefix_beam",
    "draw",
    "fit",
    "glorot_uniform",
    "greedy",
    "gru_reset_before",
    "gru_step",
    "gru_step_backward",
    "identity",
    "load",
    "log_softmax",
    "lstm_step",
    "lstm_step_backward",
    "mase",
    "model_card",
    "mse",
    "numerical_gradient",
    "orthogonal",
    "paired_interval",
    "perplexity",
    "plot",
    "quantile_loss",
    "relu",
    "relu_grad",
    "rnn_step",
    "rnn_step_backward",
    "sample",
    "save",
    "scan",
    "scan_backward",
    "scan_loop",
    "sigmoid",
    "sigmoid_grad",
    "sliding_windows",
    "softmax",
    "tanh",
    "tanh_grad",
    "teacher_forcing",
    "uniform",
    "unroll",
    "unroll_backward",
    "verdict",
]
