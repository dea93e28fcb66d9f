"""Plays experiments against every contender and says who survives what: contenders/play.py LAB [EXPERIMENT…]; none: all.

A cell is `held`, or how many checks failed; `?`: it could not be played.
"""

import json
import subprocess
import sys

RUST = "exec target/contenders/release/"
CONTENDERS = {
    "course": "exec contenders/serve contenders/course.py",
    "advised": "exec contenders/serve contenders/advised.py",
    "holdfast-policy": RUST + "holdfast-policy",
    "tower-resilience": RUST + "tower-resilience",
}


def play(lab: str, experiments: list[str], name: str, command: str) -> dict[str, str]:
    call = [lab, "run", *(experiments or ["--all"]), "--json", "--name", name, "--bound", "4s", "--api", command]
    told = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode > 1 and not told.stdout:
        sys.exit(told.returncode)
    return {one["experiment"]: cell(one) for one in json.loads(told.stdout)}


def cell(one: dict) -> str:
    if "verdict" not in one:
        return "?"
    failed = sum(not check["holds"] and not check.get("unknown") for check in one["verdict"]["checks"])
    return f"{failed} failed" if failed else "held"


def main(lab: str, *experiments: str):
    played = {name: play(lab, list(experiments), name, command) for name, command in CONTENDERS.items()}
    names = sorted({experiment for cells in played.values() for experiment in cells})
    print(f"{'':20}" + "".join(f"{name:>17}" for name in played))
    for name in names:
        print(f"{name:20}" + "".join(f"{cells.get(name, '?'):>17}" for cells in played.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
