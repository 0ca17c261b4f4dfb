import { describe, expect, it } from 'vitest';
import { kindNames, levelsOf, parsePathologies, pathologyKinds, pathologyTable } from '../../../simulator/pathology/index.js';

const vertebrae = ['C2', 'C3', 'C7', 'T1', 'T12', 'L1', 'L2', 'L3', 'L4', 'L5', 'S1', 'S2'];

describe('the grammar of pathologies', () => {
  it('reads kind, level, grade and keys, in any case, with spaces', () => {
    expect(parsePathologies('stenosis:L4-L5:severe, Modic1:l5-s1 ,fracture:L1:2:shape=wedge:oedema=no', vertebrae)).toEqual([
      { kind: 'stenosis', level: 'L4-L5', grade: 'severe', options: {} },
      { kind: 'modic1', level: 'L5-S1', options: {} },
      { kind: 'fracture', level: 'L1', grade: '2', options: { shape: 'wedge', oedema: 'no' } },
    ]);
    expect(parsePathologies('bulge:L4-5:mm=3.5', vertebrae)).toEqual([{ kind: 'bulge', level: 'L4-L5', options: { mm: 3.5 } }]);
    expect(parsePathologies('fatty:3:side=left', vertebrae)).toEqual([{ kind: 'fatty', grade: '3', options: { side: 'left' } }]);
    expect(parsePathologies('degeneration:4', vertebrae)).toEqual([{ kind: 'degeneration', grade: '4', options: {} }]);
  });

  it('reads random persons', () => {
    expect(parsePathologies('random', vertebrae)).toEqual([{ kind: 'random', grades: 'prevalence' }]);
    expect(parsePathologies('random:age=72:grades=uniform', vertebrae)).toEqual([{ kind: 'random', age: 72, grades: 'uniform' }]);
  });

  it.each([
    ['', 'empty'],
    ['stenosis,,modic1', 'empty'],
    ['stenoses:L4-L5', 'stenosis'],
    ['stenosis:L4', 'L4-L5'],
    ['fracture:L1-L2', 'L1'],
    ['stenosis:L4-L5:huge', 'normal|mild|moderate|severe'],
    ['stenosis:severe:L4-L5', 'L4-L5'],
    ['fracture:L1:4', '1|2|3'],
    ['fracture:L1:2:shape=cube', 'wedge|biconcave|crush'],
    ['fracture:L1:2:colour=red', 'shape='],
    ['fracture:L1:shape=wedge:2', 'shape='],
    ['fracture:L1:shape=wedge:shape=crush', 'shape='],
    ['bulge:L4-L5:mm=', '3 to 6'],
    ['bulge:L4-L5:mm=20', '3 to 6'],
    ['bulge:L9-L10', 'L4-L5'],
    ['contusion:L5', 'C3'],
    ['random:age=7', 'age=18..100'],
    ['random:grades=all', 'prevalence|uniform'],
    ['fatty:L4:2', '0|1|2|3|4'],
  ])('refuses %j and says what is known', (text, known) => {
    expect(() => parsePathologies(text, vertebrae)).toThrow(expect.objectContaining({ code: 'SIM_ERR_PATHOLOGY', message: expect.stringContaining(known) as string }));
  });

  it('knows where things can sit', () => {
    expect(levelsOf('disc', vertebrae)).toContain('L5-S1');
    expect(levelsOf('disc', vertebrae)).not.toContain('S1-S2');
    expect(levelsOf('vertebra', vertebrae)).not.toContain('S1');
    expect(levelsOf('cord', vertebrae)).toEqual(['C2', 'C3', 'C7', 'T1', 'T12']);
  });

  it('documents every kind', () => {
    const table = pathologyTable();
    for (const kind of kindNames) {
      expect(table).toContain(`\`${kind}`);
      expect(table).toContain(pathologyKinds[kind].meaning);
    }
  });
});
