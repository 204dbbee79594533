"""Trains the embedded model: ``python -m embedded_training.training --out DIR --minutes 90``.

On a CPU, several single-threaded workers share each batch: the bfloat16 products of PyTorch use
one thread only. On a GPU there is one worker, and other processes invent the texts for it. A run
that was interrupted goes on from its last checkpoint when the same command is given again.
"""

import argparse
import os
import sys
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from embedded_training.batching import Batch, BatchSource, stream_of
from embedded_training.exactness import Score
from embedded_training.export import read_gguf, shape_of
from embedded_training.forced_scoring import evaluation_tokens, score_forced
from embedded_training.network import Network
from embedded_training.operations import cross_entropy, kernels, kernels_run_here
from embedded_training.optimizer import LearningRates, Optimizer
from embedded_training.reporting import CHECKPOINT, Progress, Reporter, RunOptions
from embedded_training.tokenizer import load_tokenizer, make_encoder
from steer_engine.models import embedded_path

WARM_UP_STEPS = 40


def rate_factor(options: RunOptions, progress: Progress) -> float:
    """Return the share of the usual step size: warm-up, constant, then linearly down to 0."""
    warm = min(1.0, (progress.n_steps + 1) / WARM_UP_STEPS)
    left = 1 - progress.minutes / options.minutes
    return options.rate * warm * min(1.0, max(0.01, left / (1 - options.hold)))


def train(worker: int, options: RunOptions) -> None:
    """Run one of the workers until the time is over."""
    if options.n_workers > 1:
        torch.set_num_threads(1)
        _join_group(worker, options)
    torch.manual_seed(options.seed)
    network = Network(shape_of(options.begin_with), seed=options.seed)
    network.load_state_dict(read_gguf(options.begin_with))
    network.to(options.device)
    optimizer = Optimizer(
        network,
        LearningRates(),
        worker=worker,
        n_workers=options.n_workers,
        add_up=_add_up if options.n_workers > 1 else None,
    )
    progress = _resume(options, network, optimizer)
    encode = make_encoder(load_tokenizer())
    stream = stream_of(
        BatchSource(
            seed=f"{options.seed} {progress.n_starts}",
            batch_tokens=options.batch_tokens,
            worker=worker,
            n_workers=options.n_workers,
        ),
        n_readers=options.n_readers,
    )
    reporter = Reporter(options, progress, network, optimizer, leads=worker == 0)
    sets = evaluation_tokens(encode, n_examples=60)
    while progress.minutes < options.minutes:
        batch = next(stream)
        loss = _train_step(network, optimizer, batch, options, rate_factor(options, progress))
        progress.n_steps += 1
        progress.n_tokens += batch.n_tokens
        progress.minutes = _agreed(reporter.minutes(), options)
        reporter.report_step(loss)
        if reporter.evaluation_is_due():
            own = {name: part[worker :: options.n_workers] for name, part in sets.items()}
            reporter.report_scores(_gathered(score_forced(network, own), options))
    reporter.save()


def _train_step(
    network: Network, optimizer: Optimizer, batch: Batch, options: RunOptions, factor: float
) -> float:
    """Take one step; return the mean loss of the tokens that are the model's choice."""
    device = options.device
    logits = network(batch.tokens.to(device), dtype=torch.bfloat16, kept=batch.places.to(device))
    losses = cross_entropy(logits, batch.targets.to(device))
    weights = batch.weights.to(device)
    network.zero_grad(set_to_none=True)
    # The gradients of the workers are added up, so each counts for its share.
    mean = (losses * weights).sum() / weights.sum() / options.n_workers
    mean.backward()  # type: ignore[no-untyped-call]
    if options.n_workers > 1:
        _add_up([weight.grad for weight in network.parameters() if weight.grad is not None])
    optimizer.step(factor)
    return float(losses.detach()[weights >= 1].mean())


def _join_group(worker: int, options: RunOptions) -> None:
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.port)}
    os.environ.update(address, GLOO_SOCKET_IFNAME="lo")
    distributed.init_process_group("gloo", rank=worker, world_size=options.n_workers)


def _add_up(tensors: list[Tensor]) -> None:
    """Replace each tensor by its sum over all workers, in bfloat16, as its parts were computed."""
    flat = torch.cat([tensor.flatten().bfloat16() for tensor in tensors])
    distributed.all_reduce(flat)
    start = 0
    for tensor in tensors:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def _agreed(minutes: float, options: RunOptions) -> float:
    """Return the first worker's clock, so that all workers stop and slow down together."""
    if options.n_workers == 1:
        return minutes
    clock: Tensor = torch.tensor([minutes], dtype=torch.float64)
    distributed.broadcast(clock, 0)
    return float(clock)


def _gathered(scores: dict[str, Score], options: RunOptions) -> dict[str, Score]:
    if options.n_workers == 1:
        return scores
    parts: list[Any] = [None] * options.n_workers
    distributed.all_gather_object(parts, scores)
    return {name: sum((part[name] for part in parts), Score()) for name in scores}


def _resume(options: RunOptions, network: Network, optimizer: Optimizer) -> Progress:
    """Load the last checkpoint, if there is one."""
    path = options.out / CHECKPOINT
    if not path.exists():
        return Progress()
    stored = torch.load(path, map_location=options.device, weights_only=True)
    network.load_state_dict(stored["network"])
    optimizer.load_state(stored["optimizer"])
    progress = Progress(**stored["progress"])
    progress.n_starts += 1
    return progress


def _read_options() -> RunOptions:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and log")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--hold", type=float, default=0.2, help="share before the rate falls")
    parser.add_argument("--rate", type=float, default=1.0, help="share of the usual step sizes")
    parser.add_argument("--batch-tokens", type=int, help="of one step; 20,480 on a CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--n-workers", type=int, help="one per core on a CPU")
    parser.add_argument("--n-readers", type=int, help="processes that invent texts for a GPU")
    parser.add_argument("--port", type=int, default=29521)
    parser.add_argument("--eval-tokens", type=int, help="between two evaluations")
    parser.add_argument("--checkpoint-minutes", type=float, default=3)
    parser.add_argument(
        "--begin-with", type=Path, default=embedded_path(), help="GGUF to train further"
    )
    arguments = vars(parser.parse_args())
    on_cpu, n_cores = arguments["device"] == "cpu", os.cpu_count() or 1
    usual = {
        "n_workers": n_cores if on_cpu else 1,
        "n_readers": 0 if on_cpu else max(1, n_cores - 1),
        "batch_tokens": 20_480 if on_cpu else 65_536,
        "eval_tokens": 2_000_000 if on_cpu else 100_000_000,
    }
    chosen = {name: value for name, value in arguments.items() if value is not None}
    return RunOptions(**usual | chosen)


def _compile_kernels() -> None:
    """Compile the kernels before the workers do it all at once."""
    try:
        kernels()
    except (RuntimeError, OSError, CalledProcessError) as error:
        sys.exit(f"install g++ and ninja, for the kernels did not compile: {error}")


def main() -> None:
    """Train with the options of the command line."""
    options = _read_options()
    if options.device == "cpu" and kernels_run_here():
        _compile_kernels()
    if options.n_workers == 1:
        train(0, options)
    else:
        spawn(train, (options,), nprocs=options.n_workers)  # type: ignore[no-untyped-call]  # torch's


if __name__ == "__main__":
    main()
