"""Draws lines over logarithmic or linear axes, as SVG. Shared by the charts of this folder."""
import math

COLOURS = ["#0b6fa4", "#d1495b", "#e0a030", "#3c8d5a", "#7b5ea7", "#4d4d4d", "#2aa7a0", "#b0653a", "#8a8a2a", "#c06090",
           "#5b9bd5", "#86b049", "#a03070", "#c8a2c8"]


class Axis:
    """From values to places between 0 and 1."""

    def __init__(self, low, high, logarithmic=False, ticks=(), text="{:g}".format):
        self.low, self.high, self.logarithmic, self.ticks, self.text = low, high, logarithmic, ticks, text

    def place(self, value):
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def panel(left, top, width, height, title, x, y, x_name, lines, colours, band=None):
    """One pair of axes; `lines` are (name, [(x, y)], is_dashed); `band` is a range of y that is good."""
    def at(point):
        return (left + width * x.place(point[0]), top + height * (1 - y.place(point[1])))
    out = [f'<text x="{left}" y="{top - 10}" font-size="13">{title}</text>']
    if band:
        above, below = at((x.low, band[1]))[1], at((x.low, band[0]))[1]
        out.append(f'<rect x="{left}" y="{above:.1f}" width="{width}" height="{below - above:.1f}" fill="#d9ecd9"/>')
    for tick in y.ticks:
        height_of = at((x.low, tick))[1]
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{height_of:.1f}" y2="{height_of:.1f}" stroke="#e0e0e0"/>'
                   f'<text x="{left - 6}" y="{height_of + 4:.1f}" text-anchor="end">{y.text(tick)}</text>')
    for tick in x.ticks:
        place = at((tick, y.low))[0]
        out.append(f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{top + height}" y2="{top + height + 4}" stroke="#808080"/>'
                   f'<text x="{place:.1f}" y="{top + height + 17}" text-anchor="middle">{x.text(tick)}</text>')
    out.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#808080"/>'
               f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle">{x_name}</text>')
    for name, points, is_dashed in lines:
        dash = ' stroke-dasharray="5 3"' if is_dashed else ""
        places = [at(point) for point in points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="1.6"{dash}/>')
        if len(points) <= 12:
            out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colours[name]}"/>' for a, b in places]
    return out


def legend(left, top, names, colours, dashed=(), columns=4, width=190):
    out = []
    for index, name in enumerate(names):
        a, b = left + width * (index % columns), top + 18 * (index // columns)
        dash = ' stroke-dasharray="5 3"' if name in dashed else ""
        out.append(f'<line x1="{a}" x2="{a + 22}" y1="{b - 4}" y2="{b - 4}" stroke="{colours[name]}" stroke-width="2"{dash}/>'
                   f'<text x="{a + 28}" y="{b}">{name}</text>')
    return out


def document(width, height, elements):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
                      'font-size="12">', '<rect width="100%" height="100%" fill="white"/>', *elements, "</svg>"]) + "\n"
