/**
 * Conus as the image and the units run it: what deploy/assemble.sh makes belongs to root, the process is a user without
 * rights, and the whole file system is read-only but for its data folder and /tmp. It starts there, is healthy and ready,
 * takes a scan and keeps it, and ends when it is asked to. Needs root, as containers do, to make such a place.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conus } from './service.js';
import { simulated } from './streams.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const [uid, gid] = /^USER (\d+):(\d+)$/m.exec(dockerfile)!.slice(1).map(Number) as [number, number];
const canUnshare = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--propagation', 'private', 'mount', '-o', 'remount,bind,ro', '/']).status === 0;
/** The seal of the place; then the program as the user of the image. */
const sealed = `
mount --bind "$CONUS_SPOOL_DATA" "$CONUS_SPOOL_DATA"
mount -t tmpfs -o size=256m tmpfs /tmp
mount -o remount,bind,ro /
cd "$CONUS_SPOOL_DATA"
exec setpriv --reuid ${uid} --regid ${gid} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"`;

describe.skipIf(!canUnshare)('an installed Conus', () => {
  // Not below /tmp, which is another one in there.
  const scratch = mkdtempSync('/var/tmp/conus-installed-');
  const installed = join(scratch, 'opt');
  const data = join(scratch, 'data');
  const environment = {
    PATH: process.env['PATH'], NODE_ENV: 'production',
    // Those of the image, on ports that are free.
    CONUS_SPOOL_DATA: data, CONUS_MRD_HOST: '0.0.0.0', CONUS_MRD_PORT: '0', CONUS_HTTP_HOST: '0.0.0.0', CONUS_HTTP_PORT: '0',
    CONUS_DOORS_TOKEN_FILE: join(scratch, 'http_token'), CONUS_DOORS_MRD_ALLOW: '127.0.0.0/8', CONUS_MRD_DRAIN_S: '1',
  };
  let child: ChildProcess | undefined;
  let log = '';

  const inside = (...command: readonly string[]) => spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', sealed, 'sh', ...command], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });

  beforeAll(() => {
    chmodSync(scratch, 0o755);
    mkdirSync(data, { mode: 0o700 });
    chownSync(data, uid, gid);
    writeFileSync(environment.CONUS_DOORS_TOKEN_FILE, 'a-token-for-this-test-alone-0123456789\n');
    const { status, stderr } = spawnSync(join(root, 'deploy/assemble.sh'), [installed], { encoding: 'utf8', env: process.env });
    if (status !== 0) throw new Error(`deploy/assemble.sh ended with ${status}:\n${stderr}`);
  }, 300_000);
  afterAll(() => {
    child?.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  });

  it('is what runs and nothing else', () => {
    expect(readdirSync(installed).sort()).toEqual(['.npmrc', 'LICENSE', 'dist', 'ismrmrd', 'models', 'node_modules', 'package-lock.json', 'package.json', 'stubs'].sort());
    for (const tool of ['typescript', 'vitest', 'vite', 'eslint']) expect(readdirSync(join(installed, 'node_modules'))).not.toContain(tool);
    const libraries = readdirSync(join(installed, 'node_modules/onnxruntime-node/bin'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.node'));
    expect(libraries).toHaveLength(1);
  });

  it('cannot write to itself', async () => {
    const probe = inside('sh', '-c', `touch ${installed}/dist/probe || touch /etc/probe || touch ${scratch}/probe || exit 7`);
    expect(await once(probe, 'close')).toEqual([7, null]);
  });

  it('starts, is healthy and ready, with every model, takes a scan, and ends when it is asked to', async () => {
    child = inside(process.execPath, join(installed, 'dist/src/main.js'), 'serve', '--json', '--threads', '1');
    child.stderr!.on('data', (text: Buffer) => {
      log += text.toString();
    });
    const closed = once(child, 'close');
    const [text] = (await Promise.race([once(child.stdout!, 'data'), closed.then(() => Promise.reject(new Error(log)))])) as [Buffer];
    const { port, http } = JSON.parse(text.toString()) as { port: number; http: { port: number } };

    // As the image asks.
    const probe = JSON.parse(/CMD (\[.*\])\n/.exec(dockerfile)![1]!) as [string, ...string[]];
    const healthy = spawnSync(process.execPath, probe.slice(1), { env: { ...process.env, CONUS_HTTP_PORT: String(http.port) } });
    expect(healthy.status).toBe(0);
    const at = `http://127.0.0.1:${http.port}`;
    const ready = await fetch(`${at}/ready`);
    expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([200, 'ready']);
    expect((await fetch(`${at}/metrics`)).status).toBe(401);

    const answer = join(scratch, 'answer.mrd');
    const sent = JSON.parse((await conus(['send', '-', '-o', answer, '--port', String(port), '--json'], simulated({ matrix: [128, 128], acceleration: 2 }))).toString()) as { nImages: number; texts: string[] };
    // The phantom is no spine: its denoised image may not pass. But it was made.
    expect(sent.nImages, sent.texts.join('\n')).toBeGreaterThanOrEqual(1);
    expect(sent.texts.join('\n')).toContain('A second series is denoised at 75 % by mr-denoiser');
    expect(sent.texts.filter((line) => line.startsWith('ERR ') || line.includes('CONUS_WARN_NOT_KEPT'))).toEqual([]);
    expect(readdirSync(join(data, 'objects')).length).toBeGreaterThan(0);
    const metrics = await (await fetch(`${at}/metrics`, { headers: { authorization: 'Bearer a-token-for-this-test-alone-0123456789' } })).text();
    expect(metrics.split('\n').filter((line) => line.startsWith('conus_model_state{') && line.includes('state="ready"')).every((line) => line.endsWith(' 1'))).toBe(true);

    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(log).toContain('"msg":"draining"');
  });
});
