"""What a student's code must not see: tests, answers, others' work, the machine."""

# ruff: noqa: E501  (the attacks are code in strings)

from __future__ import annotations

from .book import attack, code
from .forging import answering

SHOW = """
def show(*paths):
    for path in paths:
        try:
            with open(path, "rb") as file: print(path, file.read(100_000))
        except BaseException as error: print(path, error)
"""

code("the gradebook", "read_gradebook", SHOW + 'show("{{home}}/gradebook.db")')
code(
    "the instructor's notebook with its hidden tests",
    "read_source",
    SHOW + 'show("{{home}}/source/toy/toy.ipynb")\n!cat {{home}}/source/toy/toy.ipynb',
)
code(
    "another student's submission",
    "read_other",
    SHOW + 'show("{{home}}/submitted/victim/toy/toy.ipynb")',
)
code(
    "the machine's users and the grader's keys",
    "read_machine",
    SHOW + 'show("/etc/shadow", "/etc/passwd", "/etc/hostname", '
    '"/root" "/.bashrc", "/root" "/.ssh/id_rsa", '
    '"/proc/1/environ", "/proc/self/environ", "/proc/self/maps", "/proc/cmdline", "/sys/kernel/notes")',
)
code(
    "the grader's environment",
    "read_environment",
    SHOW
    + """
import os, ctypes
print(dict(os.environ))
for pid in [*range(1, 50), os.getppid(), {{pid}}]: show(f"/proc/{pid}/environ", f"/proc/{pid}/mem")
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
print(libc.getenv(b"GRADER_SECRET"))
""",
)
code(
    "every file that can be reached, searched for the canaries",
    "walk_everything",
    """
import os, sys, time
end = time.time() + 1.2
for top in ("/tmp", "/dev", "/grading", "/etc", "/proc", "/home", "/root", "/var", "/"):
    for folder, _, names in os.walk(top):
        if time.time() > end or folder.startswith(("/usr", sys.base_prefix)): break
        for name in names:
            try:
                with open(os.path.join(folder, name), "rb") as file: data = file.read(2**20)
                for word in (b"CAN" b"ARY", b"HIDDEN" b"-TEST", b"ANSWER" b"-KEY"):
                    at = data.find(word)
                    if at >= 0: print(folder, name, data[at : at + 30])
            except OSError: pass
""",
)
code(
    "what earlier submissions left: files, shared memory, queues, keys, sockets",
    "read_leftovers",
    """
import os, ctypes, socket, glob
print(glob.glob("/tmp/**", recursive=True), os.listdir("/dev/shm"), os.listdir("."))
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
at = libc.shmget(0x7A11, 4096, 0)
print("segment", at, ctypes.string_at(libc.shmat(at, None, 0)) if at >= 0 else "")
print("key", libc.syscall(249, b"user", b"victim", None, -4), libc.syscall(250, 10, b"user", b"victim"))
try:
    s = socket.socket(socket.AF_UNIX); s.connect("\\0victim"); print("socket", s.recv(100))
except OSError as error: print(error)
""",
)
code(
    "the answers in the package: source, byte code, memory",
    "read_answers",
    SHOW
    + """
import gc, inspect, sys, toykit, toykit.answers, glob, linecache
show(toykit.answers.__file__, *glob.glob("/grading/**", recursive=True), *toykit.__path__)
for thing in (toykit.centred, toykit.answers):
    try: print(inspect.getsource(thing))
    except Exception as error: print(error)
print(toykit.centred.__code__.co_consts, toykit.answers.__doc__)
print([t for t in gc.get_objects() if isinstance(t, str) and "ANSWER" "-KEY" in t])
""",
)


@attack("the package's answer as one's own")
def call_the_answer(_: dict) -> dict:
    return answering(
        "import toykit, toykit.answers\ncentred = toykit.centred\nStack = twice = share = 0"
    )


code(
    "the hidden tests in memory, in frames, in what is on the wire",
    "read_tests_in_memory",
    """
import gc, sys, os, linecache
word = "HIDDEN" "-TEST"
def look(where):
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for v in list(thing.values()):
                if isinstance(v, str) and word in v: print(where, v)
look("cell")
frame = sys._getframe()
while frame: print(frame.f_code.co_name); frame = frame.f_back
print([k for k in linecache.cache if "test" in k])
for fd in range(3, 400):
    try: print(fd, os.read(fd, 0), os.readlink(f"/proc/self/fd/{fd}"))
    except OSError: pass
def centred(x):
    look("call")
    print(word in str(x))
    return x
""",
)
code(
    "a server on the grader's loopback interface",
    "loopback",
    """
import socket, urllib.request
for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "{{address}}"):
    try: print(socket.create_connection((host, {{port}}), 1).recv(100))
    except OSError as error: print(host, error)
try: print(urllib.request.urlopen("http://127.0.0.1:{{port}}/", timeout=1).read())
except OSError as error: print(error)
""",
)
code(
    "the internet, by name, by address, by datagram",
    "internet",
    """
import socket
try: socket.getaddrinfo("example.org", 80); print("REACHED names")
except OSError as error: print(error)
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        s = socket.socket(socket.AF_INET, kind); s.settimeout(0.5)
        s.connect(("192.0.2.1", 53)); s.send(b"x"); print("REACHED", kind)
    except OSError as error: print(error)
""",
)
code(
    "the machine's host by vsock, the kernel by netlink, raw packets",
    "other_sockets",
    """
import socket
for family in range(0, 46):
    if family in (1, 2, 10): continue
    for kind in (1, 2, 3, 5):
        try: socket.socket(family, kind); print("REACHED family", family, kind)
        except OSError: pass
for family in (2, 10):
    try: socket.socket(family, socket.SOCK_RAW, 1); print("REACHED raw")
    except OSError: pass
""",
)
code(
    "the memory of the warm process and of the tests",
    "read_processes",
    """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
for pid in (1, 2, os.getppid(), {{pid}}):
    print(pid, libc.ptrace(16, pid, None, None), libc.ptrace(0x4206, pid, None, None))
    buffer = ctypes.create_string_buffer(64)
    iov = struct.pack("PN", ctypes.addressof(buffer), 64)
    print("REACHED" if libc.process_vm_readv(pid, iov, 1, struct.pack("PN", 0x400000, 64), 1, 0) > 0 else "no")
    fd = libc.syscall(434, pid, 0)
    for n in range(8):
        if fd >= 0 and libc.syscall(438, fd, n, 0) >= 0: print("REACHED descriptor", pid, n)
""",
)
code(
    "sockets of the machine's services",
    "unix_sockets",
    """
import socket
for path in ("/run/dbus/system_bus_socket", "/var/run/docker.sock", "/run/systemd/private",
             "/tmp/.X11-unix/X0", "{{home}}/socket", "\\0canary"):
    try:
        s = socket.socket(socket.AF_UNIX); s.settimeout(0.5); s.connect(path); print("REACHED", path)
    except OSError as error: print(path, error)
""",
)
