"""What a backend computes, kept."""


def forward(backend, runs):
    """Return copies: the next call may overwrite what a backend returns."""
    return [logits.copy() for logits in backend.forward(runs)]
