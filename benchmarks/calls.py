"""How fast and how safely models are called.

python benchmarks/calls.py speed       5,000 calls, 64 at a time, 100 ms at the server
python benchmarks/calls.py memory      the same with 5,000 and 50,000 calls
python benchmarks/calls.py limit       a server that allows 40 at once and answers 429 above
python benchmarks/calls.py kill [N]    N times SIGKILL at random moments of a 2,000-call run
python benchmarks/calls.py restart     100,000 done, 10 to do: time to the first call
"""

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from arf_core.models import Request, open_model
from arf_core.models.calls import Ask, stream
from arf_core.models.registry import add_model
from arf_core.project import Project
from arf_core.records import (
    Analysis,
    Conversation,
    Item,
    Reading,
    Summary,
    System,
    Turn,
    digest,
    fingerprint_of,
    now,
)

CALLS, AT_ONCE, SECONDS = 5000, 64, 0.1
PROMPT = "The customer writes that the lamp came broken and wants a new one by Friday. " * 80


@contextmanager
def server(seconds: float = SECONDS, allowed: int = 10**9) -> Iterator[str]:
    """A chat server in a process of its own; yields its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = Path(__file__).with_name("chat_server.py")
    command = [sys.executable, str(file), str(port), str(seconds), str(allowed)]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{url}/counts", timeout=1)
            break
        except OSError:
            time.sleep(0.05)
    try:
        yield f"{url}/v1"
    finally:
        process.kill()
        process.wait()


def messages(i: int) -> list[dict[str, str]]:
    return [{"role": "system", "content": PROMPT}, {"role": "user", "content": f"{PROMPT} {i}"}]


def ours(url: str, n: int, most: int = AT_ONCE) -> float:
    """Wall seconds of n calls through our layer, answers parsed and stored."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(Path(folder) / "p")
        options = {"provider": "openai_api", "base_url": url, "model": "m", "max_concurrency": most}
        model = open_model(
            "m", options | {"schema_means": "json_schema", "retries": 10}, project.path
        )
        asks = (
            Ask(
                item=i,
                request=Request(
                    task="t",
                    conversation=str(i),
                    subject="s",
                    messages=tuple(messages(i)),
                    schema_={"type": "object"},
                ),
                parse=json.loads,
            )
            for i in range(n)
        )
        started = time.perf_counter()
        done = sum(1 for answer in stream(project, model, asks) if answer.value is not None)
        seconds = time.perf_counter() - started
        assert done == n
        project.close()
        return seconds


def plain_openai(url: str, n: int, most: int = AT_ONCE) -> float:
    from openai import AsyncOpenAI

    async def work() -> float:
        slots = asyncio.Semaphore(most)
        async with AsyncOpenAI(base_url=url, api_key="none") as client:

            async def call(i: int) -> None:
                async with slots:
                    done = await client.chat.completions.create(model="m", messages=messages(i))
                    json.loads(done.choices[0].message.content)

            started = time.perf_counter()
            await asyncio.gather(*(call(i) for i in range(n)))
            return time.perf_counter() - started

    return asyncio.run(work())


def bare_aiohttp(url: str, n: int, most: int = AT_ONCE) -> float:
    async def work() -> float:
        slots = asyncio.Semaphore(most)
        connector = aiohttp.TCPConnector(limit=most)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def call(i: int) -> None:
                body = {"model": "m", "messages": messages(i)}
                async with slots, session.post(f"{url}/chat/completions", json=body) as response:
                    answer = await response.json()
                    json.loads(answer["choices"][0]["message"]["content"])

            started = time.perf_counter()
            await asyncio.gather(*(call(i) for i in range(n)))
            return time.perf_counter() - started

    return asyncio.run(work())


def speed(rounds: int = 3) -> None:
    ideal = CALLS / AT_ONCE * SECONDS
    ways = {"this layer, stored": ours, "AsyncOpenAI": plain_openai, "bare aiohttp": bare_aiohttp}
    times: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    with server() as url:
        for _ in range(rounds):
            for name, way in ways.items():
                before = time.process_time()
                times[name].append(way(url, CALLS))
                cpu[name].append((time.process_time() - before) / CALLS * 1000)
    print(
        f"| {CALLS:,} calls, {AT_ONCE} at a time, {SECONDS * 1000:.0f} ms at the server (ideal "
        f"{ideal:.1f} s) | median s | × ideal | CPU ms a call |\n|---|---|---|---|"
    )
    for name in ways:
        median = statistics.median(times[name])
        used = statistics.median(cpu[name])
        print(f"| {name} | {median:.2f} | {median / ideal:.2f} | {used:.2f} |")


def memory() -> None:
    print("| calls | wall s | peak memory MB |\n|---|---|---|")
    for n in (5_000, 50_000):
        code = (
            "import sys; sys.path.insert(0, sys.argv[3]);"
            "from benchmarks.calls import ours; import resource;"
            "s = ours(sys.argv[1], int(sys.argv[2]));"
            "print(s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        with server(seconds=0.02) as url:
            root = str(Path(__file__).parents[1])
            command = [sys.executable, "-c", code, url, str(n), root]
            out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        seconds, peak = map(float, out.stdout.split())
        print(f"| {n:,} | {seconds:.1f} | {peak:.0f} |")


def limit(allowed: int = 40) -> None:
    with server(allowed=allowed) as url:
        started = time.time()
        ours(url, 8_000, most=128)
        with urllib.request.urlopen(url.removesuffix("/v1") + "/counts") as answer:
            counts = json.load(answer)
    times = [t - started for t in counts["answered"]]
    whole = [sum(s <= t < s + 1 for t in times) for s in range(int(max(times)))]
    capacity = allowed / SECONDS
    print(f"| server allows {allowed} at once | share of its capacity |\n|---|---|")
    for first, last in ((0, 2), (2, 5), (5, 10), (10, len(whole))):
        part = whole[first:last]
        if part:
            print(f"| seconds {first}–{last} | {100 * sum(part) / len(part) / capacity:.0f} % |")
    refused = counts["refused"] / (counts["refused"] + len(times))
    print(f"| refused | {100 * refused:.2f} % of the calls |")


def summaries(project: Project, n: int) -> None:
    for first in range(0, n, 5000):
        made = []
        for i in range(first, min(first + 5000, n)):
            turns = (Turn(speaker="customer", text=f"Where is parcel {i}?"),)
            made.append(
                Conversation(
                    id=digest("b", str(i)),
                    external_id=str(i),
                    source="b",
                    fingerprint=fingerprint_of(turns),
                    turns=turns,
                    split="train",
                )
            )
        project.store.add(made)
        project.store.put_summaries([Summary.of(c.id, "teacher", "A parcel.") for c in made])
    project.store.add([System(name="teacher", kind="teacher")])


def kill(times: int = 100) -> None:
    """Nothing lost; sent twice only what was in flight, or answered and just being stored."""
    rng = random.Random(1)
    calls, at_once = 2000, 32
    twice: list[int] = []
    with server(seconds=0.02) as url:
        for n in range(times):
            with tempfile.TemporaryDirectory() as folder:
                project = Project.create(Path(folder) / "p")
                summaries(project, calls)
                options = {"provider": "openai_api", "base_url": url, "model": str(n)}
                more = {"max_concurrency": at_once, "schema_means": "json_schema"}
                add_model(project, "m", options | more)
                command = [sys.executable, "-m", "arf_core.cli", "analyze", str(project.path)]
                command += ["--detector", "llm", "--model", "m", "--json"]
                before = answered(url)
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                while answered(url) == before:
                    time.sleep(0.01)
                time.sleep(rng.random() * 1.5)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                report = json.loads(done.stdout)
                assert report["done"] + report["skipped"] == calls, report
                twice.append(answered(url) - before - calls)
                assert twice[-1] <= 2 * at_once, twice[-1]
                project.close()
    print("| SIGKILL at random moments of a 2,000-call run, 32 in flight | |\n|---|---|")
    print(f"| runs | {times} |\n| answers lost | 0 |")
    print(
        f"| calls answered twice (in flight or being stored: up to {2 * at_once}) | median "
        f"{statistics.median(twice):.0f}, most {max(twice)} |"
    )


def answered(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/counts") as answer:
        return len(json.load(answer)["answered"])


def restart(n: int = 100_000, open_ones: int = 10, runs: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder, server(seconds=0.001) as url:
        project = Project.create(Path(folder) / "p")
        summaries(project, n)
        add_model(project, "m", {"provider": "openai_api", "base_url": url, "model": "m"})
        project = Project.open(project.path)
        mark_read(project, n - open_ones)
        project.close()
        firsts, cpus = [], []
        for run in range(runs):
            copy = Path(folder) / f"run{run}"
            shutil.copytree(project.path, copy)
            first, cpu = restarted(copy, url, n - open_ones, open_ones)
            firsts.append(first)
            cpus.append(cpu)
    print(
        f"| restart with {n - open_ones:,} done and {open_ones} to do, {runs} runs | |\n|---|---|"
    )
    print(
        "| seconds from the command to the first answer | median "
        f"{statistics.median(firsts):.2f}, least {min(firsts):.2f} |"
    )
    print(f"| CPU seconds of the whole command | median {statistics.median(cpus):.2f} |")


def restarted(path: Path, url: str, done: int, open_ones: int) -> tuple[float, float]:
    """Seconds from the command to the server's first answer, and CPU seconds of the command."""
    command = [sys.executable, "-m", "arf_core.cli", "analyze", str(path)]
    command += ["--detector", "llm", "--model", "m", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.time()
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(told.stdout)
    assert (report["skipped"], report["done"]) == (done, open_ones), report
    with urllib.request.urlopen(url.removesuffix("/v1") + "/counts") as answer:
        first = min(t for t in json.load(answer)["answered"] if t >= started) - started
    cpu = sum(getattr(after, u) - getattr(before, u) for u in ("ru_utime", "ru_stime"))
    return first, cpu


def mark_read(project: Project, n: int) -> None:
    """Readings as `analyze` would store them, for all but the last."""
    from arf_core.analysis.detectors import open_detector
    from arf_core.store.queries import items

    detector = open_detector(project, "llm", "m")
    settings = digest(detector.settings)
    left = n
    for page in items(project.store, "teacher", page=500):
        page = page[:left]
        left -= len(page)
        project.store.put_readings([_read(item, detector.name, settings, project) for item in page])
        if left <= 0:
            return


def _read(item: Item, detector: str, settings: str, project: Project) -> Reading:
    analysis = Analysis(
        id=f"a{item.summary.id}",
        summary_id=item.summary.id,
        detector=detector,
        settings_hash=settings,
        taxonomy_hash=project.taxonomy.hash,
        status="done",
        at=now(),
    )
    return Reading(item=item, analysis=analysis)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "memory", "limit", "kill", "restart"])
    parser.add_argument("times", type=int, nargs="?", default=100)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    work = {"speed": speed, "memory": memory, "limit": limit, "restart": restart}
    kill(given.times) if given.what == "kill" else work[given.what]()


if __name__ == "__main__":
    main()
