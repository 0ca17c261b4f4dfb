/**
 * Which lines a scanner measures, in the plane of a slice about the isocentre. A line is
 *
 *   x cos(theta) + y sin(theta) = t,
 *
 * t mm from the isocentre and running along n = (-sin(theta), cos(theta)). A parallel view is all t of
 * one theta. In a fan view beta the source stands at -D n(beta), and the ray at the fan angle gamma is
 * the line
 *
 *   theta = beta - gamma,   t = D sin(gamma)
 *
 * (Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3.4). Channels lie at equal
 * steps of t, or of gamma (a detector on an arc about the source). Channel c, which may be a fraction,
 * is at (c - (nChannels - 1) / 2 + channelOffset) steps; an offset of a quarter lets opposite views of
 * a full turn measure between each other's lines.
 */
import { simulatorError } from '../errors.js';

export interface FanBeam {
  readonly kind: 'fan';
  readonly sourceIsocentreMm: number;
  readonly sourceDetectorMm: number;
  readonly nChannels: number;
  /** Angle from one channel to the next, seen from the source. */
  readonly channelStepRad: number;
  readonly channelOffset: number;
  /** Over a full turn. */
  readonly nViews: number;
}

export interface ParallelBeam {
  readonly kind: 'parallel';
  readonly nChannels: number;
  readonly channelStepMm: number;
  readonly channelOffset: number;
  /** Over half a turn. */
  readonly nViews: number;
}

export type Beam = FanBeam | ParallelBeam;

/**
 * A clinical scanner: 888 channels of 1.0239 mm on an arc, 984 views a turn, a field of 500 mm (GE
 * LightSpeed, as in Wang 2006, doi 10.1109/TMI.2006.882141, and Thibault 2007, doi 10.1118/1.2789499).
 */
export const clinicalFanBeam: FanBeam = {
  kind: 'fan',
  sourceIsocentreMm: 541,
  sourceDetectorMm: 949.075,
  nChannels: 888,
  channelStepRad: 1.0239 / 949.075,
  channelOffset: 0.25,
  nViews: 984,
};

/** @throws SIM_ERR_OPTION */
export function checkBeam(beam: Beam): void {
  const counts = [beam.nChannels, beam.nViews];
  const lengths =
    beam.kind === 'fan' ? [beam.sourceIsocentreMm, beam.channelStepRad] : [beam.channelStepMm];
  const valid =
    counts.every((count) => Number.isInteger(count) && count >= 2 && count <= 8192) &&
    lengths.every((length) => length > 0 && Number.isFinite(length)) &&
    Math.abs(beam.channelOffset) <= 1 &&
    (beam.kind === 'parallel' || (beam.nChannels / 2 + 1) * beam.channelStepRad < 1);
  if (!valid) {
    throw simulatorError(
      'SIM_ERR_OPTION',
      `a ${beam.kind} beam of ${counts.join(' channels, ')} views, ${lengths.join(', ')}, offset ${beam.channelOffset}; ` +
        '2 to 8192 channels and views, steps above 0, an offset of at most one channel and half a fan below 1 rad are allowed',
    );
  }
}

/** From one view to the next. */
export function viewStepRad(beam: Beam): number {
  return (beam.kind === 'fan' ? 2 * Math.PI : Math.PI) / beam.nViews;
}

/** Where a channel is: its fan angle in rad, or its t in mm. */
export function channelPosition(beam: Beam, channel: number): number {
  const step = beam.kind === 'fan' ? beam.channelStepRad : beam.channelStepMm;
  return (channel - (beam.nChannels - 1) / 2 + beam.channelOffset) * step;
}

/** The t of a channel's lines, mm. */
export function channelDistanceMm(beam: Beam, channel: number): number {
  const position = channelPosition(beam, channel);
  return beam.kind === 'fan' ? beam.sourceIsocentreMm * Math.sin(position) : position;
}

/** The theta of a channel's line in a view. */
export function lineAngleRad(beam: Beam, view: number, channel: number): number {
  const viewRad = view * viewStepRad(beam);
  return beam.kind === 'fan' ? viewRad - channelPosition(beam, channel) : viewRad;
}

/** Radius of the disc about the isocentre that every view sees, mm. */
export function fieldRadiusMm(beam: Beam): number {
  return Math.min(-channelDistanceMm(beam, 0), channelDistanceMm(beam, beam.nChannels - 1));
}

/** Distance of neighbouring lines at the isocentre, mm. */
export function lineSpacingMm(beam: Beam): number {
  return beam.kind === 'fan' ? beam.sourceIsocentreMm * beam.channelStepRad : beam.channelStepMm;
}
