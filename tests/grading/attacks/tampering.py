"""What a student's code must not change."""

# ruff: noqa: E501  (the attacks are code in strings)

from __future__ import annotations

from .book import code

code(
    "everybody's marks, by SQL",
    "sql_on_gradebook",
    """
import sqlite3
for path in ("{{home}}/gradebook.db", "/gradebook.db", "../gradebook.db", "../../gradebook.db"):
    try:
        book = sqlite3.connect(path); book.execute("update grade set auto_score = 100"); book.commit()
    except Exception as error: print(error)
""",
)
code(
    "the instructor's and others' files, overwritten, deleted, linked",
    "overwrite_files",
    """
import os, shutil
for path in ("{{home}}/source/toy/toy.ipynb", "{{home}}/submitted/victim/toy/toy.ipynb", "{{home}}/gradebook.db"):
    for act in (lambda: open(path, "w").write("x"), lambda: os.unlink(path), lambda: os.chmod(path, 0o777),
                lambda: os.makedirs(os.path.dirname(path)), lambda: os.symlink("/etc", path),
                lambda: shutil.rmtree("{{home}}"), lambda: os.utime(path)):
        try: act()
        except OSError as error: print(error)
""",
)
code(
    "Python's own files and the packages",
    "overwrite_python",
    """
import os, sys, json, numpy, IPython, grading.channel
for path in (os.__file__, numpy.__file__, IPython.__file__, grading.channel.__file__, sys.executable,
             os.path.dirname(numpy.__file__) + "/sitecustomize.py", "/usr/bin/env", "/etc/ld.so.preload"):
    for mode in ("a", "w"):
        try:
            with open(path, mode) as file: file.write("\\nraise SystemExit")
            print("REACHED", path)
        except OSError as error: pass
""",
)
code(
    "traps left for the next submission in every writable place",
    "leave_traps",
    """
import os, ctypes
for folder, _, _ in [*os.walk("/tmp"), *os.walk("/dev"), *os.walk("/grading"), ("/", 0, 0), ("/var", 0, 0)]:
    for name in ("sitecustomize.py", "numpy.py", "toykit.py", "trap"):
        try:
            with open(f"{folder}/{name}", "w") as file: file.write("raise SystemExit")
        except OSError: pass
libc = ctypes.CDLL(None)
print(libc.shmget(0x7A11, 4096, 0o1600), libc.msgget(0x7A11, 0o1600))
""",
)
code(
    "the warm process is signalled, slowed, stopped, starved of resources",
    "disturb_the_warm_process",
    """
import os, resource, signal
for pid in (1, 0, -1, 2, os.getppid(), {{pid}}):
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        if pid in (0, -1, 1) and number == signal.SIGSTOP: continue
        try: os.kill(pid, number)
        except BaseException as error: pass
for which in range(16):
    for pid in (2, {{pid}}):
        try: resource.prlimit(pid, which, (0, 0)); print("REACHED limits")
        except (OSError, ValueError): pass
try: os.setpriority(os.PRIO_USER, 65534, 19)
except OSError: pass
""",
)
code(
    "a signal to every process that can be signalled",
    "kill_all",
    """
import os
for pid in (-1, 0, 1, os.getppid(), {{pid}}, -{{pid}}):
    try: os.kill(pid, 9)
    except BaseException as error: print(error)
for group in (0, 1, 2, {{pid}}):
    try: os.killpg(group, 9)
    except BaseException as error: print(error)
""",
)
code(
    "orders to the warm process by every open descriptor, and by those of its parents",
    "orders",
    """
import os, socket, array
for fd in range(3, 1024):
    for order in (b'{"end": true}', b'{"fork": {"seed": 1}}', b'{"interrupt": true}'):
        try: os.write(fd, order)
        except OSError: pass
""",
)
code(
    "hooks that run in the parent at the fork",
    "fork_hooks",
    """
import os, atexit, sys, threading
os.register_at_fork(before=lambda: os._exit(1), after_in_parent=lambda: os._exit(1))
atexit.register(lambda: open("/tmp/trap", "w").write("x"))
sys.setswitchinterval(1000)
threading.setprofile(lambda *a: os._exit(1))
""",
)
code(
    "output that pretends to be feedback, with script, control and half characters",
    "strange_output",
    r"""
from IPython.display import display, HTML, Javascript
display(HTML("<script>alert(1)</script>"), Javascript("alert(1)"))
print("\x00\x1b[2J\ud800\udfff\u202e", "</script><script>alert(1)</script>")
def centred(x): raise ValueError("\x00\ud800 </script>")
raise ValueError("\x00\ud800")
""",
)
code(
    "the clock, the host's name, the limits of the machine",
    "machine_settings",
    """
import ctypes, time, socket, os
libc = ctypes.CDLL(None, use_errno=True)
try: time.clock_settime(time.CLOCK_REALTIME, 0); print("REACHED clock")
except OSError: pass
try: socket.sethostname("mine"); print("REACHED host name")
except OSError: pass
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/power/state", "/proc/self/oom_score_adj"):
    try: open(path, "w").write("x"); print("REACHED", path)
    except OSError: pass
""",
)
