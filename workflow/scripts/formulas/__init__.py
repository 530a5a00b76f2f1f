"""The language of losses and normalizations, and the algebra of its rewritings."""
