/** Keys and certificates from files, checked before anything listens with them. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { doorError } from './errors.js';

export interface TlsFiles {
  /** PEM. */
  readonly keyFile: string;
  /** PEM, with intermediate certificates behind it. */
  readonly certificateFile: string;
  /** PEM, of whoever signed the other side's certificates. */
  readonly authorityFile?: string | undefined;
  /** Whether the other side has to show a certificate of the authority. */
  readonly clientCertificates?: 'none' | 'required';
}

/** For `tls.createServer`, `https.createServer`, and as a client's certificate. */
export interface TlsOptions {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: 'TLSv1.2';
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** @throws CodedError CONUS_ERR_DOOR_TLS, which names files and never what is in them */
export async function loadTls(files: TlsFiles): Promise<TlsOptions> {
  const { keyFile, certificateFile, authorityFile, clientCertificates = 'none' } = files;
  const isRequired = clientCertificates === 'required';
  if (isRequired && authorityFile === undefined) throw doorError('CONUS_ERR_DOOR_TLS', 'required client certificates without their authority');
  const [key, cert, ca] = await Promise.all([read(keyFile), read(certificateFile), authorityFile === undefined ? undefined : read(authorityFile)]);
  const options = {
    key,
    cert,
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    requestCert: isRequired,
    rejectUnauthorized: isRequired,
  } as const;
  try {
    createSecureContext(options);
  } catch (cause) {
    throw doorError('CONUS_ERR_DOOR_TLS', `${keyFile} and ${certificateFile} (${(cause as NodeJS.ErrnoException).code ?? 'not PEM'})`, { cause });
  }
  return options;
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw doorError('CONUS_ERR_DOOR_TLS', `${path} (${cause.code ?? 'unreadable'})`, { cause });
  });
}
