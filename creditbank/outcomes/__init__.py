"""What a learner has achieved, as its issuer states it: six kinds of outcome, and dated vocabularies."""
