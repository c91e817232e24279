"""The fields of what a source returns, each turned into its declared type without loss, or refused in a sentence.

A source may return lists, other widths of numbers, or numbers as names: what can be said exactly in the declared type
is converted. The sentences say field, row and value; the caller puts the name of the source in front.
"""
