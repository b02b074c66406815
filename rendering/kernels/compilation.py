"""How kernels are compiled: ahead of the first job, and kept in Numba's cache folder, which may be read-only."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)
from numba.core.sigutils import normalize_signature
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., object])
Pixels = NDArray[np.uint8]

_declared: dict[str, list[tuple[Any, str]]] = {}  # module name: its dispatchers (Numba has no types) and signatures


def kernel(signature: str) -> Callable[[Function], Function]:
    """Declare a function as a kernel of this Numba signature, compiled by make_ready or its first call.

    It runs on one core, without the interpreter's lock.
    """

    def declare(function: Function) -> Function:
        dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
        with contextlib.suppress(RuntimeError):  # no folder at all to keep it in: compiled again in each process
            dispatcher._cache = _cache(function)  # noqa: SLF001 (what enable_caching does, with our cache)
        _declared.setdefault(function.__module__, []).append((dispatcher, signature))
        return cast("Function", dispatcher)

    return declare


def _cache(function: Callable[..., object]) -> object:
    return _Cache(function)  # type: ignore[no-untyped-call]  # Numba's caches have no types


def read_only(pixels: Pixels) -> Pixels:
    """Return a view that nobody may write to; a kernel of `Array(..., True)` is compiled for such alone, once."""
    view = pixels.view()
    view.flags.writeable = False
    return view


def make_ready(module: str) -> None:
    """Compile this module's kernels, or load them from the cache folder."""
    for dispatcher, signature in _declared.get(module, []):
        arguments, _ = normalize_signature(signature)  # type: ignore[no-untyped-call]  # Numba has no types
        # As a first call would ask for it: Numba's cache knows the same kernel by its signature's text as another one.
        dispatcher.compile(tuple(arguments))


class _ReadOnlyLocator(UserProvidedCacheLocator):
    """NUMBA_CACHE_DIR that was filled while an image was built, and that nobody can write to now."""

    def ensure_cache_path(self) -> None:
        if not Path(self._cache_path).is_dir():
            raise FileNotFoundError


class _Compiled(CompileResultCacheImpl):
    _locator_classes: list[type[object]] = [
        UserProvidedCacheLocator,
        _ReadOnlyLocator,
        InTreeCacheLocator,
        UserWideCacheLocator,
    ]


class _Cache(FunctionCache):
    """Numba's cache; what cannot be written (read-only folder, full disk) stays in memory."""

    _impl_class = _Compiled

    def save_overload(self, signature: object, compiled: object) -> None:
        with contextlib.suppress(OSError):
            super().save_overload(signature, compiled)  # type: ignore[no-untyped-call]  # as above
