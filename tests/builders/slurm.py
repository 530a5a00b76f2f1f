"""A Slurm of one node on this machine's loopback, with its own folder, ports and key; started and stopped by a test."""

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

from builders.waiting import wait_for

# Where jobs look for it: the executor plugin leaves no SLURM_ variable to them.
USUAL = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
CONFIG = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
MinJobAge=300
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=16000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def is_missing() -> str:
    """Why none can be started here; '' where it can."""
    lacking = [program for program in PROGRAMS if not shutil.which(program)]
    if lacking:
        return f"there is no {lacking[0]} (Debian: slurm-wlm, munge)"
    if os.geteuid() != 0:
        return "only root starts a Slurm"
    return f"{USUAL} is that of another Slurm" if USUAL.exists() or USUAL.is_symlink() else ""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running(folder: Path, cpus: int = 2):
    """While it lasts, sbatch and its kin find this Slurm."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=host, ports=free_ports(2), folder=folder, cpus=cpus, user="root"))
    USUAL.parent.mkdir(exist_ok=True)
    USUAL.symlink_to(config)
    munge = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={key}", *(f"--{a}={folder / b}" for a, b in munge.items())],
        ["slurmctld", "-D", "-f", str(config)],
        ["slurmd", "-D", "-f", str(config), "-N", host],
    ]
    started = []
    try:
        for command in commands:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            started.append(subprocess.Popen(command, start_new_session=True, **quiet))
            if command[0] == "munged":
                wait_for((folder / "munge.socket").exists, 0.1)

        def is_idle() -> bool:
            found = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False)
            return "idle" in found.stdout

        wait_for(is_idle, 0.1)
        yield
    finally:
        USUAL.unlink()
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
