"""What a process inside the box does to itself before it runs a submission.

`box` makes the box; many submissions use it, one after the other. So that none finds
anything of another, each gets a process namespace, a mount namespace with empty
writable folders, and message queues and shared memory of its own; then the process
gives up every privilege and most system calls.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import resource
import struct
from collections.abc import Mapping

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x20000, 0x8000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 22, 38, 47
CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER, CAPABILITY_VERSION_3 = 4, 2, 0x20080522

# System calls that computing does not need, by number on (x86_64, aarch64): those that make
# namespaces or mounts, that look into other processes, that reach what outlives a submission
# (keys) or is in no process's memory (memfd, segments) or has had holes (bpf, io_uring, …), or
# that give its turn to others, since the clock stands still while a process waits for its turn.
REFUSED = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "acct": (163, 89),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "sched_setaffinity": (203, 122),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
}
# (audit architecture, column above, clone, clone3, socket)
MACHINES = {
    "x86_64": (0xC000003E, 0, 56, 435, 41),
    "aarch64": (0xC00000B7, 1, 220, 435, 198),
}
NEW_NAMESPACES = 0x7E020000 | 0x80  # the CLONE_NEW… flags
SOCKET_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: no vsock to the machine's host
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97

_libc = ctypes.CDLL(None, use_errno=True)


def _do(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def new_pid_namespace(own: int) -> None:
    """Make the next child the first process of a new namespace: with it, all below it end.

    `own` is the caller's namespace, open; one must come home before leaving again.
    """
    _do(_libc.setns(own, CLONE_NEWPID), "setns")
    _do(_libc.unshare(CLONE_NEWPID), "unshare")


def new_folders(own: str, space: int) -> str:
    """Make empty writable folders that end with the process, and an empty /proc.

    Returns
    -------
    str
        The folder to work in, below `own`.
    """
    _do(_libc.unshare(CLONE_NEWNS | CLONE_NEWIPC), "unshare")
    flags = MS_NOSUID | MS_NODEV
    options = f"size={space},nr_inodes=20000,mode=0700"
    for folder, flag, option in (
        (own, flags, options),
        ("/dev/shm", flags, options),
        ("/proc", flags | MS_RDONLY, "size=4k,mode=0555"),
    ):
        _do(
            _libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flag, option.encode()),
            f"a new {folder}",
        )
    os.mkdir(f"{own}/work")
    return f"{own}/work"


def no_privileges() -> None:
    """Give up all capabilities, for good."""
    _do(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _do(_libc.prctl(PR_CAP_AMBIENT, CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient capabilities")
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    _do(_libc.capset(header, bytes(24)), "capset")


def unseen(yes: bool = True) -> None:
    """Keep other processes of the same user from looking into this one, or let them."""
    _do(_libc.prctl(PR_SET_DUMPABLE, 0 if yes else 1, 0, 0, 0), "dumpable")


def one_processor(number: int) -> None:
    """Use this processor only, children too: a submission must not take the whole machine.

    Both processes of a submission take the same one: they work by turns.
    """
    if number in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {number})


def limit(limits: Mapping[str, int], used: int) -> None:
    """Set limits that the kernel keeps for this process and its children, each for itself.

    `used` are the bytes of address space that the warm process already has.
    """
    wanted = {
        resource.RLIMIT_AS: used + limits["memory"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if limits["processes"]:
        # the watch ends what has too many; this is for what is faster than the watch
        wanted[resource.RLIMIT_NPROC] = limits["processes"] + 8
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def few_system_calls() -> None:
    """Refuse the system calls above, and new namespaces by `clone`, from now on."""
    code = program()
    buffer = ctypes.create_string_buffer(code)
    # struct sock_fprog: the number of instructions, and where they are
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    _do(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0), "seccomp")


@functools.cache  # made in the warm process
def program() -> bytes:
    """Write a BPF program over struct seccomp_data: number, architecture, address, arguments."""
    architecture, column, clone, clone3, socket = MACHINES[platform.machine()]
    load, equal, above, test, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x00050000

    def step(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, no, k)

    steps = [
        step(load, 4),
        step(equal, architecture, 1, 0),
        step(answer, kill),
        step(load, 0),
        step(above, 0x40000000, 0, 1),  # x86's second set of numbers
        step(answer, kill),
        step(equal, clone3, 0, 1),  # its flags lie in memory, out of sight: use clone
        step(answer, refuse | ENOSYS),
        step(equal, clone, 0, 4),
        step(load, 16),
        step(test, NEW_NAMESPACES & ~0x80, 0, 1),
        step(answer, refuse | EPERM),
        step(answer, allow),
        step(equal, socket, 0, 3 + len(SOCKET_FAMILIES)),
        step(load, 16),
        *[
            step(equal, family, len(SOCKET_FAMILIES) - k, 0)
            for k, family in enumerate(SOCKET_FAMILIES)
        ],
        step(answer, refuse | EAFNOSUPPORT),
        step(answer, allow),
    ]
    for numbers in REFUSED.values():
        steps += [step(equal, numbers[column], 0, 1), step(answer, refuse | EPERM)]
    return b"".join([*steps, step(answer, allow)])
