"""An engine: one process that works on shard after shard, and is replaced when a picture ends it."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from facecli.contract import EnginePlugin, ShardReport, hookimpl

_opened = []  # the worker of this process, where it works


def _do(work, threads, shard):
    """Work on a shard, in the process of the worker; the models are loaded for the first one."""
    if not _opened:
        _opened.append(work.open(threads))
    return _opened[0](shard)


class OneProcess:
    """Runs shards. A shard is taken when the process is free, because a signal ends the iterable."""

    def __init__(self, threads):
        self._threads = threads

    def run(self, work, shards):
        """Yield a report per shard."""
        pool = None
        try:
            for shard in shards:
                pool = pool or ProcessPoolExecutor(1, get_context("spawn"))
                try:
                    report = pool.submit(_do, work, self._threads, shard).result()
                except BrokenProcessPool:  # facecli gives the shard again, and finds the picture
                    report, pool = ShardReport(shard.number, lost="its process has ended"), None
                yield report
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)


@hookimpl
def facecli_engines():
    """Yield the engine."""
    yield EnginePlugin(
        name="example-one-process",
        summary="one process that works on shard after shard",
        load=lambda resources, _parameters: OneProcess(resources.threads or resources.cores),
    )
