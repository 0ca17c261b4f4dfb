"""Heights of vertebral bodies and front-to-back widths of the canal in a slice, by thresholds, of any Hounsfield units.

The same procedure for true and synthetic HU. Labels (docs/conventions.md) say where to look and along which line; the places
of the edges come from the HU alone: along a profile, averaged over a few millimetres beside the line,

    edge = where the profile falls, from its highest value at bone, half way to its lowest beyond

  height   through the middle of the body, along the line through the middles of its neighbours; edges: both endplates
  canal    at right angles to that, at the body's heights where an arch lies behind: back wall of the body and front of the
           arch, seen from the canal. In axial slices along the rows through the middle of the canal

The sacrum goes by itself: its segments are fused, with little or nothing of a disc between them.
"""
import numpy as np
from scipy import ndimage

STEP_MM = 0.1
SEARCH_MM, BEYOND_MM = 3.5, 6.0
BODY, ARCH, CANAL, SACRUM = range(100, 132), range(200, 232), (1, 2, 3, 10), range(126, 131)


def profile(image, middle, along, across, pixel_mm, from_mm, to_mm, half_band_mm):
    """Mean over a band, at steps of STEP_MM."""
    t = np.arange(from_mm, to_mm, STEP_MM)
    s = np.arange(-half_band_mm, half_band_mm + 0.01, 0.5)
    where = (np.asarray(middle)[:, None, None] * pixel_mm + along[:, None, None] * t + across[:, None, None] * s[:, None]) / pixel_mm
    return t, ndimage.map_coordinates(image, where, order=1, mode='nearest').mean(0)


def edge(t, values, near_mm, direction):
    """Place at which the profile falls half way off the bone about `near_mm`, going in `direction`; None without a bone."""
    bone = np.flatnonzero(np.abs(t - near_mm) < SEARCH_MM)
    if len(bone) < 10:
        return None
    top = bone[np.argmax(values[bone])]
    beyond = values[top : top + int(BEYOND_MM / STEP_MM)] if direction > 0 else values[max(0, top - int(BEYOND_MM / STEP_MM)) : top + 1][::-1]
    half = (values[top] + beyond.min()) / 2
    below = np.flatnonzero(beyond < half)
    if values[top] - beyond.min() < 60 or len(below) == 0:
        return None
    k = below[0]
    part = (beyond[k - 1] - half) / (beyond[k - 1] - beyond[k])
    return t[top] + direction * (k - 1 + part) * STEP_MM


def middles(label):
    """Middle of each body that lies wholly in the slice and is large enough."""
    found = {}
    for code in BODY:
        rows, columns = np.nonzero(label == code)
        inside = len(rows) > 150 and rows.min() > 2 and columns.min() > 2 and rows.max() < label.shape[0] - 3 and columns.max() < label.shape[1] - 3
        if inside:
            found[code] = np.array([rows.mean(), columns.mean()])
    return found


def ends(label, codes, middle, along, pixel_mm, reach_mm):
    """First and last place of a label along a line, mm."""
    t = np.arange(-reach_mm, reach_mm, STEP_MM)
    where = np.round((np.asarray(middle)[:, None] * pixel_mm + along[:, None] * t) / pixel_mm).astype(int)
    ok = np.all((where >= 0) & (where < np.array(label.shape)[:, None]), 0)
    held = np.zeros(len(t), bool)
    held[ok] = np.isin(label[tuple(where[:, ok])], codes)
    return (t[held][0], t[held][-1]) if held.any() else None


def width_of_canal(images, label, middle, along, across, pixel_mm, code):
    """Of each image: [mm or None], where body, canal and arch follow each other along the line."""
    body = ends(label, [code], middle, along, pixel_mm, 30)
    canal = ends(label, CANAL, middle, along, pixel_mm, 60)
    arch = ends(label, list(ARCH), middle, along, pixel_mm, 60)
    if body is None or canal is None or arch is None or not body[1] < canal[1] < arch[1] or arch[1] - body[1] < 9:
        return None
    back = ends(label, list(ARCH), np.asarray(middle) + along * canal[1] / pixel_mm, along, pixel_mm, 12)
    if back is None or back[1] < 0:
        return None
    front_of_arch = canal[1] + max(0.0, back[0])
    widths = []
    for image in images:
        t, values = profile(image, middle, along, across, pixel_mm, body[1] - 8, front_of_arch + 8, 1.0)
        wall, lamina = edge(t, values, body[1], 1), edge(t, values, front_of_arch, -1)
        widths.append(lamina - wall if wall is not None and lamina is not None and lamina > wall else None)
    return widths


def named(kind, code):
    return f'{kind}, sacrum' if code in SACRUM else kind


def measure(images, label, pixel_mm, orientation):
    """Lengths of each image in the same places: dicts with kind, code and mm (None where an edge was not found)."""
    label = np.round(label).astype(int)
    found = []
    places = middles(label)
    if orientation == 'axial':
        for code, middle in places.items():
            rows, columns = np.nonzero(np.isin(label, CANAL))
            if len(rows) * pixel_mm**2 < 60:
                continue
            along, across = np.array([1.0, 0.0]), np.array([0.0, 1.0])
            widths = width_of_canal(images, label, (middle[0], columns.mean()), along, across, pixel_mm, code)
            if widths is not None:
                found.append(dict(kind=named('canal, axial', code), code=int(code), mm=widths))
        return found
    for code, middle in places.items():
        others = [places[k] for k in (code - 1, code + 1) if k in places]
        if not others:
            continue
        along = others[-1] - (others[0] if len(others) == 2 else middle)
        along = along / np.hypot(*along) * (1 if along[0] > 0 else -1)
        across = np.array([-along[1], along[0]])
        across = across * (1 if across[1] > 0 else -1)
        bounds = ends(label, [code], middle, along, pixel_mm, 40)
        heights = []
        for image in images:
            t, values = profile(image, middle, along, across, pixel_mm, bounds[0] - 10, bounds[1] + 10, 3.0)
            upper, lower = edge(t, values, bounds[0], -1), edge(t, values, bounds[1], 1)
            heights.append(lower - upper if upper is not None and lower is not None and lower > upper else None)
        found.append(dict(kind=named('height', code), code=int(code), mm=heights))
        widths = [width_of_canal(images, label, middle + along * s / pixel_mm, across, along, pixel_mm, code) for s in np.arange(bounds[0], bounds[1], 2.0)]
        widths = [each for each in widths if each is not None and None not in each[:1]]
        if len(widths) >= 2:
            seen = [[each[k] for each in widths if each[k] is not None] for k in range(len(images))]
            found.append(dict(kind=named('canal, sagittal', code), code=int(code), mm=[float(np.median(each)) if len(each) > len(widths) / 2 else None for each in seen]))
    return found
