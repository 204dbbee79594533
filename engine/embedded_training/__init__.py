"""Makes the embedded model: corpus, tokenizer, training, scoring and export.

Not a part of the wheel. Read in this order:

- random values: `randomness` -> `names`, `identifiers`, `quantities` -> `values`;
- texts and what is asked about them: `tables` -> `passages` -> `schemas` -> `questions`;
- the corpus: `asking` -> `single_examples`, `choice_examples`, `row_examples`, `sheet_examples` ->
  `corpus`;
- the model: `tokenizer` -> `prompts` -> `layout` -> `network` -> `priming`;
- a run: `batching` -> `optimizer` -> `reporting` -> `training`;
- what became of it: `evaluation_sets` -> `exactness` -> `forced_scoring`, `greedy_scoring` ->
  `export`.

The corpus and `greedy_scoring` work without torch.
"""
