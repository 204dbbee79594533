"""How rows per second are compared: ours and its peers, on one model, with the same prompts.

Read in this order: `cases` -> `watch` -> `systems` -> `worker` -> `driver` -> `measuring` ->
`reporting`; `environments` and `half_billion` make what has to be there first. Each system runs
in a process of its own, `worker`, and most modules are imported there by another Python.
"""
