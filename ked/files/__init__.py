"""The ground that everything stored stands on: the home folder, whole files, locks, lines of JSON."""
