"""The frozen bank: the simulated patients on whom synthesis is measured, and never trained.

    python3 bank.py --bank BANK              # paints what is not there yet: about 30 minutes of one core
    python3 bank.py --bank BANK --check      # says whether it is the bank that evaluation.json was measured on
    python3 bank.py --calibration LESIONS    # paints other patients alike, and series: calibrate.py takes them

Seeds of training are below 2000. Painting is deterministic, so that seeds define the bank; its SHA-256 goes with every result. Factors of
the intervals and coefficients of the gate (calibrate.py) are from neither these patients nor trained ones: the gate's from those that
training looks at only (every 20th, `tuning`), the intervals' from those of CALIBRATION.
"""

import argparse
import hashlib
import pathlib
import subprocess

import data

HERE = pathlib.Path(__file__).parent

# Lesions of one patient lie in vertebrae of their own, so that each is judged beside sound marrow or its neighbours'.
SETS = {
    'wide': dict(first=5000, count=50, prior='wide', lesions='mixed', slices=5),
    'narrow': dict(first=6000, count=50, prior='narrow', lesions='mixed', slices=5),
    'healthy': dict(first=7000, count=200, prior='mixed', lesions='none', slices=1, region='lumbar', orientation='sagittal'),
    'marrow': dict(
        first=8000, count=40, prior='mixed', slices=2, region='lumbar', orientation='sagittal',
        lesions='fracture:T12:oedema=yes,metastasis:L2:matrix=lytic,modic1:L3-L4',
    ),
    'infected': dict(
        first=8100, count=18, prior='mixed', slices=4, region='lumbar', orientation='sagittal',
        lesions='spondylodiscitis:L2-L3:abscess=both,schmorl:T12-L1:oedema=yes',
    ),
    'fatty': dict(
        first=8200, count=12, prior='mixed', slices=4, region='lumbar', orientation='sagittal',
        lesions='modic2:L3-L4,haemangioma:L1',
    ),
}
# Whole sagittal series of healthy people: the gate on exams, and what its echo time is calibrated on.
SERIES = {'series': dict(first=7500, count=60, prior='mixed', lesions='none', slices=1, stack=12, orientation='sagittal', lateral=5)}
CALIBRATION_SERIES = {'series': dict(SERIES['series'], first=2600)}
# Only gains in image quality are measured on these two.
QUALITY = ('wide', 'narrow')
LESIONED = ('marrow', 'infected', 'fatty')
CALIBRATION = {
    name: dict(SETS[name], first=first, count=count)
    for name, first, count in (('wide', 2700, 50), ('narrow', 2800, 50), ('marrow', 2100, 80), ('infected', 2200, 60), ('fatty', 2300, 50))
}
# Lesions of one person are covered or missed together: the coverage of intervals, and it alone, is measured on these too (in BANK/more).
MORE = {name: dict(SETS[name], first=first, count=count) for name, first, count in (('marrow', 8300, 60), ('infected', 8400, 42), ('fatty', 8500, 48))}


def paint(bank, name, sets=SETS):
    """Paints what is missing of one set."""
    options = sets[name]
    folder = bank / name
    missing = [seed for seed in range(options['first'], options['first'] + options['count']) if not (folder / f'{seed}.json').exists()]
    if not missing:
        return
    settings = [part for key, value in options.items() if key not in ('first', 'count') for part in (f'--{key}', str(value))]
    command = ['npx', 'tsx', str(HERE / 'paint.ts'), str(folder), '--first', str(missing[0])]
    count = options['first'] + options['count'] - missing[0]
    subprocess.run([*command, '--count', str(count), *settings], check=True)


def load(bank, name, sets=SETS, patients=None):
    """The slices of one set (data.Cases), or of its first so many patients."""
    first, count = sets[name]['first'], patients or sets[name]['count']
    cases = data.Cases(pathlib.Path(bank) / name, lambda seed: first <= seed < first + count)
    assert len(cases) == count * sets[name]['slices'] * sets[name].get('stack', 1), f'{name}: {len(cases)} slices; run bank.py'
    return cases


def tuning(cases):
    """Slices of the patients of the training folder whom training only looks at."""
    return data.Cases(cases, lambda seed: seed % 20 == 0)


def digest(bank, patients={}, sets=SETS):
    """SHA-256 of all that was painted, in the order of the sets and seeds; of the sets in `patients` only of the first so many, or none."""
    whole = hashlib.sha256()
    for name, options in sets.items():
        for seed in range(options['first'], options['first'] + patients.get(name, options['count'])):
            whole.update((pathlib.Path(bank) / name / f'{seed}.bin').read_bytes())
    return whole.hexdigest()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bank', type=pathlib.Path)
    parser.add_argument('--calibration', type=pathlib.Path)
    parser.add_argument('--check', action='store_true')
    arguments = parser.parse_args()
    for each in CALIBRATION if arguments.calibration else ():
        paint(arguments.calibration, each, CALIBRATION)
    if arguments.calibration:
        paint(arguments.calibration, 'series', CALIBRATION_SERIES)
    if arguments.bank:
        for each in () if arguments.check else SETS:
            paint(arguments.bank, each)
        if not arguments.check:
            paint(arguments.bank, 'series', SERIES)
            for each in MORE:
                paint(arguments.bank / 'more', each, MORE)
        print(digest(arguments.bank))
