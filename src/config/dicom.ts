/** Section `dicom`: the receiver of images and the destinations that series are delivered to (src/dicom). */
import { z } from 'zod';

const path = z.string().min(1);
const aeTitle = z.string().regex(/^[\w.-]{1,16}$/, '1 to 16 letters, digits, points, hyphens and underscores');
const port = z.int().min(1).max(65535);
const patterns = (of: string) => z.array(z.string().min(1)).optional().describe(`${of}; * stands for anything, case does not count; all of them where absent`);

const rules = z
  .strictObject({
    roles: patterns('roles of series in their exam'),
    descriptions: patterns('series descriptions'),
    modalities: patterns('modalities'),
    sopClasses: z.array(z.string().min(1)).optional().describe('SOP class UIDs; all of them where absent'),
    received: z.boolean().default(false).describe('also series that came in as DICOM from elsewhere'),
  })
  .prefault({})
  .describe('which series go there: those that fit every key');

const pseudonymise = z
  .strictObject({
    keyFile: path.describe('file with the secret that pseudonyms are made with; the same key gives a patient the same one'),
    dates: z.enum(['remove', 'shift']).default('remove').describe('what becomes of dates'),
  })
  .optional()
  .describe('the destination gets no name, identifier or date of a patient (docs/dicom-conformance.md)');

const tlsFiles = {
  authorityFile: path.optional().describe('PEM of whoever signs the certificates of the other side'),
};

const dicomDestination = z.strictObject({
  kind: z.literal('dicom').describe('C-STORE'),
  host: z.string().min(1).describe('address of the peer'),
  port: port.describe('port of the peer'),
  aeTitle: aeTitle.describe("the peer's AE title"),
  callingAeTitle: aeTitle.optional().describe('ours towards this peer; that of the receiver where absent'),
  tls: z
    .strictObject({
      ...tlsFiles,
      keyFile: path.optional().describe('PEM of our private key, where the peer asks for a certificate'),
      certificateFile: path.optional().describe('PEM of our certificate'),
    })
    .optional()
    .describe('TLS 1.2 or later; the certificate of the peer is checked'),
  maxAssociations: z.int().min(1).max(64).default(2).describe('associations with the peer at once'),
  timeoutS: z.number().positive().max(3600).default(60).describe('longest wait for a connection, an association or an answer, seconds'),
  commitment: z.boolean().default(false).describe('ask for storage commitment (N-ACTION) after a series is stored'),
  rules,
  pseudonymise,
});

const stowDestination = z.strictObject({
  kind: z.literal('stow').describe('DICOMweb, STOW-RS'),
  url: z.url({ protocol: /^https?$/ }).describe("the service's studies, https://host/dicom-web/studies"),
  tokenFile: path.optional().describe('file with a bearer token'),
  user: z.string().min(1).optional().describe('user name of basic authentication'),
  passwordFile: path.optional().describe('file with the password of that user'),
  timeoutS: z.number().positive().max(3600).default(120).describe('longest wait for an answer, seconds'),
  rules,
  pseudonymise,
});

const folderDestination = z.strictObject({
  kind: z.literal('folder').describe('files SERIES/INSTANCE.dcm'),
  folder: path.describe('folder that the files are written to'),
  rules,
  pseudonymise,
});

export const dicomDestinationSchema = z.discriminatedUnion('kind', [dicomDestination, stowDestination, folderDestination]);

export const dicomSection = z.strictObject({
  receiver: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('address to listen on; outside loopback, TLS with callingAeTitles or with client certificates is asked for'),
      port: z.int().min(0).max(65535).optional().describe('port to listen on, 11112 by custom, 0 for any free one; no receiver where absent'),
      aeTitles: z.array(aeTitle).min(1).default(['CONUS']).describe('titles that we answer to; the first is also what we call with'),
      callingAeTitles: z.array(aeTitle).optional().describe('titles that may call; all of them where absent'),
      tls: z
        .strictObject({
          keyFile: path.describe('PEM of the private key'),
          certificateFile: path.describe('PEM of the certificate'),
          ...tlsFiles,
        })
        .optional()
        .describe('TLS 1.2 or later; with an authority, clients without a certificate of it are refused'),
      maxAssociations: z.int().min(1).max(256).default(16).describe('associations at once'),
      maxObjectMebibytes: z.int().min(1).max(2000).default(512).describe('largest object'),
      idleTimeoutS: z.number().positive().max(3600).default(60).describe('longest silence of a peer, seconds'),
      quietTimeS: z.number().positive().max(3600).default(5).describe('a series is complete when its associations are closed and nothing came for so long, seconds'),
    })
    .prefault({})
    .describe('the storage service for images from elsewhere'),
  enhanced: z.boolean().default(false).describe('what is made of scans, and synthetic MR, goes out as Enhanced MR Image objects, one a series and contrast'),
  destinations: z
    .record(z.string().regex(/^[\w.-]{1,64}$/), dicomDestinationSchema)
    .default({})
    .describe('where series are delivered, by name'),
});

export type DicomConfig = z.output<typeof dicomSection>;
export type DestinationConfig = DicomConfig['destinations'][string];
export type DestinationRules = DestinationConfig['rules'];
