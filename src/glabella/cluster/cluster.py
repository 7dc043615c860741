"""A cluster as a user asked for it, and what is said if it can't be used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from glabella.cluster.versions import list_other_versions
from glabella.errors import ClusterError, GlabellaError

# By name: the packages that define them need not be installed.
_OF_LOSS = frozenset(
    {
        "KilledWorker",
        "CancelledError",
        "FutureCancelledError",
        "CommClosedError",
        "Py4JError",
        "Py4JJavaError",
        "Py4JNetworkError",
    }
)


@dataclass(frozen=True)
class Cluster:
    """A cluster of workers.

    Parameters
    ----------
    kind : str
        ``Dask`` or ``Spark``.
    place : str
        The option that names it, for messages.
    again : str
        The command that continues after a loss, in words.
    """

    seconds_to_answer: ClassVar[int] = 10

    kind: str
    place: str
    again: str = "the same command with --resume"

    def describe_missing(self, package: str) -> ClusterError:
        """Say that the package is not installed that a cluster of this kind needs."""
        return ClusterError(
            f"a {self.kind} cluster needs the package {package}, and {package} is not installed",
            place=self.place,
            remedy=f"Install the extra: pip install 'glabella[{self.kind.lower()}]'",
        )

    def describe_silence(self, missing: str) -> ClusterError:
        """Say what did not answer in time, such as a scheduler or a worker."""
        return ClusterError(
            f"no {self.kind} {missing} answered within {self.seconds_to_answer} seconds",
            place=self.place,
            remedy=f"Start a {missing}, or correct the address.",
        )

    def compare_versions(self, ask: Callable[[], Iterable[dict[str, str]]]) -> None:
        """Refuse workers on which a fit or a score could differ from this machine's."""
        try:
            found = list(ask())
        except Exception as error:
            raise ClusterError(
                f"a worker can't say which versions it has ({type(error).__name__})",
                place=self.place,
                remedy=f"Install the same version of Glabella, of Python and of {self.kind} on "
                "every worker.",
            ) from None
        for there in found:
            other = list_other_versions(there)
            if other:
                raise ClusterError(
                    f"a worker has other versions: {', '.join(other)}",
                    place=self.place,
                    remedy="Install the same on every worker: results must not depend on which "
                    "of them computes.",
                )

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Say in a message if the cluster is lost; what it printed may hold a participant's row."""
        try:
            yield
        except GlabellaError:
            raise
        except Exception as error:
            name = type(error).__name__
            if name in _OF_LOSS or isinstance(error, ConnectionError | TimeoutError):
                raise ClusterError(
                    f"the cluster was lost on the way ({name})",
                    place=self.place,
                    remedy="Look at its log for memory. What was finished is kept: run "
                    f"{self.again}.",
                ) from None
            raise
