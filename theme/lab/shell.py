"""What runs the cells of an exercise in the browser, as a notebook's kernel would.

One namespace for all, the value of a last line shown, output as it comes, figures as pictures,
and a limit of time: an endless loop of Python's is ended at its next turn.
"""

import ast
import base64
import io
import linecache
import sys
import time
import traceback

import __main__

LONGEST = 20_000  # characters that a cell may print


class TimeUp(BaseException):  # no `except Exception` catches it
    pass


deadline = float("inf")
expired = False
turns = 0  # until the clock is read again, which costs more than a turn
read = 0.0


def turn(code, *_):
    """Called at each jump back. Once time is up, each loop of a cell is ended, also one that
    goes on after an exception. Loops of libraries may finish what a `finally` asks of them."""
    global expired, turns, read
    turns -= 1
    if turns > 0:
        return
    now = time.perf_counter()
    turns, read = (200 if now - read < 0.01 else 0), now
    if now > deadline and (
        not expired or code.co_filename.startswith("<cell ") or now > deadline + 2
    ):
        expired = True
        raise TimeUp


sys.monitoring.use_tool_id(sys.monitoring.DEBUGGER_ID, "unrolled")
sys.monitoring.register_callback(sys.monitoring.DEBUGGER_ID, sys.monitoring.events.JUMP, turn)
sys.monitoring.set_events(sys.monitoring.DEBUGGER_ID, sys.monitoring.events.JUMP)


class Output(io.TextIOBase):
    """Text on its way to the page, several writes at a time."""

    def __init__(self):
        self.send = None
        self.begin(None)

    def begin(self, send):
        self.send, self.waiting, self.sent, self.last = send, [], 0, time.perf_counter()

    def writable(self):
        return True

    def write(self, text):
        if self.sent <= LONGEST:
            self.waiting.append(text[: LONGEST - self.sent])
            self.sent += len(text)
            if self.sent > LONGEST:
                self.waiting.append(f"\n… more than {LONGEST} characters; the rest is not shown.\n")
            if time.perf_counter() - self.last > 0.2:
                self.flush()
        return len(text)

    def flush(self):
        if self.waiting and self.send:
            self.send("text", "".join(self.waiting))
        self.waiting, self.last = [], time.perf_counter()


output = Output()
sys.stdout = sys.stderr = output


def figures(*_args, **_kwargs):
    """Send all open figures to the page and close them, as a notebook does."""
    plt = sys.modules.get("matplotlib.pyplot")
    for number in plt.get_fignums() if plt else []:
        picture = io.BytesIO()
        plt.figure(number).savefig(picture, format="png", dpi=144, bbox_inches="tight")
        plt.close(number)
        output.flush()
        output.send("picture", base64.b64encode(picture.getvalue()).decode())


def prepare_figures():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.show = figures


def run(name, source, seconds, send):
    """Run a cell; a sentence on what went wrong, empty if nothing did."""
    global deadline, expired
    file = f"<cell {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    output.begin(send)
    scope = vars(__main__)
    try:
        tree = ast.parse(source, file)
        shown = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        deadline, expired = time.perf_counter() + seconds, False
        exec(compile(tree, file, "exec"), scope)
        if shown is not None:
            value = eval(compile(ast.Expression(shown.value), file, "eval"), scope)
            if value is not None:
                print(repr(value))
        deadline = float("inf")
        figures()
    except TimeUp:
        deadline = float("inf")
        return "time"
    except BaseException as error:
        deadline = float("inf")
        return told(error)
    finally:
        output.flush()
    return ""


def told(error):
    """The sentences of a failed test; of another error what Python says, without our lines."""
    if hasattr(error, "_render_traceback_"):
        return "\n".join(error._render_traceback_())
    story = traceback.TracebackException.from_exception(error)
    chain = story
    while chain:
        frames = [frame for frame in chain.stack if frame.filename.startswith("<cell ")]
        chain.stack = traceback.StackSummary.from_list(frames)
        chain = chain.__cause__ or chain.__context__
    return "".join(story.format()).strip()
