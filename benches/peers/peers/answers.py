"""Answers of different engines, made comparable: rows of text, whole numbers, floats and None, by their key."""
import math

TOLERANCE = 1e-9


def normal(value):
    """A value as all engines would say it: numbers are numbers, NaN is a mistake of the form and stays one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def normalise(rows, keys):
    """Rows by key: the first `keys` values of each. Two rows with one key are a mistake."""
    answer = {}
    for row in rows:
        values = [normal(value) for value in row]
        key = tuple(str(value) for value in values[:keys])
        if key in answer:
            raise ValueError(f"two rows with the key {key}")
        answer[key] = values[keys:]
    return answer


def equal(one, other):
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-15)
    return one == other


def difference(expected, got):
    """The first difference between two normalised answers, in words; None if they are equal."""
    for key, values in expected.items():
        if key not in got:
            return f"no row {' '.join(key) or '(the only one)'}"
        if len(values) != len(got[key]):
            return f"{len(got[key])} values instead of {len(values)}"
        for column, (one, other) in enumerate(zip(values, got[key]), 1):
            if not equal(one, other):
                return f"value {column} of {' '.join(key) or 'the only row'} is {other!r}, Nines says {one!r}"
    more = next((key for key in got if key not in expected), None)
    return f"a row {' '.join(more)} that Nines does not have" if more is not None else None
