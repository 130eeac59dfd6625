"""Sentences in Chinese and English: two catalogues, and the modules that choose what to say from them."""
