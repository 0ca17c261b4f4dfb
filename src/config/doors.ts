/** Section `doors`: who may come in from where (src/doors). */
import { z } from 'zod';

const path = z.string().min(1);

export const doorsSection = z.strictObject({
  tokenFile: path.optional().describe('file with the tokens that HTTP and the live channel ask for, one a line'),
  makeToken: z.boolean().default(false).describe('make a token at every start and print it once on stderr'),
  tls: z
    .strictObject({
      keyFile: path.describe('PEM of the private key'),
      certificateFile: path.describe('PEM of the certificate, intermediate ones behind it'),
      authorityFile: path.optional().describe('PEM of whoever signs the certificates of clients'),
      clientCertificates: z.enum(['none', 'required']).default('none').describe('required: only clients with a certificate of the authority'),
    })
    .optional()
    .describe('HTTP and the live channel over TLS'),
  origins: z.array(z.string().min(1)).default([]).describe('of pages that may come in beside our own, e.g. https://console.example'),
  hostNames: z.array(z.string().min(1)).default([]).describe('names that the Host header may have beside those of loopback'),
  mrdAllow: z.array(z.string().min(1)).default([]).describe('addresses and ranges, e.g. 10.1.0.0/16, that MRD sessions may come from beside loopback'),
  requestsPerSecond: z.number().positive().max(10_000).default(50).describe('of one client over HTTP and the live channel, in the long run'),
  burst: z.int().min(1).max(100_000).default(200).describe('requests of one client at once'),
});
