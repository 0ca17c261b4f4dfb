/** Section `models`: the networks, and what runs them (models/host, docs/models.md). */
import { z } from 'zod';

export const modelsSection = z.strictObject({
  folders: z.array(z.string().min(1)).default([]).describe('folders of further models beside those of the program'),
  threads: z.int().min(1).max(256).optional().describe('threads of one run of a network; by default two, or one where there is one core'),
  providers: z
    .array(z.string().min(1))
    .min(1)
    .default(['cpu'])
    .describe('execution providers of ONNX Runtime, the wanted ones first, as cuda, cpu; where one is missing the next one runs the model, the processor at last'),
});

export type ModelsConfig = z.output<typeof modelsSection>;
