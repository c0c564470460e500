"""What is cancelled together: an execution, the branches of a Map, a task with a timeout."""

import contextlib
import contextvars
import threading


class Cancelled(BaseException):
    """Ends the work of a scope. No Exception, so that no Catch of a state machine sees it."""


class Scope:
    """A tree of events: cancelling one cancels all below it."""

    def __init__(self, parent: "Scope | None" = None):
        self._event = threading.Event()
        self._children: set[Scope] = set()
        self._lock = threading.Lock()
        self._parent = parent
        if parent is not None:
            parent._adopt(self)

    def _adopt(self, child):
        with self._lock:
            self._children.add(child)
        if self._event.is_set():
            child.cancel()

    def cancel(self) -> None:
        self._event.set()
        with self._lock:
            children = list(self._children)
        for child in children:
            child.cancel()

    def close(self) -> None:
        """Forgets this scope; it must not be used after that."""
        if self._parent is not None:
            with self._parent._lock:
                self._parent._children.discard(self)

    def check(self) -> None:
        if self._event.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        if self._event.wait(seconds):
            raise Cancelled


_current: contextvars.ContextVar[Scope] = contextvars.ContextVar("scope", default=Scope())


def current() -> Scope:
    """The scope of this context; copies of the context, as threads get them, share it."""
    return _current.get()


@contextlib.contextmanager
def within():
    """A scope below the current one, for the length of a with statement."""
    scope = Scope(_current.get())
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)
        scope.close()
