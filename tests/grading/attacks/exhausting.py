"""Time, memory, processes, disk, output: as much as there is."""

# ruff: noqa: E501  (the attacks are code in strings)

from __future__ import annotations

import toys

from grading.classroom.workers import TRIES

from .book import attack, code
from .forging import answering

code("an endless loop", "endless", "while True: pass", limit="time clock")
code(
    "an endless loop that will not be interrupted",
    "endless_deaf",
    """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        while True: pass
    except BaseException: pass
""",
    limit="time clock",
)


@attack("an endless loop inside a test", limit="time clock")
def endless_in_a_test(_: dict) -> dict:
    return answering(
        "def centred(x):\n    while True: pass\ndef twice(f, x): return 0\n"
        "def share(v): return [0]\nclass Stack: pass"
    )


@attack("endless calls of a test's function")
def endless_callbacks(_: dict) -> dict:
    return answering(
        "def centred(x): return 0\ndef twice(f, x):\n    while True: f(x)\n"
        "def share(v): return [0]\nclass Stack: pass"
    )


@attack("a function of the test and the student's call each other for ever")
def mutual_recursion(_: dict) -> dict:
    return answering(
        "def centred(x): return 0\ndef twice(f, x): return f(lambda: twice(f, x))\n"
        "def share(v): return [0]\nclass Stack: pass"
    )


@attack("a result of a gigabyte")
def giant_result(_: dict) -> dict:
    return answering(
        "import numpy as np\ndef centred(x): return np.zeros((2**27,), np.int8)\n"
        "def twice(f, x): return 'x' * 2**27\ndef share(v): return list(range(10**6)) * 3\n"
        "class Stack: pass"
    )


@attack("results that hold themselves, or are nested a thousand deep")
def knotted_results(_: dict) -> dict:
    return answering(
        "knot = []\nknot.append(knot)\ndef centred(x): return knot\n"
        "def twice(f, x):\n    deep = []\n    for _ in range(1000): deep = [deep]\n    return deep\n"
        "def share(v): return {1: knot}\nclass Stack: pass"
    )


@attack("an iterator and a length without end")
def endless_iteration(_: dict) -> dict:
    return answering(
        "class Stack:\n    def __len__(self): return 2**62\n    def __getitem__(self, k): return k\n"
        "    def __iter__(self):\n        while True: yield 1\n"
        "def centred(x): return Stack()\ndef twice(f, x): return Stack()\n"
        "def share(v): return Stack()"
    )


code("memory without end", "memory", "hold = []\nwhile True: hold.append(bytearray(2**24))")
code(
    "memory without end, in many processes",
    "memory_of_children",
    """
import os, time
for k in range(8):
    if os.fork() == 0:
        hold = []
        try:
            while True: hold.append(b"x" * 2**22)
        except MemoryError: time.sleep(60)
time.sleep(1.5)
""",
    limit="memory",
)
code(
    "shared memory and files in memory",
    "memory_files",
    """
import os, mmap
hold = []
try:
    for k in range(200):
        fd = os.memfd_create(f"m{k}"); os.write(fd, bytes(2**24)); hold.append(fd)
    print("REACHED memory without limit")
except OSError as error: print(error)
import ctypes
libc = ctypes.CDLL(None)
if libc.shmget(0, 2**24, 0o1600) >= 0: print("REACHED segments without limit")
try:
    with open("/dev/shm/x", "wb") as file:
        while True: file.write(bytes(2**24))
except OSError as error: print(error)
""",
)
code(
    "a fork bomb",
    "fork_bomb",
    "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    limit="processes",
)
code(
    "a bomb of threads",
    "thread_bomb",
    "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
)
code(
    "processes that outlive the notebook",
    "orphans",
    """
import os, subprocess, time
for k in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: time.sleep(600)
        os._exit(0)
subprocess.Popen(["sleep", "600"], start_new_session=True)
""",
)
code(
    "a full disk",
    "disk",
    """
import os
try:
    for k in range(10_000):
        with open(f"f{k}", "wb") as file: file.write(bytes(2**22))
except OSError as error: print(error)
""",
)
code(
    "files without number, folders without depth",
    "inodes",
    """
import os
try:
    for k in range(100_000): open(f"f{k}", "w").close()
except OSError as error: print(error)
try:
    for k in range(100_000): os.mkdir("d"); os.chdir("d")
except OSError as error: print(error)
""",
)
code("output without end", "output", "while True: print('x' * 1000)")
code("one line of 100 MB", "long_line", "print('x' * 10**8)", limit="output")
code(
    "errors, pictures and tables without end",
    "many_outputs",
    """
from IPython.display import display, Image
for k in range(100_000): display({"text/plain": "x" * 100}, raw=True)
raise ValueError("x" * 10**8)
""",
)
code(
    "a message to the grader that says it is an exabyte",
    "giant_frame",
    """
import os, struct
for fd in range(3, 400):
    try: os.write(fd, struct.pack(">Q", 2**60))
    except OSError: pass
""",
)
code(
    "a message to the grader that never ends",
    "slow_frame",
    """
import os, struct, time
for fd in range(3, 400):
    try: os.write(fd, struct.pack(">Q", 1000) + b"x")
    except OSError: pass
time.sleep(600)
""",
    limit="time clock",
)
code(
    "ten million outputs of nothing in one message",
    "deep_message",
    """
import grading.channel, struct
text = b'["l",["l"' + b',["d"]' * 500_000 + b"],1]"
data = struct.pack(">I", len(text)) + text
grading.channel.Channel.send = lambda self, _: self.sock.sendall(struct.pack(">Q", len(data)) + data)
""",
)
code("descriptors without end", "descriptors", "import os\nwhile True: os.dup(0)")
code(
    "recursion without end",
    "recursion",
    "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
)
code(
    "a crash of the interpreter",
    "crash",
    "import ctypes\nctypes.string_at(0)",
    says="marked without",
    wasted=1,
)
code(
    "an order to abort",
    "abort",
    "import os\nos.abort()",
    says="marked without",
    wasted=1,
)
code(
    "the first thread leaves, another one stays and keeps silent",
    "headless",
    """
import ctypes, os, threading, time
def stay():
    time.sleep(0.2)
    os.closerange(3, 400)
    while True: time.sleep(1)
threading.Thread(target=stay).start()
ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)
""",
    says="ended its own process",
)
code(
    "interrupts, alarms and orders to end, to itself",
    "signals_to_oneself",
    """
import os, signal, threading
for number in range(1, 65):
    if number in (signal.SIGSTOP, signal.SIGSEGV): continue
    try: signal.signal(number, signal.SIG_DFL)
    except (OSError, ValueError): pass
    try: os.kill(os.getpid(), number); signal.pthread_kill(threading.get_ident(), number)
    except (OSError, ValueError): pass
signal.setitimer(signal.ITIMER_REAL, 0.01)
for _ in range(10**6): pass
""",
)


@attack("a crash in every function and every cell", says="marked without", wasted=1)
def crashes(_: dict) -> dict:
    crash = "import ctypes; ctypes.string_at(0)"
    made = answering(
        f"def centred(x): {crash}\ndef twice(f, x): {crash}\ndef share(v): {crash}\n"
        f"class Stack:\n    def __len__(self): {crash}"
    )
    made["cells"].append(toys.with_cells(last=crash)["cells"][-1])
    return made


@attack("a crash now and then", wasted=TRIES)
def crashes_at_random(_: dict) -> dict:
    return answering(
        "import os\ndef crash():\n    if os.urandom(1)[0] < 40:\n        import ctypes\n"
        "        ctypes.string_at(0)\n    return [0]\n"
        "def centred(x): return crash()\ndef twice(f, x): return crash()\n"
        "def share(v): return crash()\nclass Stack:\n    def __len__(self): return crash()"
    )


code(
    "the process stops itself",
    "stop_oneself",
    "import os, signal, subprocess\nsubprocess.Popen(['sh', '-c', 'kill -STOP $PPID; sleep 60'])\n"
    "os.kill(os.getpid(), signal.SIGSTOP)\nimport time\nwhile True: time.sleep(1)",
    limit="time clock",
)
code(
    "behind all others in the queue for the processor",
    "giving_way",
    "import os\n"
    "for how in (lambda: os.nice(19), lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),\n"
    "            lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))):\n"
    "    try: print('REACHED', how())\n"
    "    except PermissionError: pass",
)
code(
    "sleeping for ever",
    "asleep",
    "import time\nwhile True:\n    try: time.sleep(1000)\n    except BaseException: pass",
    limit="time clock",
)
code(
    "a thread that holds the interpreter for ever",
    "holding_the_lock",
    "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
    limit="time clock",
)
code(
    "a parser bomb in a cell",
    "parser_bomb",
    "(" * 5000 + ")" * 5000 + "\n",
)
