from steps import counts, figures, minutes


def answer(tables, params):
    return figures(minutes(counts(tables["requests"]))).collect(engine="streaming")
