"""One launcher for all tests of a run, on a free port, and clients of it."""

import atexit
import functools
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import botocore.config
import botocore.session

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGION = "us-east-1"


@functools.cache
def endpoint() -> str:
    """Starts the launcher at the first call; it ends with the tests."""
    folder = tempfile.mkdtemp(prefix="supermax-localstack-")
    programs = pathlib.Path(folder, "bin")
    programs.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1", "SUPERMAX_LOCALSTACK_PORT": str(port),
        "SUPERMAX_LOCALSTACK_FOLDER": folder, "BATCH_LOCAL_PATH": str(programs), "BATCH_LOCAL_SLOTS": "6",
        "BATCH_LOCAL_STOP_SECONDS": "1", "BATCH_LOCAL_MINIMUM_TIMEOUT": "1", "A_SECRET_OF_THE_SHELL": "x",
        "SUPERMAX_LOCALSTACK_LOG_LEVEL": "WARNING",
    }
    log = open(pathlib.Path(folder, "launcher.log"), "wb")
    process = subprocess.Popen([sys.executable, "-m", "launcher"], env=environment, stdout=log, stderr=log)

    def end():
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()
            log.close()
            text = pathlib.Path(folder, "launcher.log").read_text()
            if "Traceback" in text:
                sys.stderr.write(text)
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    address = f"http://127.0.0.1:{port}"
    until(lambda: _answers(address), 30)
    return address


def _answers(address):
    try:
        return urllib.request.urlopen(address + "/_localstack/health", timeout=1).status == 200
    except OSError:
        return False


@functools.cache
def client(service: str):
    """A botocore client that tries once, so that a test sees each answer."""
    config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"},
                                    connect_timeout=5, read_timeout=60)
    return botocore.session.Session().create_client(
        service, region_name=REGION, endpoint_url=endpoint(), aws_access_key_id="test",
        aws_secret_access_key="test", config=config)


def admin(method: str, path: str, body: dict | None = None) -> dict:
    """A call of the launcher's own paths; HTTPError says what it refused."""
    request = urllib.request.Request(endpoint() + "/_supermax/" + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def until(condition, seconds: float = 15):
    """The first true value of condition; AssertionError after the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not so after {seconds} seconds")


def name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:10]}"


@functools.cache
def queue() -> str:
    """A job queue with room for 64 vCPUs."""
    return make_queue(64)


def make_queue(vcpus: int) -> str:
    batch = client("batch")
    environment = batch.create_compute_environment(
        computeEnvironmentName=name("ce"), type="MANAGED", computeResources={
            "type": "SPOT", "allocationStrategy": "SPOT_PRICE_CAPACITY_OPTIMIZED", "minvCpus": 0, "maxvCpus": vcpus,
            "instanceTypes": ["g5.xlarge"], "subnets": ["subnet-1"], "instanceRole": "profile"})
    return batch.create_job_queue(jobQueueName=name("queue"), priority=1, computeEnvironmentOrder=[
        {"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}])["jobQueueArn"]


def define(script: str, environment: dict | None = None, **more) -> str:
    """A job definition that runs a shell script."""
    properties = {"image": "none", "command": ["sh", "-c", script],
                  "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "64"}],
                  "environment": [{"name": k, "value": v} for k, v in (environment or {}).items()]}
    return client("batch").register_job_definition(
        jobDefinitionName=name("job"), type="container", containerProperties=properties, **more)["jobDefinitionArn"]


def submit(definition: str, **more) -> str:
    return client("batch").submit_job(jobName=name("run"), jobQueue=more.pop("jobQueue", queue()),
                                      jobDefinition=definition, **more)["jobId"]


def detail(job: str) -> dict:
    return client("batch").describe_jobs(jobs=[job])["jobs"][0]


def ended(job: str, seconds: float = 15) -> dict:
    """A job's detail once it has ended."""
    return until(lambda: (d := detail(job))["status"] in ("SUCCEEDED", "FAILED") and d, seconds)


def in_state(job: str, status: str) -> dict:
    return until(lambda: (d := detail(job))["status"] == status and d)


def log(job: str, attempt: int = 1) -> str:
    """What an attempt wrote, as CloudWatch Logs has it."""
    stream = detail(job)["attempts"][attempt - 1]["container"]["logStreamName"]
    events = client("logs").get_log_events(logGroupName="/aws/batch/job", logStreamName=stream, startFromHead=True)
    return "\n".join(event["message"] for event in events["events"])


def function(source: str) -> str:
    """A Lambda function whose bootstrap is a Python program; returns its name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        file.writestr(info, f"#!{sys.executable}\n{_RUNTIME}\n{source}\nserve(handle)\n")
    made = name("function")
    client("lambda").create_function(FunctionName=made, Runtime="provided.al2023", Handler="bootstrap", Timeout=30,
                                     Role="arn:aws:iam::000000000000:role/x", Code={"ZipFile": archive.getvalue()})
    until(lambda: client("lambda").get_function_configuration(FunctionName=made)["State"] == "Active")
    return made


_RUNTIME = '''
import http.client, json, os

def serve(handle):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        event = api.getresponse()
        answer = json.dumps(handle(json.loads(event.read())))
        path = f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response"
        api.request("POST", path, answer)
        api.getresponse().read()
'''
