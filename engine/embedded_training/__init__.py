"""Makes the embedded model: corpus, tokenizer, training, scoring and export.

Not a part of the wheel. Read in this order:

- the corpus: `values` -> `tables` -> `passages` -> `schemas` -> `questions` -> `corpus`, over the
  hand-written tables in `tables/`;
- the model: `tokenizer` -> `prompts` -> `layout` -> `network` -> `priming`;
- a run: `batching` -> `optimizer` -> `training`;
- what became of it: `evaluation_sets` -> `exactness` -> `forced_scoring`, `greedy_scoring` ->
  `export`.

Only `network`, `priming`, `optimizer`, `batching`, `training`, `forced_scoring` and `export` import
torch.
"""
