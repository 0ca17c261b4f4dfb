/**
 * The steps by which files come to last. Each is one call of the system, so that a test can let the
 * machine fail between any two of them.
 */
import { mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';

export interface Files {
  makeFolder(path: string): Promise<void>;
  /** Names in a folder. */
  list(folder: string): Promise<string[]>;
  /** Writes a new file and waits until the disk holds its bytes; its name may still be lost. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Waits until the disk holds the names in a folder. */
  syncFolder(folder: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  /** Bytes that this process may still write on the disk of `folder`. */
  freeBytes(folder: string): Promise<number>;
}

export const diskFiles: Files = {
  async makeFolder(path) {
    // Everything in a data directory is patient data: for the owner of the process only.
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (folder) => readdir(folder),
  async write(path, bytes) {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  async syncFolder(folder) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  read: (path) => readFile(path),
  remove: (path) => rm(path, { force: true }),
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
};
