"""Why a loss stopped being finite, in facts and in words."""
