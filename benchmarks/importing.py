"""Import of 1,000,000 messages: python benchmarks/importing.py [conversations]

Writes a CSV file of one row a message, conversations interleaved, imports it into a fresh project,
and prints wall time, and CPU time and largest memory of all processes together.
"""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

CONVERSATIONS = 100_000
TURNS = 10
WORDS_A_TURN = 25
IN_FLIGHT = 500
"""Conversations that go on at the same time, so that their messages are mixed in the file."""
TARGET_S, TARGET_MB = 30, 1_500
HEADER = ["message_id", "conversation_id", "created_at", "speaker", "channel", "text"]
CHANNELS = ["chat", "phone", "e-mail", "web form"]


def write(path: Path, conversations: int) -> int:
    """Write the file; returns its size in bytes."""
    rng = random.Random(7)
    words = [
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))
        for _ in range(8_000)
    ]
    start = datetime(2024, 1, 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        waiting = iter(range(conversations))
        going = [[n, 0] for _, n in zip(range(IN_FLIGHT), waiting, strict=False)]
        row = 0
        while going:
            place = rng.randrange(len(going))
            number, turn = going[place]
            text = " ".join(rng.choices(words, k=rng.randint(5, 2 * WORDS_A_TURN - 5)))
            at = start + timedelta(seconds=row)
            speaker = "customer" if turn % 2 == 0 else "agent"
            channel = CHANNELS[number % len(CHANNELS)]
            out.writerow(
                [f"m{row}", f"c{number}", at.isoformat(), speaker, channel, text.capitalize()]
            )
            row += 1
            going[place][1] += 1
            if turn + 1 == TURNS:
                following = next(waiting, None)
                going[place] = going[-1] if following is None else [following, 0]
                if following is None:
                    going.pop()
    return path.stat().st_size


def measure(file: Path, folder: Path) -> None:
    """Import in this process and print what it took, as JSON."""
    from arf_core import importing
    from arf_core.project import Project

    project = Project.create(folder)
    started = time.perf_counter()
    stages: dict[str, float] = {}
    report = importing.load(
        project,
        file,
        progress=lambda what, done, of: stages.update({what: time.perf_counter() - started}),
    )
    wall = time.perf_counter() - started
    helpers = max(1, min(len(os.sched_getaffinity(0)) - 1, 3))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        json.dumps(
            {
                "conversations": report.conversations,
                "messages": report.messages,
                "wall_s": wall,
                "read_s": stages["reading"],
                "cpu_s": sum(u.ru_utime + u.ru_stime for u in used),
                # of the helping processes only the largest is known
                "peak_mb": (used[0].ru_maxrss + helpers * used[1].ru_maxrss) / 1024,
                "store_mb": sum(p.stat().st_size for p in folder.glob("arf.db*")) / 2**20,
            }
        )
    )


def main() -> None:
    conversations = int(sys.argv[1]) if len(sys.argv) > 1 else CONVERSATIONS
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "messages.csv"
        size = write(file, conversations)
        command = [sys.executable, __file__, "--measure", str(file), str(Path(name) / "project")]
        found = json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout
        )
    assert found["messages"] == conversations * TURNS, found
    print("| messages | conversations | file | wall | of it reading | CPU | peak memory | store |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {found['messages']:,} | {found['conversations']:,} | {size / 2**20:.0f} MB "
        f"| {found['wall_s']:.1f} s | {found['read_s']:.1f} s | {found['cpu_s']:.1f} s "
        f"| {found['peak_mb']:.0f} MB | {found['store_mb']:.0f} MB |"
    )
    if conversations == CONVERSATIONS:
        met = found["wall_s"] <= TARGET_S and found["peak_mb"] <= TARGET_MB
        print(f"target: {TARGET_S} s, {TARGET_MB:,} MB: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
