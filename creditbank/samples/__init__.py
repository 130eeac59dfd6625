"""A few invented learners, schools and a station, for `creditbank demo`. Nothing here is about anyone."""
