"""Keyrings, passphrases and random bytes, as hypothesis draws them."""

from hypothesis import strategies as st

from creditbank.signing.keys import KEY_BYTES, Keyring, is_origin

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)

origins = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(is_origin)

keyrings = st.builds(Keyring, origin=origins, key_encryption_key=keys, index_key=keys, checkpoint_seed=keys)

passphrases = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
