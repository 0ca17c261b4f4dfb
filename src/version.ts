/** What this program calls itself. */
import { readFileSync } from 'node:fs';

/** The nearest package.json upwards: the source tree and the built one lie at different depths. */
function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<string, string>;
      if (name === 'conus' && version !== undefined) return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

export const VERSION = packageVersion();

/** The version of the ISMRMRD protocol that is spoken. */
export const MRD_PROTOCOL_VERSION = '1.15.0';

/** Conus as the writer of DICOM objects and the end of an association (PS3.7, D.3.3.2). */
export const IMPLEMENTATION_CLASS_UID = '2.25.97421640804420168949208320908120350967';
