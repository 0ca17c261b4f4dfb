/** Exit codes of `conus`, documented in docs/cli.md. */
export const ExitCode = {
  ok: 0,
  /** The command line is wrong. */
  usage: 1,
  /** The input cannot be read or is refused; no image was made. */
  input: 2,
  /** Images were made, and then an error ended the session. */
  partial: 3,
  /** The output cannot be written, or the connection failed. */
  output: 4,
  /** A fault of Conus itself. */
  internal: 5,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
