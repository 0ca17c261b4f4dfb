"""What ../synthesis/paint.ts is to paint so that canals of every width are learned: a line of options a patient.

    python3 narrow.py 340000 200 | xargs -L 1 npx tsx ../synthesis/paint.ts $NARROW

Every lumbar level has a stenosis of a grade drawn evenly, half of the middle ones a recess or a foramen so, three of ten levels a bulge or a protrusion.
"""

import random
import sys

GRADES = ('normal', 'mild', 'moderate', 'severe')
LEVELS = ('L1-L2', 'L2-L3', 'L3-L4', 'L4-L5', 'L5-S1')


def lesions(seed):
    draw = random.Random(seed)
    found = []
    for level in LEVELS:
        found.append(f'stenosis:{level}:{draw.choice(GRADES)}')
        if level in LEVELS[1:4]:
            found += [f'{kind}:{level}:{draw.choice(GRADES)}' for kind in ('recess', 'foramen') if draw.random() < 0.5]
        if draw.random() < 0.3:
            found.append(f'{draw.choice(("bulge", "protrusion"))}:{level}')
    return ','.join(found)


if __name__ == '__main__':
    first, count = map(int, sys.argv[1:])
    for seed in range(first, first + count):
        print(f'--first {seed} --count 1 --slices 12 --region lumbar --orientation axial --planes lesion --pixel 0.45,0.8 --lesions {lesions(seed)}')
