/** Remarks that do not end a session, made from a documented table as errors are. */
import type { ErrorEntry } from 'ismrmrd';
import type { ReconNotice } from '../recon/index.js';

/** `const warn = noticesOf(CHAIN_WARNINGS)`, then `warn('CONUS_WARN_UNKNOWN_PARAMETER', '"foo" is unknown')`. */
export function noticesOf<Code extends string>(table: Readonly<Record<Code, ErrorEntry>>) {
  return (code: Code, message: string): ReconNotice => ({
    severity: code.includes('_INFO_') ? 'info' : 'warning',
    code,
    message: `${message}; ${table[code].action}`,
  });
}
