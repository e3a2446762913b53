"""A JAX function as machine code that works on patients side by side, one per lane."""

from __future__ import annotations

import enum
import functools
import hashlib
import os
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend import core as jax_core
from numpy.typing import NDArray

from motorpool.engine.native import machine
from motorpool.engine.native.arrays import Memory
from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.lowering import Lowering
from motorpool.engine.native.ordering import names_in, ordered
from motorpool.engine.native.overlapping import overlapped

LANES = 16
CONDITION = np.dtype(np.bool_).char
SHARES_PER_THREAD = 16  # of the work that threads share out: all end nearly together
FUNCTION = "motorpool_program"
# The rooms whose text programs are made of; any change of it makes new programs.
ROOMS = ("biology", "therapies", "outcomes", "engine", "cohorts")
# Rows of a table are looked up without asking how many there are: any number of them stands for all.
TRACED_ROWS = 2


class Belongs(enum.StrEnum):
    """Whose the numbers of an argument are: shared by all patients, or each patient's own (on the last axis).

    A table has a row for each step of a patient's own, of which there may be any number; it is only looked up.
    """

    SHARED = "shared"
    OWN = "own"
    OWN_TABLE = "own table"


class Program:
    """A function of trees of arrays, run for whole blocks of patients.

    Its results all belong to patients. The number of patients must be a multiple of ``LANES``.
    """

    def __init__(self, function: Callable[..., Any], name: str, belongs: Any) -> None:
        """Take a function, a name that tells it from others, and a tree of :class:`Belongs` like its arguments."""
        self._function, self._name = function, name
        self._belongs = tuple(jax.tree.leaves(belongs))
        self._own = [kind is not Belongs.SHARED for kind in self._belongs]
        self._first_own = self._own.index(True)
        self._compiled: dict[Any, tuple[Any, Any, list[Any]]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Results as NumPy arrays; runs without holding Python's lock."""
        leaves, structure = jax.tree.flatten(arguments)
        arrays = [_numbers(leaf) for leaf in leaves]
        patients = arrays[self._first_own].shape[-1]
        if patients % LANES:
            message = f"{patients} patients are not a multiple of {LANES}"
            raise ValueError(message)
        run, result_structure, shapes = self._program(structure, arrays)
        results = [np.empty((*shape, patients), _stored(dtype)) for shape, dtype in shapes]
        stored = [a if a.dtype.char != CONDITION else a.astype(_stored(a.dtype)) for a in arrays]
        buffers = [*stored, *results]
        bases = np.array([buffer.__array_interface__["data"][0] for buffer in buffers], np.uint64)
        own = [*self._own, *[True] * len(results)]
        offsets = np.array(
            [buffer.itemsize * LANES * mine for buffer, mine in zip(buffers, own, strict=True)], np.uint64
        )

        def work(groups: range) -> None:
            for group in groups:
                pointers = bases + offsets * np.uint64(group)
                run(pointers.__array_interface__["data"][0], patients)

        _share_out(work, patients // LANES)
        typed = [
            array if dtype != np.bool_ else array.astype(bool)
            for array, (_, dtype) in zip(results, shapes, strict=True)
        ]
        return jax.tree.unflatten(result_structure, typed)

    def _program(self, structure: Any, arrays: list[NDArray[Any]]) -> tuple[Any, Any, list[Any]]:
        # A table may have any number of rows: they make no other program.
        rows = [
            array.shape[1:-1] if kind is Belongs.OWN_TABLE else array.shape[:-1]
            for array, kind in zip(arrays, self._belongs, strict=True)
        ]
        described = (structure, tuple(rows), tuple([array.dtype for array in arrays]), _widest())
        known = self._compiled.get(described)
        if known is None:
            shapes = tuple(
                (_traced_shape(array.shape, kind), str(array.dtype))
                for array, kind in zip(arrays, self._belongs, strict=True)
            )
            known = self._compiled[described] = self._compile(structure, shapes)
        return known

    def _compile(self, structure: Any, shapes: tuple[Any, ...]) -> tuple[Any, Any, list[Any]]:
        one = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(*shape) for shape in shapes])
        made_from = (
            self._name,
            shapes,
            str(structure),
            LANES,
            _widest(),
            jax.__version__,
            machine.processor(),
            source_digest(),
        )
        key = hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]

        @functools.cache
        def traced() -> tuple[Any, Any]:
            return jax.make_jaxpr(self._function, return_shape=True)(*one)

        run = machine.function_of(key, FUNCTION, lambda: written(traced()[0], self._own))
        # Kept too, because tracing takes longer than everything else where the machine code is there already.
        results = pickle.loads(machine.kept_beside(key, lambda: pickle.dumps(_described(traced()[1]))))
        leaves, result_structure = jax.tree.flatten(results)
        return run, result_structure, [_shape_and_type(leaf) for leaf in leaves]


def _described(results: Any) -> Any:
    """A tree like the results whose leaves are texts: type and shape without the patients' axis."""
    return jax.tree.map(lambda leaf: " ".join([str(leaf.dtype), *map(str, leaf.shape[:-1])]), results)


def _shape_and_type(text: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    dtype, *shape = text.split()
    return tuple(int(length) for length in shape), np.dtype(dtype)


def _widest() -> str:
    """The widest fractions that JAX traces now: constants in a program are of this type."""
    return str(jax.dtypes.canonicalize_dtype(np.float64))


def _numbers(leaf: Any) -> NDArray[Any]:
    """An array whose numbers follow one another, of 32 bits each where JAX would trace them so."""
    array = leaf if type(leaf) is np.ndarray and leaf.flags.c_contiguous else np.asarray(leaf, order="C")
    if array.itemsize < 8:
        return array
    return array.astype(jax.dtypes.canonicalize_dtype(array.dtype), copy=False)


def _stored(dtype: Any) -> Any:
    """Type in which numbers lie in memory: conditions as whole numbers."""
    return np.dtype(np.int32) if np.dtype(dtype) == np.bool_ else np.dtype(dtype)


def workers() -> int:
    """Threads that work side by side: one per core this process may use."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1))


def _share_out(work: Callable[[range], None], groups: int) -> None:
    """Share groups out among this thread and others, a few groups at a time, so that all end together."""
    count = min(workers(), groups)
    each = max(1, groups // (SHARES_PER_THREAD * count))
    shares = iter(range(0, groups, each))  # each thread takes the next: Python's lock keeps them apart

    def take() -> None:
        for first in shares:
            work(range(first, min(first + each, groups)))

    others = [_threads(count - 1).submit(take) for _ in range(count - 1)]
    take()
    for other in others:
        other.result()


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="motorpool")


def _traced_shape(shape: Sequence[int], kind: Belongs) -> tuple[int, ...]:
    if kind is Belongs.SHARED:
        return tuple(shape)
    if kind is Belongs.OWN_TABLE:
        return (TRACED_ROWS, *shape[1:-1], 1)
    return (*shape[:-1], 1)


@functools.cache
def source_digest() -> str:
    """Digest of the text that programs are made from."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def written(traced: Any, own: Sequence[bool]) -> str:
    """A traced function (of one patient) in LLVM's language.

    It is given the addresses of all arguments and results of a group of patients, and the number of patients in a row
    of their arrays.
    """
    code = Instructions(LANES)
    lowering = Lowering(code)
    inputs = [
        _array_at(code, place, variable.aval, wide=mine, unchanging=True)
        for place, (variable, mine) in enumerate(zip(traced.jaxpr.invars, own, strict=True))
    ]
    outputs = [
        _array_at(code, len(inputs) + place, variable.aval, wide=True, unchanging=False)
        for place, variable in enumerate(traced.jaxpr.outvars)
    ]
    named = [variable for variable in traced.jaxpr.outvars if not isinstance(variable, jax_core.Literal)]
    lowering.destinations = {
        variable: memory
        for variable, memory in zip(traced.jaxpr.outvars, outputs, strict=True)
        if named.count(variable) == 1
    }
    results = lowering.run(traced.jaxpr, traced.consts, inputs)
    for memory, result in zip(outputs, results, strict=True):
        if result is not memory:
            for row, value in enumerate(lowering.values(result).reshape(-1)):
                lowering.write(memory, row, value)
    body = overlapped(ordered(code.lines))
    names_in.cache_clear()
    return "\n".join(
        [
            f"define void @{FUNCTION}(ptr %arguments, i64 %patients) #0 {{",
            "entry:",
            *code.entry_lines,
            *body,
            "  ret void",
            "}",
            *sorted(code.declarations),
            'attributes #0 = { nounwind "min-legal-vector-width"="512" "prefer-vector-width"="512" }',
            "!0 = !{}",
            "",
        ]
    )


def _array_at(code: Instructions, place: int, shape: Any, *, wide: bool, unchanging: bool) -> Memory:
    name = f"%argument{place}"
    code.entry_lines.append(f"  {name}.place = getelementptr ptr, ptr %arguments, i64 {place}")
    code.entry_lines.append(f"  {name} = load ptr, ptr {name}.place, !invariant.load !0")
    stride = "%patients" if wide else 1
    return Memory(name, tuple(shape.shape), str(shape.dtype), wide, stride, unchanging)
