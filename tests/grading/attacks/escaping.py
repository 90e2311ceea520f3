"""Ways out of the box that depend on the kernel."""

# ruff: noqa: E501  (the attacks are code in strings)

from __future__ import annotations

from .book import code

CALLS = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
def reached(name, result):
    if result >= 0: print("REACHED", name, result)
"""

code(
    "namespaces of its own, in which it would be root",
    "namespaces",
    CALLS
    + """
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000, 0x80):
    reached(f"unshare {flag:x}", libc.unshare(flag))
    if flag == 0x80: continue  # for clone this is part of a signal's number
    result = libc.syscall(56, flag | 17, 0, 0, 0, 0)
    if result == 0: os._exit(0)
    reached(f"clone {flag:x}", result)
""",
)
code(
    "mounts: what lies under an empty folder, the host's disks",
    "mounts",
    CALLS
    + """
for target in (b"/proc", b"/tmp", b"/dev/shm", b"/"):
    reached("umount", libc.umount2(target, 2))
    reached("mount", libc.mount(b"proc", target, b"proc", 0, None))
    reached("bind", libc.mount(b"/", target, None, 4096, None))
    reached("remount", libc.mount(None, target, None, 32, None))
    reached("fsopen", libc.syscall(430, b"proc", 0))
    reached("open_tree", libc.syscall(428, -100, target, 1))
""",
)
code(
    "chroot and pivot_root",
    "other_roots",
    CALLS
    + """
os.makedirs("/tmp/r", exist_ok=True)
reached("chroot", libc.chroot(b"/tmp/r")); reached("pivot_root", libc.syscall(155, b"/tmp/r", b"/tmp/r"))
reached("setns", libc.setns(0, 0))
""",
)
code(
    "privileges: users, groups, capabilities, set-user-id programs",
    "privileges",
    CALLS
    + """
import subprocess
for name in ("setuid", "setgid", "setfsuid"):
    if name != "setfsuid": reached(name, getattr(libc, name)(0))
reached("setgroups", libc.setgroups(1, (ctypes.c_int * 1)(0)))
reached("dumpable caps", libc.prctl(47, 2, 21, 0, 0))
if os.getuid() == 0: print("REACHED root")
for program in ("su", "sudo", "mount", "bwrap --unshare-user true", "setpriv --reuid 0 id", "unshare -Ur id"):
    done = subprocess.run(program + " </dev/null", shell=True, capture_output=True, text=True)
    if done.returncode == 0 and program != "mount": print("REACHED", program, done.stdout)
print(libc.prctl(39, 0, 0, 0, 0), "no_new_privs")
if libc.prctl(39, 0, 0, 0, 0) != 1: print("REACHED new privileges")
""",
)
code(
    "kernel interfaces that have had holes",
    "kernel_interfaces",
    CALLS
    + """
for name, number in {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
                     "add_key": 248, "keyctl": 250, "request_key": 249, "open_by_handle_at": 304,
                     "fanotify_init": 300, "personality": 135, "kcmp": 312, "swapon": 167,
                     "quotactl": 179, "acct": 163, "ptrace": 101, "init_module": 175,
                     "kexec_load": 246, "reboot": 169, "iopl": 172, "syslog": 103}.items():
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0)
    if result >= 0 or ctypes.get_errno() not in (1, 38): print("REACHED", name, result, ctypes.get_errno())
""",
)
code(
    "system calls by the 32-bit and x32 doors",
    "other_doors",
    CALLS
    + """
import mmap
if os.fork() == 0:
    libc.syscall(0x40000000 + 272, 0x10000000); print("REACHED x32"); os._exit(3)
print(os.wait())
page = mmap.mmap(-1, 4096, prot=7)
# mov eax, 310 (unshare on i386); mov ebx, 0x10000000; int 0x80; ret
page.write(bytes.fromhex("b836010000bb00000010cd80c3"))
if os.fork() == 0:
    result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(7 if result >= 0 else 0)
if os.wait()[1] == 7 << 8: print("REACHED 32-bit")
""",
)
code(
    "devices: memory, disks, terminals, virtual machines",
    "devices",
    CALLS
    + """
import fcntl, glob, stat
for path in ("/dev/mem", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/tty", "/dev/console", "/dev/ptmx", "/dev/fuse"):
    try: os.open(path, os.O_RDWR); print("REACHED", path)
    except OSError: pass
for mode in (stat.S_IFBLK, stat.S_IFCHR):
    try: os.mknod("/tmp/device", mode | 0o666, os.makedev(8, 0)); print("REACHED mknod")
    except OSError: pass
for fd in (0, 1, 2):
    try: fcntl.ioctl(fd, 0x5412, b"x"); print("REACHED terminal")
    except OSError: pass
""",
)
code(
    "directories above the root by open descriptors and links",
    "descriptors_above",
    CALLS
    + """
for fd in range(3, 400):
    try:
        os.fchdir(fd); print("REACHED folder", fd, os.listdir("."))
    except OSError: pass
try: os.symlink("/proc/1/root", "/tmp/root"); print("REACHED", os.listdir("/tmp/root"))
except OSError: pass
try: os.link("/etc/passwd", "/tmp/passwd"); print("REACHED link")
except OSError: pass
os.chdir("/" + "../" * 50); print(os.listdir("."))
""",
)
