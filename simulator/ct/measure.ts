/**
 * What the detector makes of the projections p, of one colour (no beam hardening, no scatter):
 *
 *   quanta     N_c = I b_c                          incident on channel c, b the bowtie's profile
 *   detected   n ~ Poisson(N exp(-p))
 *   crosstalk  n_c <- (1 - 2 x) n_c + x (n_(c-1) + n_(c+1)),  of N likewise, as an air scan shows it
 *   read out   m = n + sigma_e normal
 *   measured   p' = ln(N / m)
 *
 * Poisson and electronic noise in the projections: Zeng 2015, doi 10.1109/TNS.2015.2467219.
 *
 * Bowtie. A filter that makes up for the shorter path through a cylinder of water of diameter d, so
 * that all channels behind the cylinder count the same: b = exp(-mu (d - sqrt(d² - 4 t²))) for a line
 * at distance t from the isocentre. As a real filter does, it stops at a largest thickness, where a share
 * b_min is left.
 *
 * Photon starvation. Where hardly anything gets through, the logarithm of m makes streaks or does not
 * exist. There a reading is replaced by the mean over so many neighbouring channels that they count
 * enough together, as in Hsieh 1998, doi 10.1118/1.598410; what is still below one quantum counts as one.
 * How little gets through is told by the mean over all channels that may be taken: were it told by the
 * reading itself, the mean of what is low by chance would bias the line.
 */
import { poisson } from './poisson.js';
import type { Random } from '../random.js';
import { channelDistanceMm, type Beam } from './beam.js';

export interface Bowtie {
  /** Of the cylinder that it makes up for. */
  readonly waterDiameterMm: number;
  /** What its thickest part lets through, relative to its middle. */
  readonly leastShare: number;
}

export interface Detection {
  /** Mean quanta that reach a channel in a view where nothing is in the way, in the middle of the fan. */
  readonly quantaPerReading: number;
  /** Standard deviation of the electronics in a reading, quanta. */
  readonly electronicNoiseQuanta: number;
  /** Share of a channel's signal that each neighbour gets, 0 to below 1/3. */
  readonly crosstalk: number;
}

/** Fewer are too few: the logarithm is no longer linear in the noise. */
const ENOUGH_QUANTA = 20;
/** And fewer than so many standard deviations of the electronics. */
const ENOUGH_ELECTRONIC_STDS = 3;
/** Channels to either side over which a starved reading is averaged, at most. */
const WIDEST_REACH = 8;

/** b of every channel, 1 in the middle of the fan; 1 everywhere without a bowtie. */
export function bowtieProfile(beam: Beam, bowtie: Bowtie | undefined, waterPerMm: number): Float64Array {
  const { waterDiameterMm, leastShare } = bowtie ?? { waterDiameterMm: 0, leastShare: 1 };
  return Float64Array.from({ length: beam.nChannels }, (_, channel) => {
    const chord = Math.sqrt(Math.max(0, waterDiameterMm ** 2 - 4 * channelDistanceMm(beam, channel) ** 2));
    return Math.max(leastShare, Math.exp(-waterPerMm * (waterDiameterMm - chord)));
  });
}

/**
 * @param projections float32 [nViews, nChannels], line integrals; stays as it is
 * @param profile the bowtie's, [nChannels]
 * @returns float32 [nViews, nChannels], measured line integrals
 */
export function measure(
  projections: Float32Array,
  profile: Float64Array,
  { quantaPerReading, electronicNoiseQuanta, crosstalk }: Detection,
  random: Random,
): Float32Array {
  const nChannels = profile.length;
  const incident = profile.map((share) => share * quantaPerReading);
  const calibration = spread(incident, crosstalk);
  const enough = Math.max(ENOUGH_QUANTA, ENOUGH_ELECTRONIC_STDS * electronicNoiseQuanta);
  const measured = new Float32Array(projections.length);
  const quanta = new Float64Array(nChannels);
  for (let first = 0; first < projections.length; first += nChannels) {
    for (let channel = 0; channel < nChannels; channel++) {
      quanta[channel] = poisson(incident[channel]! * Math.exp(-projections[first + channel]!), random);
    }
    const readings = spread(quanta, crosstalk);
    if (electronicNoiseQuanta > 0) {
      for (let channel = 0; channel < nChannels; channel++) readings[channel]! += electronicNoiseQuanta * random.normal();
    }
    const sufficient = fed(readings, enough);
    for (let channel = 0; channel < nChannels; channel++) {
      measured[first + channel] = Math.log(calibration[channel]! / Math.max(1, sufficient[channel]!));
    }
  }
  return measured;
}

/** Every channel with its share of its neighbours; beyond the ends is the same as at the ends. */
function spread(values: Float64Array, crosstalk: number): Float64Array {
  if (crosstalk === 0) return Float64Array.from(values);
  const last = values.length - 1;
  return values.map((value, channel) => {
    const neighbours = values[Math.max(0, channel - 1)]! + values[Math.min(last, channel + 1)]!;
    return (1 - 2 * crosstalk) * value + crosstalk * neighbours;
  });
}

/** The readings, starved ones as means over neighbours. */
function fed(readings: Float64Array, enough: number): Float64Array {
  const nChannels = readings.length;
  const sums = new Float64Array(nChannels + 1);
  readings.forEach((reading, channel) => (sums[channel + 1] = sums[channel]! + reading));
  const meanAbout = (channel: number, reach: number) => {
    const [from, end] = [Math.max(0, channel - reach), Math.min(nChannels, channel + reach + 1)];
    return (sums[end]! - sums[from]!) / (end - from);
  };
  return readings.map((reading, channel) => {
    const level = Math.max(1, meanAbout(channel, WIDEST_REACH));
    if (level >= enough) return reading;
    return meanAbout(channel, Math.min(WIDEST_REACH, Math.ceil((enough / level - 1) / 2)));
  });
}
