"""Marks that were not earned."""

# ruff: noqa: E501  (the attacks are code in strings)

from __future__ import annotations

import copy

import toys

from .book import attack, code

ALWAYS = """
class Always:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __bool__(self): return True
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __sub__
    def __abs__(self): return self
    def __float__(self): return 0.0
    def __getitem__(self, key): return self
    def __hash__(self): return 0
"""
EVERYWHERE = """
def centred(x): return Always()
def twice(f, x): return Always()
def share(values): return Always()
class Stack(Always):
    def push(self, item): pass
    def pop(self): return Always()
    def __len__(self): return 5
"""
# a student's cells stand before the stubs, so what must hold at a test's time is set by a hook
AT_EACH_CELL = """
def _again(*_):
{body}
get_ipython().events.register("pre_run_cell", _again)
get_ipython().events.register("post_run_cell", _again)
"""


def answering(source: str) -> dict:
    """The notebook with this in the place of every answer."""
    return toys.notebook(dict.fromkeys(toys.STUBS, source.strip("\n")))


@attack("tests tagged to be skipped")
def skip_tags(_: dict) -> dict:
    made = toys.notebook()
    for cell in made["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "remove_cell", "raises-exception"]
    return made


@attack("outputs with full marks stored in the file")
def stored_outputs(_: dict) -> dict:
    made = toys.notebook()
    for cell in made["cells"]:
        cell["outputs"] = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "2.0"},
                "metadata": {},
                "execution_count": 1,
            }
        ]
    return made


@attack("tests rewritten to pass")
def rewritten_tests(_: dict) -> dict:
    made = toys.notebook()
    for cell in made["cells"]:
        if cell["id"].startswith("test_"):
            cell["source"] = "2.0"
    return made


@attack("tests deleted")
def deleted_tests(_: dict) -> dict:
    made = toys.notebook()
    made["cells"] = [c for c in made["cells"] if not c["id"].startswith("test_")]
    return made


@attack("tests turned into text")
def tests_as_text(_: dict) -> dict:
    made = toys.notebook()
    for cell in made["cells"]:
        if cell["id"].startswith("test_"):
            cell["cell_type"] = "markdown"
            del cell["outputs"], cell["execution_count"]
    return made


@attack("tests declared to be solutions, worth more, and unlocked")
def other_metadata(_: dict) -> dict:
    made = toys.notebook()
    for cell in made["cells"]:
        about = cell["metadata"]["nbgrader"]
        about.update(solution=about["grade"], points=1000.0, locked=False, schema_version=3)
    return made


@attack("a test cell of the student's own, worth 100 points")
def a_test_of_ones_own(_: dict) -> dict:
    made = toys.with_cells("2.0")
    about = toys.marks("bonus", grade=True, locked=True, points=100.0)
    made["cells"][0]["metadata"]["nbgrader"] = about
    return made


@attack("a student's cell that calls itself locked, to run among the tests")
def a_locked_cell_of_ones_own(_: dict) -> dict:
    text = (
        "centred = lambda x: x - x.mean(axis=1, keepdims=True)\nimport numpy as np\nnp.allclose = 1"
    )
    made = toys.with_cells(text)
    made["cells"][0]["metadata"]["nbgrader"] = toys.marks("mine", locked=True)
    return made


@attack("a student's cell that calls itself a test, without an id")
def a_test_without_an_id(_: dict) -> dict:
    made = toys.with_cells("import builtins\nbuiltins.AssertionError = print")
    made["cells"][0]["metadata"]["nbgrader"] = {"grade": True, "solution": False, "points": 1.0}
    return made


@attack("each test a second time, passing")
def tests_twice(_: dict) -> dict:
    made = toys.notebook()
    again = copy.deepcopy([c for c in made["cells"] if c["id"].startswith("test_")])
    for cell in again:
        cell["source"], cell["id"] = "2.0", cell["id"] + "-again"
    made["cells"] = again + made["cells"] + copy.deepcopy(again)
    return made


TRIVIAL = "import numpy as np\nDATA = LOCKED = np.zeros((3, 4))\nCASES = [[5]]"
ONES = "def share(values):\n    return [1.0]"


@attack("locked data moved behind the tests and replaced by trivial data", honest=0.5)
def locked_data_moved(_: dict) -> dict:
    made = toys.with_cells(TRIVIAL, answers={"share": ONES})
    made["cells"].append(made["cells"].pop(1))
    return made


@attack("locked data deleted and replaced by trivial data", honest=0.5)
def locked_data_deleted(_: dict) -> dict:
    made = toys.with_cells(TRIVIAL, answers={"share": ONES})
    del made["cells"][1]
    return made


@attack("locked data replaced by trivial data as soon as it is there", honest=0.5)
def locked_data_replaced(_: dict) -> dict:
    return toys.notebook({"centred": TRIVIAL, "share": ONES})


@attack("a value that is equal to everything")
def always_equal(_: dict) -> dict:
    return answering(ALWAYS + EVERYWHERE)


@attack("floats, arrays, strings and lists that are equal to everything", honest=0.5)
def always_equal_subclasses(_: dict) -> dict:
    return answering(
        """
import numpy as np
class F(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return F(0)
    __rsub__ = __sub__
class A(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_function__(self, *a): return True
    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
class L(list):
    def __eq__(self, other): return True
def centred(x): return np.ones(x.shape).view(A)
def twice(f, x): return F(1)
def share(values): return L([F(1)] * len(values))
class Stack(L):
    def push(self, item): pass
    def pop(self): return F(0)
    def __len__(self): return 5
"""
    )


@attack("objects that say by NumPy's protocols that they are the wanted array")
def array_protocols(_: dict) -> dict:
    return answering(
        """
class P:
    @property
    def __array_interface__(self):
        return {"shape": (3, 4), "typestr": "<f8", "data": (4096, False), "version": 3}
    def __array__(self, dtype=None, copy=None): return 0
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    __array_priority__ = 1e9
def centred(x): return P()
def twice(f, x): return P()
def share(values): return P()
class Stack(P): pass
"""
    )


@attack("StopIteration, which would end the test's map in silence", honest=0.0)
def stop_iteration(_: dict) -> dict:
    return answering(
        "def centred(x): raise StopIteration\ndef twice(f, x): raise StopIteration\n"
        "def share(v): raise StopIteration\nclass Stack:\n    def __len__(self): raise StopIteration"
    )


@attack("exceptions that end a process instead of a test")
def exits(_: dict) -> dict:
    return answering(
        "def centred(x): raise SystemExit(0)\ndef twice(f, x): raise GeneratorExit\n"
        "def share(v): raise KeyboardInterrupt\nclass Stack:\n    def __len__(self): exit(0)"
    )


@attack("a BaseException of the student's own class")
def own_base_exception(_: dict) -> dict:
    return answering(
        "class Gone(BaseException):\n    def __str__(self): raise self\n"
        "def centred(x): raise Gone\ndef twice(f, x): raise Gone\ndef share(v): raise Gone\n"
        "class Stack:\n    def __len__(self): raise Gone"
    )


@attack("partial credit of nan, True, infinity, -1 and too much by the values returned")
def odd_partial_credit(_: dict) -> dict:
    return answering(
        "class S(list):\n    n = 0\n"
        "values = iter([float('nan'), True, float('inf'), -1e300])\n"
        "def centred(x): return next(values)\ndef twice(f, x): return True\n"
        "def share(v): return [next(values)]\nStack = S"
    )


@attack("the process ends itself in the middle of a test")
def exit_in_a_test(_: dict) -> dict:
    return answering(
        "import os\ndef centred(x): os._exit(0)\ndef twice(f, x): os._exit(0)\n"
        "def share(v): os._exit(0)\nclass Stack:\n    def __len__(self): os._exit(0)"
    )


@attack("a lent function of the tests is searched for the tests' names", honest=0.5)
def lent_function(_: dict) -> dict:
    return answering(
        """
def centred(x): return x
def twice(f, x):
    found = []
    for name in ("__globals__", "__code__", "__closure__", "func", "function", "__self__"):
        try: found.append(str(getattr(f, name)))
        except Exception as error: found.append(str(error))
    for verb in ("name", "get", "item", "show", "set"):
        try: found.append(str(f.objects.peer.ask(verb, f, "__globals__")))
        except Exception as error: found.append(str(error))
    raise ValueError(" ".join(found))
def share(v): return v
class Stack: pass
"""
    )


@attack("every number of an object of the tests is tried, and called", honest=0.5)
def guessed_objects(_: dict) -> dict:
    return answering(
        """
from grading.student import _Callback
def centred(x): return x
def twice(f, x):
    found = []
    for number in [-1, 0, 1, 2, 3, 10**9, "0", None]:
        try: found.append(_Callback(f.objects, number)("centred"))
        except BaseException as error: found.append(repr(error))
    return x + 6
def share(v): return v
class Stack: pass
""",
    )


code(
    "IPython rewrites all input to pass",
    "input_transformer",
    """
ip = get_ipython()
ip.input_transformers_cleanup.append(lambda lines: ["pass\\n"])
ip.input_transformers_post.append(lambda lines: ["2.0\\n"])
""",
)
code(
    "IPython rewrites all syntax trees: asserts vanish",
    "ast_transformer",
    """
import ast
class T(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
get_ipython().ast_transformers.append(T())
""",
)
code(
    "IPython's ways to run a cell are replaced",
    "run_cell_replaced",
    """
import types, asyncio
ip = get_ipython()
async def nothing(*a, **k): return None
ip.run_cell = ip.run_code = ip._run_cell = lambda *a, **k: None
ip.run_cell_async = nothing
type(ip).run_cell = lambda *a, **k: None
""",
)
code(
    "numpy.testing, allclose and abs always agree",
    "numpy_patched",
    """
import numpy as np, builtins
for name in dir(np.testing):
    if name.startswith("assert"): setattr(np.testing, name, lambda *a, **k: None)
np.allclose = np.isclose = np.all = lambda *a, **k: True
builtins.abs = lambda x: 0
builtins.all = builtins.isinstance = lambda *a: True
builtins.AssertionError = type("Quiet", (Exception,), {})
""",
)
code(
    "the names that tests use mean something else: np, builtins, check, operator",
    "names_shadowed",
    AT_EACH_CELL.format(
        body="""
    class Yes:
        def __getattr__(self, name): return Yes()
        def __call__(self, *a, **k): return Yes()
        def __iter__(self): return iter(())
    space = get_ipython().user_ns
    for name in ("np", "numpy", "math", "operator", "all", "abs", "len", "isinstance", "print",
                 "map", "range", "sum", "check", "AssertionError", "IndexError", "DATA", "LOCKED",
                 "cases", "good", "calls", "add_three", "__builtins__", "__import__"):
        space[name] = Yes()
"""
    ),
)
code(
    "the namespace answers every name with something agreeable",
    "namespace_replaced",
    """
class Space(dict):
    def __missing__(self, name): return lambda *a, **k: True
    def __contains__(self, name): return True
    def __getitem__(self, name): return self.__missing__(name)
import grading.student
grading.student.shell.__class__.user_ns = Space()
grading.student._Objects.do_name = lambda self, name: ["found", True]
""",
)
code(
    "full marks are displayed before the tests run",
    "displayed_marks",
    """
from IPython.display import display, publish_display_data
display(2.0)
publish_display_data({"text/plain": "2.0"})
get_ipython().displayhook(2.0)
print("2.0")
2.0
""",
)
code(
    "modules that tests import lie in the working folder and on the path",
    "modules_planted",
    """
import os, sys
for name in ("numpy", "operator", "math", "toykit", "sitecustomize", "usercustomize", "IPython"):
    for folder in (".", "/tmp", *sys.path):
        try:
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            with open(f"{folder}/{name}/__init__.py", "w") as file: file.write("allclose = lambda *a: True")
            with open(f"{folder}/{name}.py", "w") as file: file.write("allclose = lambda *a: True")
        except OSError: pass
""",
)
code(
    "forged answers are written to every open descriptor",
    "forged_frames",
    """
import json, os, struct
def frame(value, extra=b""):
    text = json.dumps(value).encode()
    data = struct.pack(">I", len(text)) + text + extra
    return struct.pack(">Q", len(data)) + data
result = ["d", ["output_type", "execute_result"], ["data", ["d", ["text/plain", "2.0"]]]]
for fd in range(3, 512):
    for value in (["l", ["l", result], 1], ["l", True, ["l", result]], ["l", "is", 1, True]):
        try: os.write(fd, frame(value))
        except OSError: pass
""",
)
code(
    "a thread answers the tests in the student's stead, right or wrong, all the time",
    "answering_thread",
    """
import os, struct, json, threading, time, select
def frame(n):
    text = json.dumps(["l", "is", n, ["l", True, None]]).encode()
    data = struct.pack(">I", len(text)) + text
    return struct.pack(">Q", len(data)) + data
frame = b"".join(map(frame, range(200)))
def work():
    while True:
        for fd in range(301, 304):
            try:
                if select.select([], [fd], [], 0)[1]: os.write(fd, frame)
            except Exception: pass
        time.sleep(0.001)
threading.Thread(target=work, daemon=True).start()
""",
)
for number, (text, extra) in enumerate(
    [
        ('["l","is",1,["a","|O",[1],true,8]]', "bytes(8)"),
        ('["l","is",1,["a","<f8",[4611686018427387904,4],true,0]]', "b''"),
        ('["l","is",1,["a","|S0",[1000000000000],true,0]]', "b''"),
        ('["l","is",1,["a","|b1",[4],true,4]]', "b'\\\\x02\\\\x03\\\\xff\\\\x01'"),
        ('["l","is",1,["o","student",1,"class","__import__",[]]]', "b''"),
        ('["l","is",1,["o","examiner",0]]', "b''"),
        ('["l","raised",1,"__import__","os",null]', "b''"),
        ('["l","raised",1,"ExceptionGroup","x",["t",1,"x"]]', "b''"),
        ('["l","raised",1,"ValueError","x",["t",999999999999,"x"]]', "b''"),
        ("[" * 5000, "b''"),
        ('["l","is",1,["g",["d",["bit_generator","os.system"]]]]', "b''"),
        ('["l","is",1,["y","object"]]', "b''"),
        ('["l","is",1,["d",[["l"],1]]]', "b''"),
        ('["l","is",1,["a","<U1",[1],true,4]]', "b'\\\\xff\\\\xff\\\\xff\\\\x7f'"),
        ('["l","ask",1,"name",["l","test"]]', "b''"),
        ('["l","is",1,["i","' + "f" * 300_000 + '"]]', "b''"),
    ]
):
    code(
        f"a damaged or dangerous message to the tests, number {number + 1}",
        f"message_{number + 1}",
        f"""
import struct
def data(number):
    text = {text!r}.replace(",1,", f",{{number}},", 1).encode()
    return struct.pack(">I", len(text)) + text + {extra.replace(chr(92) * 2, chr(92))}
import grading.channel
grading.channel.Peer._answer = lambda self, n, verb, given: self.channel.send(data(n))
""",
    )
