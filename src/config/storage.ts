/** Section `storage`: where nodes of a cluster share images and raw data (src/storage, docs/durability.md). */
import { z } from 'zod';

const path = z.string().min(1);

export const s3Section = z.strictObject({
  bucket: z.string().min(3).max(63).regex(/^[a-z0-9][a-z0-9.-]*$/).describe('its name; it has to be there'),
  endpoint: z.url({ protocol: /^https?$/ }).optional().describe('address of the store, e.g. https://minio.hospital.example:9000; Amazon\'s of the region where absent'),
  region: z.string().min(1).default('us-east-1').describe('that requests are signed for'),
  prefix: z.string().regex(/^([A-Za-z0-9][A-Za-z0-9._-]*\/)*$/, 'is to be empty, or parts that each end with a slash').default('').describe('what all keys in the bucket begin with, e.g. conus/'),
  accessKeyIdFile: path.optional().describe('file with the id of the access key; AWS_ACCESS_KEY_ID where absent'),
  secretAccessKeyFile: path.optional().describe('file with its secret; AWS_SECRET_ACCESS_KEY where absent'),
  timeoutS: z.number().positive().max(3600).default(30).describe('longest time for a request, beside that for its bytes at 1 MB/s'),
  attempts: z.int().min(1).max(20).default(6).describe('of a request that the store does not answer, or answers with a failure of its own'),
  partMebibytes: z.number().min(5).max(1024).default(16).describe('files above this go up and come down in parts of this size'),
});

export const storageSection = z
  .strictObject({
    directory: path.optional().describe('folder that every node sees, by NFS or as a volume'),
    s3: s3Section.optional().describe('a bucket that speaks the protocol of Amazon S3, in place of a folder'),
  })
  .refine(({ directory, s3 }) => directory === undefined || s3 === undefined, 'a directory or s3, not both');

export type S3Config = z.output<typeof s3Section>;
export type StorageConfig = z.output<typeof storageSection>;
