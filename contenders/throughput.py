"""How many healthy calls a second, ours beside theirs: contenders/throughput.py LAB [ROUNDS].

One Postgres and one worker that takes no time serve all; 32 connections of wrk on one endpoint after the other, in turns.
A ratio is taken within a round; the median counts. An answer that is no 2xx voids the measurement.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import psycopg
from play import CONTENDERS

SECONDS = 2
# More, and the course's API runs Postgres out of connections: it opens one for each call.
CALLERS = 32
# As the lab has it for strangers: `INSERT INTO requests DEFAULT VALUES` is enough. Nothing recovers their rows.
FOR_STRANGERS = """ALTER TABLE requests ALTER id SET DEFAULT gen_random_uuid(), ALTER origin SET DEFAULT 'naive',
    DROP CONSTRAINT requests_check"""
WITHIN = 30


def free() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def calls(base: str) -> float:
    wrk = ["wrk", "-t2", f"-c{CALLERS}", f"-d{SECONDS}s", "--timeout", "10s", f"{base}/process"]
    said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"void: {base} did not answer everything\n{said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))


def answers(base: str):
    give_up = time.monotonic() + WITHIN
    while True:
        try:
            return urllib.request.urlopen(f"{base}/process", timeout=5).read()
        except OSError as error:
            if time.monotonic() > give_up:
                sys.exit(f"{base} does not answer within {WITHIN} s: {error}")
            time.sleep(0.1)


def measure(bases: dict[str, str], rounds: int):
    rates = {name: [] for name in bases}
    for number in range(rounds + 1):
        for name, base in bases.items():
            rate = calls(base)
            if number > 0:  # The first warms up.
                rates[name].append(rate)
    ours = rates["resilient"]
    print(f"\n{'healthy calls':20}{'per second':>12}{'ratio resilient/it':>22}")
    for name, theirs in rates.items():
        ratio = statistics.median(mine / it for mine, it in zip(ours, theirs))
        print(f"{name:20}{statistics.median(theirs):12.0f}{ratio:22.2f}")


def main(lab: str, rounds: str = "3"):
    """With `--check` in place of the rounds: says only whether it could measure."""
    if "nothing is up" not in subprocess.run([lab, "status"], capture_output=True, text=True).stderr:
        sys.exit("a stage is up, and this one is to be of its own: make down")
    if rounds == "--check":
        return
    api, worker, db = free(), free(), free()
    here = os.environ | {"STAGE": "local", "API_PORT": api, "WORKER_PORT": worker, "DB_PORT": db, "HOLDFAST_WORK_DELAY": "0s"}
    started = []
    try:
        subprocess.run([lab, "up"], env=here, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        database = f"postgres://holdfast:holdfast@127.0.0.1:{db}/holdfast"
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(FOR_STRANGERS)
        bases = {"resilient": f"http://127.0.0.1:{api}"}
        for name, command in CONTENDERS.items():
            port = free()
            theirs = os.environ | {
                "PORT": port,
                "DATABASE_URL": database,
                "WORKER_URL": f"http://127.0.0.1:{worker}",
            }
            started.append(subprocess.Popen(["/bin/sh", "-c", command], env=theirs, stderr=subprocess.DEVNULL))
            bases[name] = f"http://127.0.0.1:{port}"
            answers(bases[name])
        measure(bases, int(rounds))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()
        subprocess.run([lab, "down"], env=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(*sys.argv[1:])
