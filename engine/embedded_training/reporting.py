"""What a training run leaves: its log, a one-line status and its checkpoints."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from embedded_training.exactness import Score
from embedded_training.network import Network
from embedded_training.optimizer import Optimizer

CHECKPOINT = "checkpoint.pt"
LOG_STEPS = 50


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a training run is told."""

    out: Path
    minutes: float
    hold: float
    rate: float
    batch_tokens: int
    seed: int
    n_workers: int
    n_readers: int
    device: str
    port: int
    eval_tokens: int
    checkpoint_minutes: float
    begin_with: Path


@dataclass(slots=True)
class Progress:
    """How far a run is; stored in its checkpoints."""

    n_steps: int = 0
    n_tokens: int = 0
    minutes: float = 0.0
    n_starts: int = 0


class Reporter:
    """Writes the log, a one-line status and the checkpoints; only the leading worker does."""

    def __init__(
        self,
        options: RunOptions,
        progress: Progress,
        network: Network,
        optimizer: Optimizer,
        *,
        leads: bool,
    ) -> None:
        self._options, self._progress = options, progress
        self._network, self._optimizer = network, optimizer
        self._leads = leads
        self._start = time.monotonic() - 60 * progress.minutes
        self._first = (progress.n_tokens, progress.minutes)
        self._losses: list[float] = []
        self._saved = progress.minutes
        self._evaluated = progress.n_tokens
        options.out.mkdir(parents=True, exist_ok=True)

    def minutes(self) -> float:
        """Return how long the run has taken, earlier parts included."""
        return (time.monotonic() - self._start) / 60

    def report_step(self, loss: float) -> None:
        """Note a step; write the log line and the checkpoint when they are due."""
        if not self._leads:
            return
        self._losses.append(loss)
        progress = self._progress
        if progress.n_steps % LOG_STEPS == 0:
            mean = sum(self._losses) / len(self._losses)
            self._losses.clear()
            self._log({**asdict(progress), "loss": round(mean, 4), "speed": self._speed()})
        if progress.minutes - self._saved >= self._options.checkpoint_minutes:
            self._saved = progress.minutes
            self.save()

    def evaluation_is_due(self) -> bool:
        """Tell whether to evaluate now; the same for all workers."""
        if self._progress.n_tokens - self._evaluated < self._options.eval_tokens:
            return False
        self._evaluated = self._progress.n_tokens
        return True

    def report_scores(self, scores: dict[str, Score]) -> None:
        """Write the scores to the log."""
        if self._leads:
            self._log(
                {**asdict(self._progress), "scores": {k: s.shares() for k, s in scores.items()}}
            )

    def save(self) -> None:
        """Replace the checkpoint."""
        if not self._leads:
            return
        path = self._options.out / CHECKPOINT
        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self._network.state_dict(),
                "shape": asdict(self._network.shape),
                "optimizer": self._optimizer.state(),
                "progress": asdict(self._progress),
            },
            part,
        )
        part.replace(path)

    def _speed(self) -> int:
        n_tokens, minutes = self._first
        seconds = 60 * (self._progress.minutes - minutes)
        return round((self._progress.n_tokens - n_tokens) / max(seconds, 1e-9))

    def _log(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry)
        with (self._options.out / "training_log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        (self._options.out / "STATUS").write_text(line + "\n", encoding="utf-8")
