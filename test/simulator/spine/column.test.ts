import { describe, expect, it } from 'vitest';
import {
  archLabel, bodyLabel, buildSpine, builtVertebrae, discLabel, drawSpine, facetLabel, foramenLabel, labelTable, lordosisOf, outOfFrame,
  paintLabels, segmentOf, sides, spineLabels, spineRegions, vertebraNumber, vertebraOf, withLordosis, withScoliosis, withSegment, withVertebra,
  type Frame, type Plane, type Solid, type SpinePlan,
} from '../../../simulator/index.js';
import { Random } from '../../../simulator/random.js';
import { align } from '../../../simulator/spine/alignment.js';

const build = (plan: SpinePlan) => buildSpine(plan, { fieldStrengthT: 3, surroundings: false });
const people = Array.from({ length: 50 }, (_, seed) => drawSpine(seed));
const degrees = (radians: number) => (radians * 180) / Math.PI;

/** A plane along two axes of a frame, its middle at a point of it. */
function planeIn(frame: Frame, middle: readonly [number, number, number], columns: 'x' | 'y', rows: 'y' | 'z', sizeMm: number, stepMm: number): Plane {
  const n = Math.round(sizeMm / stepMm) + 1;
  const centre = outOfFrame(frame, middle);
  const along = (axis: 'x' | 'y' | 'z', mm: number) => frame[axis].map((value) => mm * value) as unknown as [number, number, number];
  const [c, r] = [along(columns, stepMm), along(rows, stepMm)];
  const half = (n - 1) / 2;
  return {
    originMm: [0, 1, 2].map((axis) => centre[axis]! - half * (c[axis]! + r[axis]!)) as unknown as [number, number, number],
    columnStepMm: c, rowStepMm: r, nColumns: n, nRows: n,
  };
}

const countOf = (labels: Uint16Array, label: number) => labels.reduce((count, other) => count + (other === label ? 1 : 0), 0);

describe('drawSpine', () => {
  it('draws the same person from the same seed, whatever the region, and others from others', () => {
    expect(drawSpine(7)).toEqual(drawSpine(7));
    expect({ ...drawSpine(7, { region: 'cervical' }), region: 'lumbar' }).toEqual(drawSpine(7));
    expect(drawSpine(7)).not.toEqual(drawSpine(8));
    expect(JSON.parse(JSON.stringify(drawSpine(7)))).toEqual(drawSpine(7));
  });

  it('leaves the rest of a person alone when one thing is given', () => {
    const [free, given] = [drawSpine(3), drawSpine(3, { scoliosisDeg: 20 })];
    expect(given.vertebrae.map(({ marrow, canal, sac }) => ({ marrow, canal, sac }))).toEqual(free.vertebrae.map(({ marrow, canal, sac }) => ({ marrow, canal, sac })));
    expect(given.cord).toEqual(free.cord);
  });

  it('keeps every quantity in the range of healthy adults', () => {
    for (const plan of people) {
      for (const { name, kind, body, canal, sac, marrow } of plan.vertebrae) {
        if (kind !== 'lumbar') continue;
        expect(body.anteriorHeightMm, name).toBeGreaterThan(21);
        expect(body.anteriorHeightMm, name).toBeLessThan(36);
        expect(body.upperWidthMm, name).toBeGreaterThan(32);
        expect(body.upperWidthMm, name).toBeLessThan(62);
        expect(sac.apMm + sac.anteriorGapMm, name).toBeLessThan(canal.depthMm + 3);
        expect(marrow.fatFraction).toBeGreaterThan(0.1);
        expect(marrow.fatFraction).toBeLessThan(0.75);
      }
      for (const { name, disc, sac, facets } of plan.segments) {
        if (!name.startsWith('L')) continue;
        expect(disc.anteriorHeightMm, name).toBeGreaterThan(5);
        expect(disc.anteriorHeightMm, name).toBeLessThan(24);
        const area = (Math.PI / 4) * sac.apMm * sac.transverseMm;
        expect(area, name).toBeGreaterThan(85);
        expect(area, name).toBeLessThan(320);
        for (const side of sides) expect(facets[side].jointSpaceMm).toBeGreaterThan(1.9);
      }
      expect(lordosisOf(plan)).toBeGreaterThan(24);
      expect(lordosisOf(plan)).toBeLessThan(68);
      expect(['T12', 'L1', 'L2']).toContain(plan.cord.conus.vertebra);
    }
    const mean = (of: (plan: SpinePlan) => number) => people.reduce((sum, plan) => sum + of(plan) / people.length, 0);
    expect(mean(lordosisOf)).toBeGreaterThan(42);
    expect(mean(lordosisOf)).toBeLessThan(50);
    expect(mean((plan) => vertebraOf(plan, 'L3').body.upperDepthMm)).toBeCloseTo(35, 0);
  });

  it('makes men larger than women, and discs drier with age', () => {
    const depth = (sex: 'female' | 'male') => people.reduce((sum, { seed }) => sum + vertebraOf(drawSpine(seed, { sex }), 'L3').body.upperDepthMm, 0);
    expect(depth('male') / depth('female')).toBeCloseTo(1.105, 2);
    const grade = (ageYears: number) => people.reduce((sum, { seed }) => sum + segmentOf(drawSpine(seed, { ageYears }), 'L1-L2').disc.degeneration, 0) / 50;
    expect(grade(65) - grade(25)).toBeGreaterThan(0.5);
  });

  it.each([4, 5, 6] as const)('names %i lumbar vertebrae in order', (nLumbar) => {
    const plan = drawSpine(11, { nLumbar });
    const names = plan.vertebrae.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('L'))).toEqual(Array.from({ length: nLumbar }, (_, index) => `L${index + 1}`));
    expect(names.map(vertebraNumber)).toEqual([...names.map(vertebraNumber)].sort((a, b) => a - b));
    expect(plan.segments.map(({ name }) => name)).toEqual(names.slice(1).map((name, index) => `${names[index]!}-${name}`));
    expect(plan.transition.kind).toBe({ 4: 'sacralisation', 5: 'none', 6: 'lumbarisation' }[nLumbar]);
    const codes = labelTable(plan).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('refuses options out of range', () => {
    expect(() => drawSpine(1, { ageYears: 5 })).toThrow(/SIM_ERR_OPTION|age of 5/);
    expect(() => drawSpine(1, { scoliosisDeg: 90 })).toThrow(/scoliosis of 90/);
    expect(() => vertebraOf(drawSpine(1), 'L9')).toThrow(/L9/);
  });
});

describe('align', () => {
  const sagittal = ({ z }: Frame) => degrees(Math.atan2(z[1], z[2]));
  const coronal = ({ z }: Frame) => degrees(Math.atan2(z[0], z[2]));

  it('bends the column by the lordosis that the wedges add up to', () => {
    for (const lordosisDeg of [20, 45, 70]) {
      const plan = withScoliosis(withLordosis(drawSpine(5, { scoliosisDeg: 0 }), lordosisDeg), 0);
      expect(lordosisOf(plan)).toBeCloseTo(lordosisDeg, 1);
      const { vertebrae } = align(plan);
      // From the middle of L1 to the middle of S1: without the upper half of L1, with the upper half of S1.
      const [l1, s1] = ['L1', 'S1'].map((name) => vertebraOf(plan, name).body) as [SpinePlan['vertebrae'][0]['body'], SpinePlan['vertebrae'][0]['body']];
      const half = ({ anteriorHeightMm, posteriorHeightMm, upperDepthMm, lowerDepthMm }: typeof l1) =>
        degrees(Math.atan((anteriorHeightMm - posteriorHeightMm) / (upperDepthMm + lowerDepthMm)));
      const between = sagittal(vertebrae.get('L1')!) - sagittal(vertebrae.get('S1')!);
      expect(between + half(l1) - half(s1)).toBeCloseTo(lordosisDeg, -0.5);
    }
  });

  it('bends it sideways by the angle that is asked for, to the side that is asked for', () => {
    for (const cobb of [25, -40]) {
      const plan = drawSpine(5, { scoliosisDeg: cobb });
      const { vertebrae } = align(plan);
      const tilts = ['T11', 'T12', 'L1', 'L2', 'L3', 'L4', 'L5'].map((name) => coronal(vertebrae.get(name)!));
      expect(Math.max(...tilts) - Math.min(...tilts)).toBeGreaterThan(0.85 * Math.abs(cobb));
      expect(Math.max(...tilts) - Math.min(...tilts)).toBeLessThan(1.2 * Math.abs(cobb));
      expect(Math.sign(vertebrae.get('L2')!.originMm[0] - vertebrae.get('S1')!.originMm[0])).toBe(Math.sign(cobb));
      expect(Math.abs(coronal(vertebrae.get('S1')!))).toBeLessThan(0.25 * Math.abs(cobb));
    }
  });

  it('lays T1 over S1 and the field about the isocentre', () => {
    for (const region of spineRegions) {
      const { vertebrae } = align(drawSpine(9, { region }));
      const [t1, s1] = [vertebrae.get('T1')!.originMm, vertebrae.get('S1')!.originMm];
      expect(t1[0]).toBeCloseTo(s1[0], 6);
      expect(t1[1]).toBeCloseTo(s1[1], 6);
      const middle = { cervical: 'C6', thoracolumbar: 'T12', lumbar: 'L3', whole: 'T9' }[region];
      expect(Math.abs(vertebrae.get(middle)!.originMm[2])).toBeLessThan(35);
    }
  });

  it('moves a vertebra by its slip', () => {
    const plan = drawSpine(4, { scoliosisDeg: 0 });
    const slipped = withSegment(plan, 'L4-L5', (segment) => ({ ...segment, alignment: { ...segment.alignment, slipMm: segment.alignment.slipMm + 8 } }));
    const forwards = (of: SpinePlan) => {
      const { vertebrae } = align(of);
      const [l4, l5] = [vertebrae.get('L4')!, vertebrae.get('L5')!];
      return -[0, 1, 2].reduce((sum, axis) => sum + (l4.originMm[axis]! - l5.originMm[axis]!) * l5.y[axis]!, 0);
    };
    expect(forwards(slipped) - forwards(plan)).toBeCloseTo(8, 0);
  });
});

describe('buildSpine', () => {
  const plan = drawSpine(2);
  const { anatomy, scene } = build(plan);

  it('paints every vertebra and every disc of its part once, from the top down', () => {
    const names = builtVertebrae(plan);
    let above = Infinity;
    for (const name of names) {
      const { frame } = scene.vertebrae.get(name)!;
      const { labels } = paintLabels(anatomy, planeIn(frame, [0, 0, 0], 'x', 'y', 3, 0.5));
      expect(new Set(labels), name).toEqual(new Set([bodyLabel(name)]));
      expect(frame.originMm[2]).toBeLessThan(above);
      above = frame.originMm[2];
    }
    for (const [name, { frame }] of scene.segments) {
      const { labels } = paintLabels(anatomy, planeIn(frame, [0, 0, 0], 'x', 'z', 0.8, 0.4));
      expect(new Set(labels), name).toEqual(new Set([discLabel(name)]));
    }
    const middle = paintLabels(anatomy, { originMm: [0, -120, 180], columnStepMm: [0, 1, 0], rowStepMm: [0, 0, -1], nColumns: 240, nRows: 360 });
    for (const name of names.slice(2, 10)) expect(countOf(middle.labels, bodyLabel(name)), name).toBeGreaterThan(300);
  });

  it('has a sac of the planned area at every disc, with the cord inside it', () => {
    for (const [name, { frame, plan: segment, halfDepthMm }] of scene.segments) {
      if (/^S|Co/.test(name)) continue;
      const step = 0.25;
      const { sac, disc } = segment;
      const plane = planeIn(frame, [0, halfDepthMm + sac.anteriorGapMm + sac.apMm / 2, 0], 'x', 'y', 40, step);
      const { labels } = paintLabels(anatomy, plane);
      const area = (countOf(labels, spineLabels.csf) + countOf(labels, spineLabels.cord)) * step ** 2;
      const planned = (Math.PI / 4) * sac.apMm * sac.transverseMm;
      // A sac runs obliquely to some discs, and bulges dent it.
      const dent = disc.bulgeMm.posterior > sac.anteriorGapMm - 0.4 ? 0.1 : 0;
      expect(area / planned, name).toBeGreaterThan(0.94 - dent);
      expect(area / planned, name).toBeLessThan(1.08);
      for (let pixel = plane.nColumns; pixel < labels.length - plane.nColumns; pixel++) {
        if (labels[pixel] !== spineLabels.cord) continue;
        for (const next of [pixel - 1, pixel + 1, pixel - plane.nColumns, pixel + plane.nColumns]) {
          expect([spineLabels.cord, spineLabels.csf]).toContain(labels[next]);
        }
      }
    }
  });

  it('has lateral recesses as deep, and foramina and joints as wide, as planned', () => {
    const gap = (labels: Uint16Array, front: ReadonlySet<number>, back: number) => {
      const first = labels.indexOf(back);
      return first - labels.subarray(0, first).findLastIndex((label) => front.has(label)) - 1;
    };
    for (const name of ['L1-L2', 'L3-L4', 'L4-L5', 'L5-S1']) {
      const { frame, plan: segment, halfDepthMm, foramina, facets } = scene.segments.get(name)!;
      const [upper, lower] = name.split('-') as [string, string];
      const front = new Set([discLabel(name), bodyLabel(upper), bodyLabel(lower)]);
      const step = 0.1;
      const backwards = (point: readonly [number, number, number]): Uint16Array => {
        const line = planeIn(frame, point, 'y', 'z', 50, step);
        const middle = Math.floor(line.nRows / 2);
        const originMm = line.originMm.map((value, axis) => value + middle * line.rowStepMm[axis]!) as unknown as [number, number, number];
        return paintLabels(anatomy, { ...line, originMm, nRows: 1 }).labels;
      };
      for (const side of sides) {
        const out = side === 'left' ? 1 : -1;
        const bulge = segment.disc.bulgeMm.posterior;
        const recess = step * gap(backwards([out * (segment.sac.transverseMm / 2 + 4), halfDepthMm + 10, 0]), front, archLabel(lower));
        expect(Math.abs(recess - segment.lateralRecessMm[side] + bulge), `${name} ${side} recess`).toBeLessThan(0.8);
        const [x] = [0, 1, 2].map((axis) => foramina[side].originMm[axis]! - frame.originMm[axis]!);
        const foramen = step * gap(backwards([x!, halfDepthMm + 10, 0]), front, archLabel(lower));
        expect(Math.abs(foramen - segment.foramina[side].widthMm + bulge), `${name} ${side} foramen`).toBeLessThan(2);
        const across = paintLabels(anatomy, planeIn(facets[side], [0, 0, 0], 'x', 'y', 8, step));
        const middle = Math.floor(across.labels.length ** 0.5 / 2);
        const n = Math.round(across.labels.length ** 0.5);
        const joint = step * Array.from({ length: n }, (_, row) => across.labels[row * n + middle]!).filter((label) => label === facetLabel(name, side)).length;
        expect(joint, `${name} ${side} joint`).toBeCloseTo(segment.facets[side].jointSpaceMm, 0);
      }
    }
  });

  it('has open foramina with fat and a root, and joints, on both sides of every mobile segment', () => {
    for (const region of ['lumbar', 'cervical'] as const) {
      const built = build(drawSpine(2, { region }));
      for (const [name, site] of built.scene.segments) {
        if (!/^[CL]/.test(name) || name.startsWith('Co')) continue;
        for (const side of sides) {
          const across = site.foramina[side];
          const { labels } = paintLabels(built.anatomy, planeIn(across, [0, 0, 0], 'y', 'z', 30, 0.5));
          const open = (countOf(labels, foramenLabel(name, side)) + countOf(labels, spineLabels.root)) * 0.25;
          expect(open, `${name} ${side}`).toBeGreaterThan(region === 'lumbar' ? 45 : 20);
          expect(open, `${name} ${side}`).toBeLessThan(260);
          expect(countOf(labels, spineLabels.root), `${name} ${side}`).toBeGreaterThan(10);
          const joint = paintLabels(built.anatomy, planeIn(site.facets[side], [0, 0, 0], 'x', 'y', 12, 0.25));
          expect(countOf(joint.labels, facetLabel(name, side)) * 0.0625, `${name} ${side}`).toBeGreaterThan(6);
          expect(countOf(joint.labels, archLabel(name.split('-')[0]!)), `${name} ${side}`).toBeGreaterThan(30);
          expect(countOf(joint.labels, archLabel(name.split('-')[1]!)), `${name} ${side}`).toBeGreaterThan(30);
        }
      }
    }
  });

  it('is symmetric where the plan is', () => {
    const even = symmetric(plan);
    const { scene: mirrored } = build(even);
    const random = new Random(1);
    const uniform = (size: number) => size * (2 * random.uniform() - 1);
    for (const name of ['T11', 'L3', 'L5', 'S1']) {
      const { frame, body, arch } = mirrored.vertebrae.get(name)!;
      for (let draw = 0; draw < 200; draw++) {
        const [x, y, z] = outOfFrame(frame, [uniform(30), uniform(50), uniform(25)]);
        // A smooth union depends, by hundredths, on the order of its parts.
        expect(Math.abs(arch.distanceMm(x, y, z) - arch.distanceMm(-x, y, z))).toBeLessThan(0.1);
        expect(body.distanceMm(x, y, z)).toBeCloseTo(body.distanceMm(-x, y, z), 6);
      }
    }
  });

  it.each(spineRegions)('builds the %s region of many people, with bounds that are finite and tissues that are known', (region) => {
    for (const seed of [0, 21, 22, 23]) {
      const built = build(drawSpine(seed, { region, ...(seed === 21 ? { nLumbar: 4, lordosisDeg: 72 } : seed === 22 ? { nLumbar: 6, scoliosisDeg: 45 } : {}) }));
      for (const { name, solid, tissue, texture } of built.anatomy.structures) {
        expect([...solid.bounds.min, ...solid.bounds.max].every(Number.isFinite), name).toBe(true);
        expect(built.anatomy.tissues.has(tissue), tissue).toBe(true);
        if (texture !== undefined) expect(built.anatomy.tissues.has(texture.tissue), texture.tissue).toBe(true);
      }
    }
  });

  it('asks for distances only where it must: some tens a pixel', () => {
    let asked = 0;
    const counted = anatomy.structures.map((structure) => ({
      ...structure,
      solid: { bounds: structure.solid.bounds, distanceMm: (x: number, y: number, z: number) => (asked++, structure.solid.distanceMm(x, y, z)) },
    }));
    paintLabels({ ...anatomy, structures: counted }, { originMm: [0, -100, 150], columnStepMm: [0, 0.5, 0], rowStepMm: [0, 0, -0.5], nColumns: 400, nRows: 600 });
    expect(asked / 240000).toBeLessThan(12);
  });

  it('promises painting no ball that meets a surface', () => {
    const random = new Random(5);
    const uniform = (size: number) => size * (2 * random.uniform() - 1);
    const check = (name: string, solid: Solid, frame: Frame, size: number) => {
      let broken = 0;
      for (let draw = 0; draw < 3000; draw++) {
        const p = outOfFrame(frame, [uniform(size), uniform(size) + size / 3, uniform(size)]);
        const d = solid.distanceMm(...p);
        const way = [uniform(1), uniform(1), uniform(1)];
        const step = Math.abs(d) / 1.3 / Math.hypot(...way);
        const there = solid.distanceMm(p[0] + step * way[0]!, p[1] + step * way[1]!, p[2] + step * way[2]!);
        if (Math.sign(d) * there < -0.05) broken++;
      }
      expect(broken, name).toBe(0);
    };
    for (const name of ['T9', 'L2', 'L5', 'S1', 'S3']) {
      const { frame, body, marrow, arch } = scene.vertebrae.get(name)!;
      check(`${name} body`, body, frame, 40);
      check(`${name} marrow`, marrow, frame, 40);
      check(`${name} arch`, arch, frame, 60);
      check(`sac at ${name}`, scene.sac, frame, 30);
      check(`cord at ${name}`, scene.cord, frame, 30);
    }
    for (const name of ['L1-L2', 'L4-L5', 'L5-S1']) {
      const { frame, disc, nucleus } = scene.segments.get(name)!;
      check(`${name} disc`, disc, frame, 40);
      check(`${name} nucleus`, nucleus, frame, 40);
    }
  });
});

describe('lesions', () => {
  it('are built by whoever knows their kind, in the layer that they ask for', () => {
    const lesion = { kind: 'marble', code: 9, site: 'L3', parameters: {} } as const;
    const plan = { ...drawSpine(2), lesions: [lesion] };
    expect(() => build(plan)).toThrow(/marble/);
    const { anatomy, scene } = buildSpine(plan, {
      fieldStrengthT: 3,
      surroundings: false,
      lesionBuilders: {
        marble: ({ code, site }, { vertebrae }) => ({
          structures: { bodies: [{ name: 'marble', solid: vertebrae.get(site)!.marrow, tissue: 'cortex', lesion: code }] },
        }),
      },
    });
    const { lesions, labels } = paintLabels(anatomy, planeIn(scene.vertebrae.get('L3')!.frame, [0, 0, 0], 'x', 'y', 6, 1));
    expect(new Set(lesions)).toEqual(new Set([9]));
    expect(new Set(labels)).toEqual(new Set([bodyLabel('L3')]));
  });

  it('of discs reach into the canal and narrow the sac', () => {
    const healthy = drawSpine(2);
    const herniated = withSegment(healthy, 'L4-L5', (segment) => ({
      ...segment,
      disc: { ...segment.disc, herniations: [{ kind: 'protrusion', angleDeg: 10, baseWidthMm: 16, widthMm: 15, depthMm: 7, heightMm: 7, migrationMm: 0 }] },
    }));
    const area = (plan: SpinePlan) => {
      const { anatomy, scene } = build(plan);
      const { frame, halfDepthMm } = scene.segments.get('L4-L5')!;
      const { labels } = paintLabels(anatomy, planeIn(frame, [0, halfDepthMm + 6, 0], 'x', 'y', 40, 0.5));
      return countOf(labels, spineLabels.csf) * 0.25;
    };
    expect(area(herniated)).toBeLessThan(0.85 * area(healthy));
  });
});

function symmetric(plan: SpinePlan): SpinePlan {
  const even = <T>({ left }: { left: T }) => ({ left, right: left });
  let so: SpinePlan = { ...plan };
  for (const { name } of plan.vertebrae) {
    so = withVertebra(so, name, (vertebra) => ({
      ...vertebra,
      transverse: even(vertebra.transverse),
      spinous: { ...vertebra.spinous, deviationDeg: 0 },
      body: { ...vertebra.body, coronalWedgeMm: 0, endplateRoughnessMm: 0 },
    }));
  }
  for (const { name } of plan.segments) {
    so = withSegment(so, name, (segment) => ({
      ...segment,
      disc: { ...segment.disc, coronalWedgeMm: 0, bulgeMm: { ...segment.disc.bulgeMm, right: segment.disc.bulgeMm.left } },
      alignment: { ...segment.alignment, lateralSlipMm: 0, axialDeg: 0 },
      facets: even(segment.facets),
      foramina: even(segment.foramina),
      flavumMm: even(segment.flavumMm),
      lateralRecessMm: even(segment.lateralRecessMm),
    }));
  }
  return so;
}
