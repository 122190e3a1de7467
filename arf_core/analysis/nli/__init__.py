"""Does a conversation support a sentence? Asked of a classifier, not of a chat model.

Any Hugging Face sequence classifier that takes (text, claim): NLI models, MiniCheck and its like.
`classifier` loads one and scores pairs in batches; `claims` cuts conversations into windows of
turns that fit, so that nothing is truncated.
"""
