"""How the guarantee is measured: schemas with instances that are known to be valid or not.

Read in this order: `cases` -> `spelling` -> `systems` -> `judging` -> `workers` -> `reporting`.
`incremental` and `generation` are measurements of their own.
"""
