"""What a person may set, all by environment, and the environment that the emulator gets."""

import dataclasses
import os
import pathlib

# The one version whose private names the launcher uses.
MINISTACK = "1.5.33"

# What the emulator's process keeps of the shell that started it. Lambda functions
# inherit the process's environment, and on AWS they see nothing of a developer's.
_KEPT = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "PYTHONPATH",
         "PYTHONDONTWRITEBYTECODE")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How one launcher runs. Times are in seconds."""

    host: str  # address to listen on
    port: int
    region: str
    folder: pathlib.Path  # job logs and scratch folders; nothing in it is read by a later launcher but left-over pids
    path: str  # put before PATH for jobs: where the container's programs lie on this machine
    slots: int  # job attempts that run at once, over all queues
    stop_seconds: float  # between SIGTERM and SIGKILL, as ECS_CONTAINER_STOP_TIMEOUT
    minimum_timeout: int  # least attemptDurationSeconds that is accepted; AWS: 60
    log_level: str

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    @classmethod
    def read(cls, environ) -> "Settings":
        """Reads the environment; ValueError names the variable, its value and what is allowed."""
        return cls(
            host=environ.get("SUPERMAX_LOCALSTACK_HOST", "127.0.0.1"),
            port=int(_number(environ, "SUPERMAX_LOCALSTACK_PORT", 4566, 1, 65535)),
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
            folder=pathlib.Path(environ.get("SUPERMAX_LOCALSTACK_FOLDER", ".deps/localstack/run")).absolute(),
            path=environ.get("BATCH_LOCAL_PATH", ""),
            slots=int(_number(environ, "BATCH_LOCAL_SLOTS", max(2, os.cpu_count() or 2), 1, 10_000)),
            stop_seconds=_number(environ, "BATCH_LOCAL_STOP_SECONDS", 30, 0, 3600),
            minimum_timeout=int(_number(environ, "BATCH_LOCAL_MINIMUM_TIMEOUT", 60, 1, 60)),
            log_level=environ.get("SUPERMAX_LOCALSTACK_LOG_LEVEL", "INFO").upper(),
        )

    def environment(self, environ) -> dict:
        """The process environment that ministack and its Lambda functions see."""
        kept = {name: environ[name] for name in _KEPT if name in environ}
        return kept | {
            "BIND_HOST": self.host,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "ATHENA_ENGINE": "duckdb",
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # as on AWS; ministack's own follows this machine's memory
            # MQTT would take port 8883, which a second emulator on the machine also wants.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": self.log_level,
        }


def _number(environ, name, default, least, most) -> float:
    text = environ.get(name, "")
    try:
        value = float(text) if text else float(default)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ValueError(f"{name} is {text!r}; it must be a number from {least:,} to {most:,}")
    return value
