"""One attempt's process on this machine, in place of its container."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading

from ministack.services import lambda_svc


class NotStarted(Exception):
    """The command could not be started; the sentence is a container's reason."""


class Process:
    """A command with an environment of its own, a scratch folder that is its working and
    temporary directory, and a log file. The whole process group ends with the command,
    as a container does. Safe for use from several threads."""

    def __init__(self, command: list[str], environment: dict, folder: pathlib.Path, stop_seconds: float):
        self._stop_seconds = stop_seconds
        self._folder = folder
        self._scratch = folder / "scratch"
        self._lost: str | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        if not command:
            raise NotStarted("CannotStartContainerError: the job has no command, and images are not pulled here")
        program = shutil.which(command[0], path=environment.get("PATH", ""))
        if program is None:
            raise NotStarted(f"CannotStartContainerError: exec: {command[0]!r}: executable file not found in $PATH")
        self._scratch.mkdir(parents=True)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            try:
                # A fork while ministack writes a function's zip would hold that file open
                # and make its execution fail ("text file busy"); this lock is its remedy.
                with lambda_svc._provided_code_lock:
                    self._popen = subprocess.Popen(
                        [program, *command[1:]], cwd=self._scratch, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                        env={**environment, "TMPDIR": str(self._scratch)}, start_new_session=True)
            except OSError as error:
                raise NotStarted(f"CannotStartContainerError: {error}") from error
        (folder / "pid").write_text(f"{self.pid} {_birth(self.pid)}\n")

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def lost(self) -> str | None:
        """Why the host was lost, if lose was called."""
        return self._lost

    def wait(self, seconds: float | None = None) -> int:
        """The exit code as a container's: 128 + the signal's number for a killed one.
        Raises subprocess.TimeoutExpired after `seconds`."""
        code = self._popen.wait(timeout=seconds)
        with self._lock:
            if self._timer:
                self._timer.cancel()
        self._signal_group(signal.SIGKILL)
        shutil.rmtree(self._scratch, ignore_errors=True)
        (self._folder / "pid").unlink(missing_ok=True)
        return 128 - code if code < 0 else code

    def stop(self) -> None:
        """What ECS does to a task that is stopped: SIGTERM, and SIGKILL after the stop timeout."""
        with self._lock:
            if self._timer:
                return
            self._timer = threading.Timer(self._stop_seconds, self._signal_group, (signal.SIGKILL,))
            self._timer.daemon = True
            self._timer.start()
        self.send(signal.SIGTERM)

    def send(self, number: int) -> None:
        """A signal to the command alone, as to a container's first process."""
        self._popen.send_signal(number)

    def lose(self, reason: str) -> None:
        """The host goes away at once; the attempt has no exit code then."""
        self._lost = reason
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # the group is gone


def _birth(pid: int) -> str:
    """The start time of a process in clock ticks, which tells it from a later one of the same number."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""


def end_left_over(folder: pathlib.Path) -> int:
    """Ends the processes of a launcher that was killed; returns how many."""
    ended = 0
    for path in folder.glob("*/pid"):
        pid, _, birth = path.read_text().strip().partition(" ")
        if pid.isdigit() and birth and _birth(int(pid)) == birth:
            try:
                os.killpg(int(pid), signal.SIGKILL)
                ended += 1
            except (ProcessLookupError, PermissionError):
                pass
        shutil.rmtree(path.parent / "scratch", ignore_errors=True)
        path.unlink(missing_ok=True)
    return ended
