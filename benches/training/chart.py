"""A bar chart of a comparison as SVG: for each workload the time of every contender, as multiples of ours."""

from xml.sax.saxutils import escape

from comparison import Comparison

WIDTH, LABEL, BAR, GAP = 720, 110, 13, 14
COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d6a9f")


def chart(results: list[Comparison], title: str) -> str:
    """Draws one group of bars for each comparison; shorter is faster, ours have length 1."""
    contenders = list(results[0].microseconds)
    longest = max(result.median(c) / result.median(contenders[0]) for result in results for c in contenders)
    scale = (WIDTH - LABEL - 80) / longest
    parts: list[str] = []
    y = 34
    for place, contender in enumerate(contenders):
        x = LABEL + (WIDTH - LABEL) // max(len(contenders), 4) * place
        parts.append(f'<rect x="{x}" y="{y}" width="10" height="10" fill="{COLOURS[place]}"/>')
        parts.append(f'<text x="{x + 15}" y="{y + 9}">{escape(contender)}</text>')
    y += 28
    for result in results:
        ours = result.median(contenders[0])
        middle = y + BAR * len(contenders) / 2 + 4
        parts.append(f'<text x="{LABEL - 8}" y="{middle:g}" text-anchor="end">{escape(result.workload)}</text>')
        for place, contender in enumerate(contenders):
            multiple = result.median(contender) / ours
            bar = f'x="{LABEL}" y="{y}" width="{multiple * scale:.1f}" height="{BAR - 2}"'
            parts.append(f'<rect class="bar" {bar} fill="{COLOURS[place]}"/>')
            time = f"{multiple:.2f}" if place else f"{ours:,.0f} μs"
            parts.append(f'<text x="{LABEL + multiple * scale + 5:.1f}" y="{y + BAR - 3}">{time}</text>')
            y += BAR
        y += GAP
    one = LABEL + scale
    parts.append(f'<line x1="{one:.1f}" y1="56" x2="{one:.1f}" y2="{y - GAP}" stroke="#444" stroke-dasharray="3 3"/>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="11">'
    )
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([head, ground, f'<text x="10" y="20" font-size="14">{escape(title)}</text>', *parts, "</svg>", ""])
