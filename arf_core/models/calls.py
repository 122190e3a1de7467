"""What stands between every verb and every model.

Cache, then limits, then the call with retries, then the reply read and validated with one re-ask,
then a recorded failure with its reason and the raw text. Answers are stored before they are handed
on, so that a killed run sends nothing again that was answered.

The verbs are plain functions: `stream` runs the event loop in a thread of its own and yields
answers as they come, in a notebook as well as in a script.
"""

import asyncio
import contextlib
import queue
import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy import select

from arf_core.errors import ModelError, ReplyError
from arf_core.models import QUESTION, ChatModel, Pending, Reply, Request, admit
from arf_core.models.cost import Account, Entry
from arf_core.models.limits import AdaptiveLimit, Pace, check_length
from arf_core.models.masking import mask, unmask
from arf_core.models.replies import unusable
from arf_core.project import Project
from arf_core.records import now
from arf_core.run import Answer, Failure, Usage
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.writes import Row, insert_new, replace_rows

I = TypeVar("I")  # noqa: E741 (the item that is asked about)
T = TypeVar("T")
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
PAGE = 64
"""Requests made, and looked up among the stored answers, at once."""
WAITING = 256
"""Answers that wait for the verb, at most: this bounds the memory."""


@dataclass(frozen=True)
class Ask(Generic[I, T]):
    """A request about an item, and how to read the reply."""

    item: I
    request: Request
    parse: Callable[[str], T]
    """Turns the reply's text into the value. Raises ReplyError."""


Done = tuple[Answer[I, T], Row | None]
"""An answer, and the row to store of it."""


def stream(
    project: Project, model: ChatModel, asks: Iterable[Ask[I, T]], *, fresh: bool = False
) -> Iterator[Answer[I, T]]:
    """Ask them all, as many at a time as the server keeps up with; yield answers as they come.

    `fresh` ignores stored answers. Raises ModelError where no call can succeed, or the project's
    privacy settings or budget forbid it. Closing the iterator cancels what is in flight.
    """
    admit(model, project.settings.privacy)
    answers: queue.Queue[Answer[I, T] | BaseException | None] = queue.Queue(maxsize=WAITING)
    pipeline = _Pipeline(project, model, asks, answers, fresh)
    thread = threading.Thread(target=pipeline.run, name=f"calls to {model.name}", daemon=True)
    thread.start()
    try:
        while (answer := answers.get()) is not None:
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:
        pipeline.stop()
        while thread.is_alive():  # make room for a producer that waits to put
            with contextlib.suppress(queue.Empty):
                answers.get(timeout=0.05)
        thread.join()


class _Pipeline(Generic[I, T]):
    """Requests → workers → store → the verb, each held to the pace of the next."""

    def __init__(
        self,
        project: Project,
        model: ChatModel,
        asks: Iterable[Ask[I, T]],
        answers: "queue.Queue[Answer[I, T] | BaseException | None]",
        fresh: bool,
    ) -> None:
        self._asks = iter(asks)
        self._page: deque[tuple[Ask[I, T], Reply | None]] = deque()
        self._model = model
        self._store = project.store
        self._answers = answers
        self._fresh = fresh
        self._limit = AdaptiveLimit(model.traits.max_concurrency)
        self._meter = project.meter
        self._meter.watch(self._limit)
        self._pace = Pace(model.traits)
        self._masked = project.settings.privacy.mask and model.traits.leaves
        self._account = Account(project.store, project.settings.limits, model, self._masked)
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def run(self) -> None:
        """The thread's body. Ends by handing over None, or what went wrong."""
        try:
            asyncio.run(self._main())
            self._answers.put(None)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            self._answers.put(error)

    def stop(self) -> None:
        """Cancel what is in flight. Safe from any thread, at any time."""
        self._stopped = True
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def _main(self) -> None:
        self._task = asyncio.current_task()
        try:
            if not self._stopped:  # before the task was there to be cancelled
                await self._work()
        finally:
            await self._model.close()

    async def _work(self) -> None:
        n = self._model.traits.max_concurrency
        # no longer than that: what waits here is answered and paid for, but not stored yet
        answered: asyncio.Queue[Done[I, T] | None] = asyncio.Queue(n)
        storing = asyncio.create_task(self._hand_on(answered))
        workers = [asyncio.create_task(self._worker(answered)) for _ in range(n)]
        # where storing fails, the workers would wait for ever to hand over their answers
        storing.add_done_callback(lambda _: [worker.cancel() for worker in workers])
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        finally:
            if self._stopped:
                storing.cancel()
            else:
                if not storing.done():
                    await answered.put(None)
                await storing

    async def _worker(self, answered: "asyncio.Queue[Done[I, T] | None]") -> None:
        while (ask := self._next()) is not None:
            await answered.put(await self._answer(*ask))

    def _next(self) -> tuple[Ask[I, T], Reply | None] | None:
        """The next request, and its stored answer where there is one; None at the end."""
        if not self._page:
            asks = list(islice(self._asks, PAGE))
            stored = self._stored([ask.request for ask in asks])
            self._page.extend((ask, stored.get(self._key(ask.request))) for ask in asks)
        return self._page.popleft() if self._page else None

    async def _hand_on(self, answered: "asyncio.Queue[Done[I, T] | None]") -> None:
        """Store and hand on whatever has come, in one write each time."""
        last = False
        while not last:
            batch = [await answered.get()]
            while not answered.empty():
                batch.append(answered.get_nowait())
            last = batch[-1] is None
            done = [d for d in batch if d is not None]
            await asyncio.to_thread(self._store_and_put, done, self._account.take_entries())

    def _store_and_put(self, done: list[Done[I, T]], entries: list[Entry]) -> None:
        rows = [row for _, row in done if row]
        if rows or entries:
            with self._store.write() as conn:
                replace_rows(conn, schema.call, rows)
                insert_new(conn, schema.ledger, [dict(entry) for entry in entries])
            self._account.refresh()
        for answer, _ in done:
            self._answers.put(answer)

    async def _answer(self, ask: Ask[I, T], stored: Reply | None) -> Done[I, T]:
        answer = Answer[I, T](ask.item)
        request = ask.request
        for last in (False, True):
            try:
                reply = stored or await self._call(request, answer.usage)
            except Pending as pending:
                return answer, self._row(request, None, body=str(pending))
            except ModelError as error:
                if error.fatal:
                    raise
                answer.failure = Failure(error.reason, error.message)
                return answer, None
            reply = unmask(reply, request)
            answer.failure = unusable(reply)
            if answer.failure:
                return answer, None
            try:
                answer.value = ask.parse(reply.text)
            except ReplyError as error:
                if last:
                    answer.failure = Failure("schema", str(error), reply.text)
                    return answer, None
                request = request.again(reply.text, str(error))
                stored = self._stored([request]).get(self._key(request))
                continue
            if stored:
                answer.usage.cached += 1
            if stored or not self._model.traits.cacheable:
                return answer, None
            # under the first asking's key, so that a restart finds the usable answer at once
            return answer, self._row(ask.request, reply)
        raise AssertionError("unreachable: the last round returns")

    async def _call(self, request: Request, usage: Usage) -> Reply:
        """Call until it answers, fails for good, or the retries are used up."""
        check_length(request, self._model)
        wait, left = FIRST_WAIT_S, self._model.traits.retries
        while True:
            try:
                return await self._call_once(request, usage)
            except ModelError as error:
                if not error.retryable or left == 0:
                    raise
                await asyncio.sleep(error.retry_after or wait * random.uniform(0.5, 1.5))
            wait, left = min(2 * wait, LONGEST_WAIT_S), left - 1

    async def _call_once(self, request: Request, usage: Usage) -> Reply:
        """One call, within pace and budget, in a slot that is free again when it ends."""
        await self._pace.wait(request)
        async with self._account.reserved(request):
            begun = await self._limit.acquire()
            overloaded = False
            try:
                reply = await self._model.complete(mask(request) if self._masked else request)
            except ModelError as error:
                overloaded = error.overloaded
                self._account.record(request, None)
                usage.calls += 1
                self._meter.calls += 1
                self._meter.refused[error.reason] += 1
                raise
            finally:
                self._limit.release(begun, overloaded=overloaded)
            cost = self._account.record(request, reply)
            for counter in (usage, self._meter):
                counter.count(reply.prompt_tokens, reply.completion_tokens, cost)
            return reply

    def _key(self, request: Request) -> str:
        return request.key(self._model.identity)

    def _stored(self, requests: list[Request]) -> dict[str, Reply]:
        """Stored answers by key; none with `fresh`, or where asking again costs nothing."""
        if self._fresh or not self._model.traits.cacheable:
            return {}
        return stored_replies(self._store, map(self._key, requests))

    def _row(self, request: Request, reply: Reply | None, body: str | None = None) -> Row:
        """The row to store of a request; one without a reply is pending, with its body."""
        return {
            "key": self._key(request),
            "model": self._model.name,
            "prompt_hash": request.prompt_hash,
            "at": now(),
            **{name: getattr(request, name) for name in QUESTION},
            "status": "answered" if reply else "pending",
            "body": body,
            "reply": reply and reply.text,
            "finish_reason": reply and reply.finish_reason,
            "prompt_tokens": reply.prompt_tokens if reply else 0,
            "completion_tokens": reply.completion_tokens if reply else 0,
        }


def stored_replies(store: Store, keys: Iterable[str]) -> dict[str, Reply]:
    """Answers in the store by their keys."""
    table = schema.call
    query = select(table.c.key, table.c.reply, table.c.finish_reason)
    query = query.where(table.c.key.in_(keys), table.c.status == "answered")
    with store.read() as conn:
        return {
            row.key: Reply(text=row.reply, finish_reason=row.finish_reason)
            for row in conn.execute(query)
        }
