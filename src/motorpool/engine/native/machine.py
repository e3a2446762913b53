"""From LLVM's language to a function in memory, and a folder of functions compiled before."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

# Straight-line code of many thousand instructions: what helps loops over arrays only costs time here.
OPTIMISATION_LEVEL = 1
# Of what turns instructions into machine code: a higher one takes twice as long for the same instructions.
CODE_LEVEL = 1
# Instructions stay in the order in which they were written, which hides how long each takes (see `overlapping`).
IN_ORDER = ("-pre-RA-sched=source", "-enable-misched=false")
SEAL_BYTES = 32  # of the digest before the machine code in a file
_lock = threading.Lock()
_loaded: list[Any] = []


@functools.cache
def _keep_order() -> None:
    """Tell LLVM, once in a process, to leave instructions in order."""
    for option in IN_ORDER:
        llvm.set_option("motorpool", option)


def target_machine() -> Any:
    """This computer's processor, as LLVM sees it; a new one each time, because whoever is given it owns it."""
    _keep_order()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=CODE_LEVEL,
        codemodel="default",
        jit=True,
    )


def processor() -> str:
    """Name of this computer's processor and of the compiler: programs compiled for another one do not fit."""
    version = ".".join(str(part) for part in llvm.llvm_version_info)
    return f"{llvm.get_host_cpu_name()} {llvm.get_default_triple()} llvm {version}"


def compile_object(text: str) -> bytes:
    """Machine code of a module in LLVM's language."""
    machine = target_machine()
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=OPTIMISATION_LEVEL)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def load_object(code: bytes, name: str) -> int:
    """Put machine code into memory; returns the address of its function ``name``."""
    with _lock:
        # JITLink keeps code and constants in one stretch of memory: apart they may lie too far from one another.
        compiler = llvm.create_lljit_compiler(target_machine(), use_jit_link=True, suppress_errors=True)
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process().export_symbol(name)
        program = library.link(compiler, name)
        _loaded.append((compiler, program))  # the function lives as long as they do
        return program[name]


def cache_folder() -> Path | None:
    """Where compiled programs are kept between runs; None where nothing can be written."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "motorpool" / "native"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def function_of(key: str, name: str, write: Callable[[], str]) -> Any:
    """The compiled function ``name`` of the program that ``write`` writes, kept on disk under ``key``.

    ``key`` must change whenever the program or the processor does. The function takes addresses and lengths as
    64-bit integers and returns nothing; it runs without holding Python's lock.
    """
    folder = cache_folder()
    stored = None if folder is None else folder / f"{key}.o"
    code = _read(stored, name)
    if code is None:
        code = compile_object(write())
        if stored is not None:
            _keep(stored, code, name)
    address = load_object(code, name)
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)


def kept_beside(key: str, make: Callable[[], bytes]) -> bytes:
    """What ``make`` makes, kept on disk beside the machine code of ``key``."""
    folder, name = cache_folder(), "results"
    stored = None if folder is None else folder / f"{key}.{name}"
    found = _read(stored, name)
    if found is None:
        found = make()
        if stored is not None:
            _keep(stored, found, name)
    return found


def _read(path: Path | None, name: str) -> bytes | None:
    """What was kept in a file under a name; None unless it is whole and was kept under this name."""
    try:
        whole = b"" if path is None else path.read_bytes()
    except OSError:
        return None
    seal, code = whole[:SEAL_BYTES], whole[SEAL_BYTES:]
    return code if code and seal == _seal(code, name) else None


def _seal(code: bytes, name: str) -> bytes:
    return hashlib.sha256(name.encode() + code).digest()


def _keep(path: Path, code: bytes, name: str) -> None:
    """Write a file that is either whole or absent, whoever else writes it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
        with os.fdopen(handle, "wb") as file:
            file.write(_seal(code, name) + code)
        Path(temporary).replace(path)
    except OSError:
        return
