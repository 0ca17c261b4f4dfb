/** What images that were denoised say of it. */
import type { MetaAttributes } from 'ismrmrd';
import type { DenoisingRecord, NoiseSource, ReconImage } from '../../recon/index.js';

const noiseTexts: Readonly<Record<NoiseSource, string>> = {
  measured: 'noise as measured',
  edge: 'noise from the edge of k-space',
  dose: 'noise by dose and kernel',
  estimated: 'noise ESTIMATED from the image',
};

/** Of a series description: strengths never mix in one series. */
export function strengthMark({ strengthPercent }: DenoisingRecord): string {
  return `DN${Number(strengthPercent.toFixed(1))}`;
}

/** Method, version and strength, in words. */
export function denoisingText({ strengthPercent, noiseSource, dataConsistency, modelId, modelVersion }: DenoisingRecord): string {
  return [
    `denoised at ${Number(strengthPercent.toFixed(1))} % by ${modelId} ${modelVersion}`,
    noiseTexts[noiseSource],
    ...(dataConsistency ? ['measured lines put back'] : []),
  ].join(', ');
}

export function denoisingAttributes({ denoising }: Pick<ReconImage, 'denoising'>): MetaAttributes {
  if (denoising === undefined) return {};
  return {
    ConusDenoise: denoising.strengthPercent,
    ConusDenoiseNoise: denoising.noiseSource,
    ConusDenoiseConsistency: String(denoising.dataConsistency),
    ConusQuality: denoising.light,
    ...(denoising.reasons.length > 0 && { ConusQualityReasons: denoising.reasons.join('; ') }),
    ConusResidualStd: denoising.residualStd,
    ConusEdgeCorrelation: denoising.edgeCorrelation,
    ConusLargestStructure: denoising.largestStructure,
    ConusModel: denoising.modelId,
    ConusModelVersion: denoising.modelVersion,
    ConusModelSha256: denoising.modelSha256,
  };
}
