"""The plot of growth: time and peak memory by rows in range, as a small SVG."""
from .figures import find, memory, wall

WIDTH, HEIGHT, LEFT, TOP = 320, 200, 52, 34
COLOURS = {"nines": "#1f6feb", "duckdb.expert": "#b08800"}
NAMES = {"nines": "Nines", "duckdb.expert": "DuckDB, expert"}
POINTS = [("growth-1", 1), ("growth-4", 4), ("growth-16", 16)]


def plot(results, years):
    millions = years["series"] * years["base"] * 1440 / 1e6
    panels = [
        panel(results, 0, millions, wall, "seconds", 1),
        panel(results, LEFT + WIDTH + 36, millions, memory, "peak memory, MB", 1e6),
    ]
    legend = "".join(
        f'<rect x="{LEFT + 10 + 130 * place}" y="{TOP + HEIGHT + 44}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{LEFT + 24 + 130 * place}" y="{TOP + HEIGHT + 53}">{NAMES[form]}</text>'
        for place, (form, colour) in enumerate(COLOURS.items())
    )
    legend += (
        f'<circle cx="{LEFT + 280}" cy="{TOP + HEIGHT + 49}" r="5" fill="none" stroke="#57606a"/>'
        f'<text x="{LEFT + 290}" y="{TOP + HEIGHT + 53}">the same rows in a store without the others</text>'
    )
    width, height = 2 * (LEFT + WIDTH) + 56, TOP + HEIGHT + 66
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11" fill="#24292f"><rect width="{width}" height="{height}" fill="#ffffff"/>'
        f'{"".join(panels)}{legend}</svg>\n'
    )


def panel(results, left, millions, figure, title, unit):
    """One figure by rows in range, both from zero on, so that a straight line is a straight line."""
    series = {
        form: [(times * millions, figure(result) / unit) for job, times in POINTS if (result := find(results, job, form))]
        for form in COLOURS
    }
    alone = {form: figure(result) / unit for form in COLOURS if (result := find(results, "growth-1-alone", form))}
    most = nice(max([value for points in series.values() for _, value in points] + list(alone.values()) + [1e-9]))
    right, x0 = 16 * millions * 1.05, left + LEFT

    def at(rows, value):
        return x0 + rows / right * WIDTH, TOP + HEIGHT - value / most * HEIGHT

    parts = [f'<text x="{x0}" y="{TOP - 14}" font-weight="bold">{title}</text>']
    for step in range(5):
        value = most * step / 4
        _, y = at(0, value)
        parts.append(f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="#d0d7de"/><text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for _, times in POINTS:
        x, y = at(times * millions, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 16}" text-anchor="middle">{times * millions:.0f}</text>')
    parts.append(f'<text x="{x0 + WIDTH / 2}" y="{TOP + HEIGHT + 31}" text-anchor="middle">million rows in range</text>')
    for form, points in series.items():
        places = [at(*point) for point in points]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[form]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[form]}"/>' for x, y in places]
        if form in alone:
            x, y = at(millions, alone[form])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{COLOURS[form]}"/>')
    return "".join(parts)


def nice(value):
    """The next value that four steps divide well."""
    step = 1e-9
    while True:
        for factor in (1, 2, 4, 8):
            if step * factor >= value:
                return step * factor
        step *= 10
