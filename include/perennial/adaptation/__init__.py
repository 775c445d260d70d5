"""A cheap nightly layer over an old champion: what it learned since, without a training.

Each night a mixture of the champion, of three corrections of it and of a small nightly twin is
weighed by what each lost on the nights whose labels have matured. Learning and serving are pure: state,
night and rows in, a new state or scores out. Measured in ``docs/season.md``.
"""
