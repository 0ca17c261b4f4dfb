"""Dead leaves in Hounsfield units: shapes that cover one another, as in Lee, Mumford & Huang 2001 (doi
10.1023/A:1011109015675), whose edges, sizes and occlusions are like those of natural pictures. They hold what few
anatomies have: faint contrast beside strong, thin lines, textures of every scale."""
import numpy as np
from scipy import ndimage
from skimage import draw

# HU and spread of what is found in a trunk, and how often a leaf is made of it.
TISSUES = [(-1000, 5, 0.06), (-800, 60, 0.04), (-100, 20, 0.2), (10, 15, 0.12), (50, 25, 0.26), (120, 40, 0.1), (220, 80, 0.12), (900, 350, 0.1)]


def texture(rng, size):
    """Of unit variance; spots and strands, or clouds."""
    sigma = np.exp(rng.uniform(np.log(0.8), np.log(6)))
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), sigma * np.exp(rng.uniform(-0.4, 0.4, 2)))
    if rng.random() < 0.5:
        field = (field > field.std() * rng.uniform(-0.5, 1)).astype(float)
    return (field - field.mean()) / (field.std() + 1e-9)


def leaf(rng, size, radius):
    centre = rng.uniform(0, size, 2)
    kind = rng.random()
    if kind < 0.45:
        return draw.ellipse(*centre, radius, radius * rng.uniform(0.3, 1), shape=(size, size), rotation=rng.uniform(-3, 3))
    if kind < 0.85:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
        radii = radius * rng.uniform(0.6, 1.2, len(angles))
        return draw.polygon(centre[0] + radii * np.sin(angles), centre[1] + radii * np.cos(angles), shape=(size, size))
    along, width = rng.uniform(0, np.pi), rng.uniform(1, 6)
    half = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * [radius * 2, width]
    turn = np.array([[np.cos(along), np.sin(along)], [-np.sin(along), np.cos(along)]])
    corners = half @ turn + centre
    return draw.polygon(corners[:, 0], corners[:, 1], shape=(size, size))


def textures(rng, size=512, n=16):
    """For dead_leaves, at twice its size."""
    return [texture(rng, 2 * size) for _ in range(n)]


def dead_leaves(rng, pool, size=512, n_leaves=350):
    """[size, size] HU, drawn at twice the size and averaged; pool as textures makes it."""
    big = 2 * size
    share = np.array([t[2] for t in TISSUES])
    image = np.full((big, big), rng.choice([-100.0, 40.0, 50.0]))
    for _ in range(n_leaves):
        radius = 2 * np.exp(rng.uniform(np.log(2.5), np.log(90)))
        rows, columns = leaf(rng, big, radius)
        if len(rows) == 0:
            continue
        if rng.random() < 0.45:  # a little brighter or darker than what it lies on
            image[rows, columns] += rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(4), np.log(80)))
            continue
        mean, spread, _ = TISSUES[rng.choice(len(TISSUES), p=share / share.sum())]
        image[rows, columns] = rng.normal(mean, spread)
        if rng.random() < 0.35:
            image[rows, columns] += rng.uniform(5, 50) * pool[rng.integers(len(pool))][rows, columns]
    image = image.reshape(size, 2, size, 2).mean((1, 3))
    return np.clip(image, -1024, 3000).astype(np.float32)
