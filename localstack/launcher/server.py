"""Puts the parts together and serves until SIGTERM."""

import asyncio
import logging
import resource
import signal
import time

from ministack import app as ministack
from ministack.core import lambda_runtime
from ministack.services import batch as stock_batch

from . import athena, cloudformation, dynamodb, http1, injection, lambdas, stepfunctions
from .admin import Admin
from .batch.api import Batch
from .batch.events import Publisher
from .batch.process import end_left_over
from .batch.scheduler import Scheduler
from .batch.store import Store
from .faults import Faults
from .hosts import Hosts
from .settings import Settings

_log = logging.getLogger("supermax")


def run(settings: Settings) -> None:
    """Serves on the settings' address; returns after SIGTERM or SIGINT, all processes ended."""
    ended = end_left_over(settings.folder / "jobs")
    if ended:
        _log.warning("ended %d job processes of a launcher that was killed", ended)
    store, faults = Store(), Faults()
    scheduler = Scheduler(settings, store, Publisher())
    batch = Batch(store, scheduler, settings.minimum_timeout)
    ministack.SERVICE_HANDLERS["batch"] = batch.handle
    stock_batch.reset = batch.reset
    ministack._get_module("batch")  # else ministack's own reset would not know that Batch is in use
    stepfunctions.install(batch)
    cloudformation.install(batch)
    lambdas.install()
    dynamodb.install()
    athena.install()
    injection.install(faults)
    app = Admin(injection.Injector(ministack.app, faults), faults, Hosts(store, scheduler))
    try:
        asyncio.run(_serve(app, settings))
    finally:
        with store.lock:
            scheduler.close()
        _wait_for(lambda: not scheduler.busy(), 5)
        lambda_runtime.reset()


async def _serve(app, settings):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a few descriptors a connection, function and job
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await http1.serve(app, settings.host, settings.port, stopped)


def _wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
