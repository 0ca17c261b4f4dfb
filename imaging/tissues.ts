/**
 * What the tissues of the spine and of the body round it are made of, for MR at 1.5 T and 3 T and for CT.
 *
 * A voxel of tissue is water and fat: of its protons (`protonDensity`, water at 37 °C = 1) the share
 * `fatFraction` is triglyceride with the relaxation times of `fatAt`, the rest is water with the tissue's
 * own T1 and T2. T2* is one number for both, as in fat quantification with a single R2*.
 *
 * Sources. Values are means of healthy adults unless the row says otherwise; two numbers are 1.5 T / 3 T.
 *   [S]  Stanisz 2005, Magn Reson Med, doi 10.1002/mrm.20605 (samples at 37 °C, both fields)
 *   [B]  de Bazelaire 2004, Radiology, doi 10.1148/radiol.2303021331 (in vivo, both fields)
 *   [G]  Gold 2004, AJR 183:343 (knee, in vivo, both fields)
 *   [P]  Drake-Pérez 2018, AJNR 39:788 (T1, T2, proton density of CSF, cord, discs, vertebrae)
 *   [Sm] Smith 2008, Magn Reson Med, doi 10.1002/mrm.21596 (cervical cord, 3 T)
 *   [M]  Marinelli 2010, AJNR, doi 10.3174/ajnr.A2080 (T2 of discs by Pfirrmann grade: II 108 ms, IV 53 ms)
 *   [R]  Ruschke 2021, NMR Biomed, doi 10.1002/nbm.4439 (vertebrae, 3 T: water T2 11 to 43 ms, fat 4 to 82 %)
 *   [K]  Karampinos 2015, NMR Biomed, doi 10.1002/nbm.3420 (vertebral T2* is short)
 *   [Ba] Baum 2018, Front Endocrinol, doi 10.3389/fendo.2018.00141 (vertebral fat fraction by age)
 *   [Sc] Schmeel 2018, Eur Radiol 28:5001 (fat fraction of acute benign fractures 24 %, malignant ones 3.5 %)
 *   [J]  Jang 2019, Radiology, doi 10.1148/radiol.2019181648 (L1: 226 HU under 30 years, 2.5 HU less a year)
 *   [H]  Hopkins and Wehrli 1997, Magn Reson Med 37:494 (bone: -0.90 ppm in CGS units, -2.3 ppm from water in SI)
 *   [Ck] Schenck 1996, Med Phys, doi 10.1118/1.597854 (air 0.36, water -9.05 ppm; soft tissue lies near water)
 *   [Mo] Modic 1988, Radiology 166:193 (T1w and T2w appearance of endplate changes)
 * "chosen" marks what no measurement at hand gives: a value that makes the tissue look, beside its neighbours,
 * as radiology describes it (test/imaging/tissues.test.ts lays that down). All T2* of soft tissue are chosen
 * between T2 and the few milliseconds of [K], shorter at 3 T. Proton densities of soft tissue are water contents
 * by volume. HU are those of CT textbooks, at 120 kV without contrast agent, except where the row names a source.
 */

export interface Tissue {
  /** Of all protons seen by MR, water and fat; water at 37 °C is 1. */
  readonly protonDensity: number;
  /** Share of the protons that is triglyceride, 0 to 1. */
  readonly fatFraction: number;
  /** Of the water in the tissue. */
  readonly t1Ms: number;
  /** Of the water in the tissue. */
  readonly t2Ms: number;
  /** Of water and fat alike. */
  readonly t2StarMs: number;
  /** Mean CT number, HU. */
  readonly hounsfield: number;
  /** Volume susceptibility in SI units, relative to water. */
  readonly susceptibilityPpm: number;
}

/** Standard deviations between persons. */
export interface TissueVariation {
  /** Of the proton density, relative. */
  readonly protonDensity: number;
  /** Of T1, relative. */
  readonly t1: number;
  /** Of T2, relative; T2* goes with it. */
  readonly t2: number;
  /** Of the fat fraction, absolute. */
  readonly fatFraction: number;
  /** Of the CT number, HU. */
  readonly hounsfield: number;
}

export interface FatPeak {
  /** From water; negative is the lower frequency. */
  readonly shiftPpm: number;
  /** Share of the fat signal; all peaks together are 1. */
  readonly weight: number;
}

export interface Fat {
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly peaks: readonly FatPeak[];
}

export type FieldStrengthT = 1.5 | 3;

/** At 1.5 T and at 3 T. */
type AtBoth = readonly [number, number];

interface Row {
  readonly protonDensity: number;
  readonly fatFraction: number;
  readonly t1Ms: AtBoth;
  readonly t2Ms: AtBoth;
  readonly t2StarMs: AtBoth;
  readonly hounsfield: number;
  readonly susceptibilityPpm: number;
  readonly variation: TissueVariation;
}

/** Relaxation times scatter by about a tenth between persons ([S], [B], [G]); lesions scatter more. */
function spread(t1: number, t2: number, fatFraction: number, hounsfield: number, protonDensity = 0.04): TissueVariation {
  return { protonDensity, t1, t2, fatFraction, hounsfield };
}

function row(
  protonDensity: number, fatFraction: number, t1Ms: AtBoth, t2Ms: AtBoth, t2StarMs: AtBoth,
  hounsfield: number, susceptibilityPpm: number, variation: TissueVariation,
): Row {
  return { protonDensity, fatFraction, t1Ms, t2Ms, t2StarMs, hounsfield, susceptibilityPpm, variation };
}

const none = spread(0, 0, 0, 0, 0);
const soft = spread(0.06, 0.08, 0.01, 6);
const adipose = spread(0.05, 0.08, 0.03, 8, 0.02);
const marrow = spread(0.08, 0.15, 0.1, 40, 0.05);
const disc = spread(0.08, 0.15, 0, 12, 0.06);
const fluid = spread(0.04, 0.08, 0, 5, 0.01);
// Less in T2: a lesion is told from what it lies in, in every person.
const lesion = spread(0.12, 0.07, 0.05, 30, 0.05);

/* Columns: proton density, fat fraction, T1, T2, T2* (1.5 T, 3 T; ms), HU, susceptibility (ppm), spread. */
const tissueTable = {
  // Without signal the times do not matter. [Ck]
  air: row(0, 0, [1000, 1000], [50, 50], [10, 10], -1000, 9.4, none),
  bowelGas: row(0, 0, [1000, 1000], [50, 50], [10, 10], -950, 9.4, spread(0, 0, 0, 20, 0)),

  // Skin chosen, collagen-rich. Adipose tissue: nine tenths of its protons are fat; its little water chosen.
  skin: row(0.7, 0.05, [900, 1050], [32, 30], [18, 14], 50, 0, soft),
  subcutaneousFat: row(0.95, 0.92, [800, 900], [42, 40], [42, 30], -105, 0.6, adipose),
  visceralFat: row(0.93, 0.86, [800, 900], [42, 40], [36, 25], -98, 0.55, adipose),
  epiduralFat: row(0.94, 0.88, [800, 900], [42, 40], [36, 25], -95, 0.55, adipose),

  // T1 [S] 1008 / 1412, [G] 1130 / 1420; T2 [G] 35 / 32.
  muscle: row(0.78, 0.03, [1010, 1412], [35, 32], [27, 21], 55, 0, spread(0.05, 0.08, 0.03, 7)),
  // Half way between muscle and fat.
  fattyMuscle: row(0.84, 0.4, [1010, 1412], [36, 33], [24, 18], -5, 0.25, spread(0.06, 0.08, 0.12, 20)),

  // Bone water has a T2* below a millisecond: no signal in any sequence here. Susceptibility [H].
  cortex: row(0.18, 0, [220, 260], [0.5, 0.5], [0.4, 0.35], 1000, -2.3, spread(0.1, 0.1, 0, 150)),
  // Bony and cartilaginous endplate together; chosen, dark.
  endplate: row(0.3, 0, [450, 520], [8, 8], [4, 3], 450, -1, spread(0.1, 0.15, 0, 90)),
  // Fat [Ba] [R]; T2* [K]; HU [J] for about 55 years. T1 of the water chosen so that one exponential through water
  // and fat is within a tenth of [B], 549 / 586 ms. T2 of the water chosen between the median of single-voxel
  // spectroscopy, 21 ms [R], and [B], 49 / 49 ms for water and fat together.
  cancellousBone: row(0.85, 0.45, [900, 1000], [40, 36], [16, 10], 155, 0, marrow),
  redMarrow: row(0.88, 0.25, [950, 1080], [45, 40], [16, 10], 210, 0, marrow),
  yellowMarrow: row(0.92, 0.85, [850, 950], [40, 36], [20, 13], 60, 0.4, spread(0.08, 0.12, 0.05, 30)),
  osteophyte: row(0.6, 0.45, [900, 1000], [32, 28], [9, 6], 380, -0.4, spread(0.08, 0.15, 0.12, 90, 0.1)),

  // T2 [M] and, of young persons, above; T1 [P] (whole normal disc 1165, desiccated 554 ms) higher at 3 T.
  // Most of the spread between discs is degeneration, which is no property of the person.
  nucleus: row(0.85, 0, [1250, 1450], [130, 115], [65, 48], 75, 0, spread(0.08, 0.06, 0, 12, 0.06)),
  annulus: row(0.65, 0, [900, 1050], [38, 35], [20, 14], 105, 0, disc),
  degeneratedNucleus: row(0.62, 0, [780, 900], [50, 46], [24, 17], 90, 0, disc),
  hernia: row(0.72, 0, [950, 1100], [64, 58], [32, 24], 90, 0, spread(0.1, 0.25, 0, 15, 0.06)),

  // Cartilage [G]; ligaments chosen: collagen dark, the elastic flavum intermediate.
  cartilage: row(0.75, 0, [1066, 1240], [42, 37], [28, 21], 90, 0, soft),
  ligament: row(0.6, 0, [650, 750], [12, 11], [6, 5], 95, 0, soft),
  ligamentumFlavum: row(0.65, 0.05, [850, 980], [28, 26], [16, 12], 80, 0, soft),

  // CSF: [P] 4273 and 1578 ms; T2 at 3 T about 2 s, Spijkerman 2018, doi 10.1007/s10334-017-0659-3.
  csf: row(1, 0, [4300, 4300], [2000, 1900], [400, 250], 8, 0, fluid),
  // 3 T [Sm]: 876 and 73 ms in white, 973 and 76 ms in grey matter; 1.5 T [S]: cord 745 and 74 ms.
  cord: row(0.74, 0, [770, 900], [74, 73], [52, 42], 36, 0, soft),
  cordWhite: row(0.71, 0, [745, 876], [74, 73], [52, 42], 34, 0, soft),
  cordGrey: row(0.81, 0, [830, 973], [77, 76], [56, 46], 39, 0, soft),
  // As the optic nerve of [S]; the ganglion, richer in water, chosen.
  nerveRoot: row(0.72, 0, [815, 1083], [77, 78], [50, 40], 32, 0, soft),
  ganglion: row(0.8, 0, [980, 1250], [88, 84], [50, 40], 36, 0, soft),
  duraMater: row(0.6, 0, [750, 850], [16, 15], [9, 7], 60, 0, soft),

  // Blood [S], oxygenated and at rest; walls and bowel chosen.
  blood: row(0.86, 0, [1441, 1932], [290, 275], [110, 60], 45, 0, fluid),
  vesselWall: row(0.72, 0, [900, 1100], [50, 47], [28, 20], 42, 0, soft),
  bowelWall: row(0.78, 0, [950, 1200], [60, 55], [32, 23], 40, 0, soft),
  bowelContent: row(0.9, 0.03, [1500, 1800], [150, 130], [40, 25], 25, 0, spread(0.3, 0.4, 0.03, 25, 0.08)),

  // T1, T2 [B].
  kidneyCortex: row(0.82, 0, [966, 1142], [87, 76], [60, 45], 33, 0, soft),
  kidneyMedulla: row(0.86, 0, [1412, 1545], [85, 81], [55, 38], 30, 0, soft),
  liver: row(0.78, 0.04, [586, 809], [46, 34], [30, 22], 58, 0, spread(0.07, 0.1, 0.03, 8)),
  // Urine chosen. Joint fluid [G].
  urine: row(1, 0, [3500, 3700], [1500, 1400], [300, 200], 6, 0, fluid),
  jointFluid: row(0.95, 0, [2850, 3620], [1210, 767], [200, 120], 15, 0, fluid),

  // Lesions. Fat fractions of fracture and metastasis [Sc]; signs of the Modic types [Mo]; the rest chosen.
  marrowOedema: row(0.9, 0.2, [1150, 1350], [75, 70], [30, 20], 165, 0, lesion),
  modic1: row(0.9, 0.15, [1300, 1500], [85, 78], [30, 20], 170, 0, lesion),
  modic2: row(0.92, 0.78, [900, 1000], [40, 36], [20, 13], 110, 0.35, lesion),
  modic3: row(0.4, 0.2, [800, 900], [20, 18], [6, 4], 480, -0.8, spread(0.12, 0.07, 0.05, 90, 0.1)),
  haemangioma: row(0.95, 0.6, [1000, 1150], [110, 100], [30, 20], 95, 0.2, lesion),
  metastasis: row(0.88, 0.035, [1300, 1550], [88, 80], [38, 27], 55, 0, spread(0.12, 0.07, 0.02, 20, 0.05)),
  scleroticMetastasis: row(0.35, 0.04, [900, 1050], [25, 22], [7, 5], 700, -1.2, spread(0.12, 0.07, 0.02, 150, 0.1)),
  acuteFracture: row(0.92, 0.24, [1250, 1450], [80, 74], [28, 19], 220, 0, spread(0.12, 0.07, 0.1, 50, 0.05)),
  schmorlOedema: row(0.9, 0.22, [1150, 1350], [74, 68], [29, 19], 175, 0, lesion),
  discInfection: row(0.92, 0, [1700, 1950], [140, 125], [60, 42], 55, 0, spread(0.12, 0.07, 0, 12)),
  abscess: row(0.96, 0, [2200, 2500], [180, 160], [90, 60], 22, 0, spread(0.12, 0.07, 0, 8, 0.02)),
  msPlaque: row(0.85, 0, [1150, 1350], [110, 105], [70, 55], 32, 0, spread(0.12, 0.07, 0, 4)),
  contusion: row(0.82, 0, [1050, 1220], [108, 102], [45, 34], 34, 0, spread(0.12, 0.07, 0, 6)),
} as const satisfies Readonly<Record<string, Row>>;

export type TissueName = keyof typeof tissueTable;

/** Every name that `tissueAt` knows. */
export const tissueNames = Object.keys(tissueTable) as readonly TissueName[];

/** The mean tissue at one field strength. */
export function tissueAt(name: TissueName, fieldStrengthT: FieldStrengthT): Tissue {
  const { protonDensity, fatFraction, t1Ms, t2Ms, t2StarMs, hounsfield, susceptibilityPpm }: Row = tissueTable[name];
  const field = column(fieldStrengthT);
  return {
    protonDensity, fatFraction, t1Ms: t1Ms[field], t2Ms: t2Ms[field], t2StarMs: t2StarMs[field], hounsfield, susceptibilityPpm,
  };
}

/** How much persons differ from the mean tissue, by name. */
export const tissueVariation = Object.fromEntries(
  tissueNames.map((name) => [name, tissueTable[name].variation]),
) as Readonly<Record<TissueName, TissueVariation>>;

/**
 * Shifts and weights of Hamilton 2011, NMR Biomed, doi 10.1002/nbm.1622, as the ISMRM fat-water toolbox
 * rounds them; they add to 0.999 there and are brought to 1 here.
 */
const fatPeaks: readonly FatPeak[] = normalised([
  { shiftPpm: -3.8, weight: 0.087 },
  { shiftPpm: -3.4, weight: 0.693 },
  { shiftPpm: -2.6, weight: 0.128 },
  { shiftPpm: -1.94, weight: 0.004 },
  { shiftPpm: -0.39, weight: 0.039 },
  { shiftPpm: 0.6, weight: 0.048 },
]);

/**
 * Triglyceride. T1 [G]: 288 / 371 ms. T2 is the apparent one of a fast spin echo:
 * closely spaced refocusing pulses suppress the modulation by J coupling that shortens it in spin echoes
 * (Henkelman 1992, doi 10.1002/jmri.1880020511), so it grows with the echo train, from 41 to 143 ms by sequence
 * (Pai 2008, doi 10.1016/j.mri.2008.02.017). The values lie between [B], 58 / 68 ms, and [G], 165 / 133 ms.
 */
export function fatAt(fieldStrengthT: FieldStrengthT): Fat {
  const field = column(fieldStrengthT);
  return { t1Ms: field === 0 ? 288 : 371, t2Ms: field === 0 ? 110 : 100, peaks: fatPeaks };
}

function column(fieldStrengthT: FieldStrengthT): 0 | 1 {
  return fieldStrengthT === 1.5 ? 0 : 1;
}

function normalised(peaks: readonly FatPeak[]): readonly FatPeak[] {
  const total = peaks.reduce((sum, { weight }) => sum + weight, 0);
  return peaks.map(({ shiftPpm, weight }) => ({ shiftPpm, weight: weight / total }));
}
