/** Section `ct`: scanners whose noise is known by dose and kernel (src/denoising/ctDose.ts, docs/denoising.md). */
import { z } from 'zod';

const kernel = z.strictObject({
  kernel: z.string().min(1).describe('as in the attribute ConvolutionKernel of images'),
  tubeVoltageKv: z.number().positive().optional().describe('of images at another voltage (KVP) it says nothing; of all where it is absent'),
  phantomDiameterMm: z.number().positive().max(600).describe('cylinder of water about the isocentre'),
  exposureMas: z.number().positive().describe('of one turn, when it was measured'),
  sliceThicknessMm: z.number().positive().describe('when it was measured'),
  noiseHu: z.number().positive().describe('standard deviation in the middle of the water, by filtered backprojection'),
  waterPerMm: z.number().positive().max(0.1).default(0.0193).describe('attenuation of water at the effective energy of the beam'),
});

const scanner = z.strictObject({
  station: z.string().min(1).optional().describe('name of the station or of the device (stationName or deviceID of an MRD header, StationName or DeviceSerialNumber of DICOM); every scanner where it is absent'),
  kernels: z.array(kernel).min(1).describe('what a water phantom showed with each reconstruction kernel'),
  bowtie: z
    .strictObject({
      waterDiameterMm: z.number().positive().describe('cylinder of water that the filter makes up for'),
      leastShare: z.number().positive().max(1).describe('what its thickest part lets through, relative to its middle'),
    })
    .optional()
    .describe('the filter before the tube; none where it is absent'),
  electronics: z
    .strictObject({
      quantaPerMasMm: z.number().positive().describe('that a channel counts in a view, a mAs and a mm of slice thickness with nothing in the way'),
      noiseQuanta: z.number().min(0).describe('standard deviation of the electronics in a view and a mm of slice thickness'),
    })
    .optional()
    .describe('for low doses behind much tissue; quanta alone where it is absent'),
});

export const ctSection = z.strictObject({
  scanners: z.array(scanner).default([]).describe('whose images are denoised with the noise of their dose and kernel; of all others it is estimated from the image'),
});

export type CtConfig = z.output<typeof ctSection>;
