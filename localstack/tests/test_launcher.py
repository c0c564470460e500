"""The launcher as a process: how it starts, what it leaves."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import botocore.session

from .support import ROOT, until


class Launcher:
    """A launcher of a test's own."""

    def __init__(self, folder: str, port: int):
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "launcher"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
                 "SUPERMAX_LOCALSTACK_PORT": str(port), "SUPERMAX_LOCALSTACK_FOLDER": folder,
                 "SUPERMAX_LOCALSTACK_LOG_LEVEL": "ERROR"})

    def ready(self):
        until(lambda: self.process.poll() is not None or self._answers(), 30)
        return self

    def _answers(self):
        try:
            return urllib.request.urlopen(self.address + "/_supermax/processes", timeout=1).status == 200
        except OSError:
            return False

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(timeout=15)
        self.process.stderr.close()

    def start_job(self, script: str) -> None:
        batch = botocore.session.Session().create_client(
            "batch", region_name="us-east-1", endpoint_url=self.address, aws_access_key_id="test",
            aws_secret_access_key="test")
        environment = batch.create_compute_environment(
            computeEnvironmentName="ce", type="MANAGED", computeResources={
                "type": "EC2", "maxvCpus": 4, "instanceTypes": ["g5.xlarge"], "subnets": ["s"], "instanceRole": "r"})
        batch.create_job_queue(jobQueueName="queue", priority=1, computeEnvironmentOrder=[
            {"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}])
        batch.register_job_definition(jobDefinitionName="job", type="container", containerProperties={
            "image": "i", "command": ["sh", "-c", script],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1"}]})
        batch.submit_job(jobName="job", jobQueue="queue", jobDefinition="job")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Processes(unittest.TestCase):
    def test_no_job_outlives_its_launcher(self):
        with tempfile.TemporaryDirectory() as folder:
            mark, port = pathlib.Path(folder, "mark"), free_port()
            for number in (signal.SIGTERM, signal.SIGKILL):
                with self.subTest(number.name):
                    launcher = Launcher(folder, port).ready()
                    launcher.start_job(f"trap '' TERM; echo $$ > {mark}.new; mv {mark}.new {mark}; while :; do sleep 1; done")
                    until(mark.exists)
                    pid = int(mark.read_text())
                    mark.unlink()
                    launcher.end(number)
                    if number == signal.SIGKILL:  # nobody could end the job then; the next launcher does
                        self.assertTrue(alive(pid))
                        Launcher(folder, port).ready().end()
                    until(lambda: not alive(pid), 5)

    def test_a_port_that_is_taken(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            process = Launcher(folder, port).process
            _, message = process.communicate(timeout=30)
            self.assertEqual((process.returncode, message.strip().splitlines()[-1]),
                             (1, f"listen on 127.0.0.1:{port}: Address already in use"))

    def test_a_wrong_setting(self):
        done = subprocess.run([sys.executable, "-m", "launcher"], capture_output=True, text=True, timeout=30, env={
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "BATCH_LOCAL_SLOTS": "many"})
        self.assertEqual((done.returncode, done.stderr.strip()),
                         (2, "BATCH_LOCAL_SLOTS is 'many'; it must be a number from 1 to 10,000"))


class Scripts(unittest.TestCase):
    """up.sh and down.sh, with the interpreter's own environment in place of a new one."""

    def run_script(self, script, port, folder):
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                       "SUPERMAX_LOCALSTACK_PORT": str(port), "SUPERMAX_LOCALSTACK_FOLDER": folder}
        return subprocess.run(["bash", str(ROOT / script)], capture_output=True, text=True, timeout=120, env=environment)

    @unittest.skipUnless((ROOT.parent / ".deps/localstack/venv/requirements.lock").exists(), "make localstack-up has not run")
    def test_up_twice_and_down_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            try:
                first = self.run_script("up.sh", port, folder)
                self.assertEqual(first.returncode, 0, first.stderr)
                self.assertIn(f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}", first.stdout)
                pid = int(pathlib.Path(folder, "pid").read_text())
                self.assertEqual(self.run_script("up.sh", port, folder).stdout, first.stdout)
                with tempfile.TemporaryDirectory() as other:
                    refused = self.run_script("up.sh", port, other)
                    self.assertEqual(refused.returncode, 1)
                    self.assertIn(f"port {port} is taken by another program", refused.stderr)
            finally:
                down = self.run_script("down.sh", port, folder)
            self.assertIn(f"stopped (pid {pid})", down.stdout)
            self.assertFalse(alive(pid))
            self.assertIn("none runs", self.run_script("down.sh", port, folder).stdout)
            self.assertEqual(sorted(path.name for path in pathlib.Path(folder).iterdir()), ["launcher.log"])
