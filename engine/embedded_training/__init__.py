"""Makes the embedded model: corpus, tokenizer, training, scoring and export.

Not a part of the wheel. Read in this order:

- random values: `randomness` -> `wording` -> `names`, `identifiers`, `quantities` -> `values`;
- texts: `tables` -> `forms` -> `passages` -> `envelopes`;
- what is asked about them: `schemas` -> `field_names` -> `questions`, `choice_questions`;
- the corpus: `asking` -> `single_examples`, `collection_examples`, `choice_examples`,
  `row_examples`, `sheet_examples` -> `corpus`;
- the model: `tokenizer` -> `prompts` -> `layout` -> `operations` -> `network`,
  then `export` -> `pretrained`;
- a run: `batching` -> `optimizer` -> `reporting` -> `training`;
- what became of it: `evaluation_sets` -> `exactness` -> `forced_scoring` -> `agreement`.

The corpus and `exactness` work without torch.
"""
