/**
 * One server a data directory. The owner listens on a socket in the directory, and the database
 * names it; whoever comes later asks there. The system closes the socket of a process that was killed,
 * so a lock never outlives its owner; and the exchange of owners is a transaction of the database, so
 * two that come at once cannot both have it. Process ids would not do: two containers that share a
 * volume do not see one another's.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { spoolError } from './errors.js';
import type { Table } from './table.js';

interface Owner {
  readonly socket: string;
}

export interface Lock {
  release(): Promise<void>;
}

const OWNER = 'owner';
const prefix = 'owner-';
const suffix = '.sock';
/** Longest path of a socket, with its final zero (sockaddr_un on Linux: 108, elsewhere 104). */
const PATH_BYTES = 103;

/** @throws CodedError SPOOL_ERR_LOCKED */
export async function lockDirectory(directory: string, table: Table<Owner>): Promise<Lock> {
  const folder = await socketFolder(directory);
  const socket = `${prefix}${randomBytes(4).toString('hex')}${suffix}`;
  const server = createServer((connection) => connection.destroy());
  server.listen(join(folder.path, socket));
  await once(server, 'listening');
  server.unref();
  try {
    await claim(folder.path, socket, table);
  } catch (error) {
    await close(server);
    await folder.handle?.close();
    throw error;
  }
  for (const name of await readdir(directory)) {
    if (name.startsWith(prefix) && name.endsWith(suffix) && name !== socket) await rm(join(directory, name), { force: true });
  }
  return {
    async release() {
      await table.transaction(() => {
        if (table.get(OWNER)?.socket === socket) table.remove(OWNER);
      });
      await close(server);
      await folder.handle?.close();
    },
  };
}

async function claim(folder: string, socket: string, table: Table<Owner>): Promise<void> {
  for (;;) {
    const owner = table.get(OWNER);
    if (owner !== undefined && (await answers(join(folder, owner.socket)))) {
      throw spoolError('SPOOL_ERR_LOCKED', 'a data directory that another server uses');
    }
    const isOurs = await table.transaction(() => {
      // Only in place of the owner that was found dead.
      if (table.get(OWNER)?.socket !== owner?.socket) return false;
      table.put(OWNER, { socket });
      return true;
    });
    if (isOurs) return;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

/** The directory by a path that is short enough for a socket. */
async function socketFolder(directory: string): Promise<{ path: string; handle?: FileHandle }> {
  if (Buffer.byteLength(join(directory, `${prefix}01234567${suffix}`)) <= PATH_BYTES || process.platform !== 'linux') return { path: directory };
  const handle = await open(directory, 'r');
  return { path: `/proc/self/fd/${handle.fd}`, handle };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
