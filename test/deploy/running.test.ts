import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkConfig, configJsonSchema, environmentSettings, environmentVariables } from '../../src/config/index.js';

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const text = (path: string) => readFileSync(root(path), 'utf8');
const variables = environmentVariables(configJsonSchema());

/** Variables of ours that a file sets or reads. */
const named = (file: string) => [...new Set(file.match(/\bCONUS_[A-Z0-9_]+\b/g) ?? [])].filter((name) => !/_(ERR|WARN)_/.test(name));

/** What a configuration of these variables alone is. @throws CodedError where a key is none */
function configOf(environment: Readonly<Record<string, string>>) {
  const { config, findings } = checkConfig(environmentSettings({}, configJsonSchema(), environment));
  expect(findings).toEqual([]);
  return config!;
}

const dockerfile = text('Dockerfile');
/** Instructions with their arguments on one line, comments left out. */
const instructions = dockerfile.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '').split('\n').filter((line) => line.trim() !== '').map((line) => {
  const [, instruction = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line)!;
  return { instruction, value };
});
const imageEnvironment = Object.fromEntries(instructions.filter(({ instruction }) => instruction === 'ENV').flatMap(({ value }) => value.trim().split(/\s+/).map((pair) => pair.split('=') as [string, string])));

it.each(['Dockerfile', 'deploy/compose/compose.yaml', 'deploy/systemd/conus.service', 'deploy/systemd/conus-worker.service', 'docs/deployment.md'])('%s names only keys of the configuration', (file) => {
  const names = named(text(file));
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !variables.has(name))).toEqual([]);
});

describe('the image', () => {
  const last = (wanted: string) => instructions.filter(({ instruction }) => instruction === wanted).at(-1)?.value;
  const runtime = instructions.slice(instructions.findLastIndex(({ instruction }) => instruction === 'FROM'));

  it('is built in two stages from one version that is named to the last digit', () => {
    const bases = instructions.filter(({ instruction }) => instruction === 'FROM').map(({ value }) => value.split(' ')[0]);
    expect(bases).toHaveLength(2);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
    // Nothing of the sources and of what only builds.
    expect(runtime.filter(({ instruction }) => instruction === 'COPY' || instruction === 'ADD').map(({ value }) => value)).toEqual(['--from=build /opt/conus /opt/conus']);
  });

  it('runs as nobody in particular, gets signals itself, and is asked whether it lives', () => {
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(JSON.parse(last('ENTRYPOINT')!)).toEqual(['node', '/opt/conus/dist/src/main.js']);
    expect(JSON.parse(last('CMD')!)).toEqual(['serve']);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    const probe = JSON.parse(/CMD (\[.*\])$/.exec(last('HEALTHCHECK')!)![1]!) as string[];
    expect(probe.slice(0, 2)).toEqual(['node', '-e']);
    expect(probe[2]).toContain('/health');
    expect(JSON.parse(last('VOLUME')!)).toEqual([imageEnvironment['CONUS_SPOOL_DATA']]);
    for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'created']) expect(dockerfile).toContain(`org.opencontainers.image.${label}=`);
  });

  it('says its version, and listens where it says', () => {
    expect(dockerfile).toContain(`ARG VERSION=${(JSON.parse(text('package.json')) as { version: string }).version}\n`);
    const { mrd, http } = configOf(imageEnvironment);
    expect(last('EXPOSE')).toBe(`${mrd.port} ${http.port}`);
  });

  it('is built from no secret and no test', () => {
    const ignored = text('.dockerignore').split('\n');
    for (const path of ['.git', 'test', 'shared', '**/node_modules', '**/*.key', '**/*.pem']) expect(ignored).toContain(path);
  });
});

interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

describe('the compose file', () => {
  const compose = parse(text('deploy/compose/compose.yaml'), { merge: true }) as Compose;
  const services = Object.entries(compose.services);
  const nodes = services.filter(([, { image }]) => image?.startsWith('conus:') === true);
  const seconds = (duration: string) => Number(/^(\d+)s$/.exec(duration)![1]);

  it('has a balancer, what nodes share, two nodes that take scans, and one that works', () => {
    expect(services.map(([name]) => name)).toEqual(['balancer', 'valkey', 'node1', 'node2', 'worker1']);
    expect(nodes.map(([, { command }]) => command?.[0] ?? 'serve')).toEqual(['serve', 'serve', 'worker']);
  });

  it('lets no container write to its own files, or have a right that it does not need', () => {
    for (const [name, service] of services) {
      expect(service.read_only, name).toBe(true);
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
      expect(service.privileged, name).toBeUndefined();
    }
  });

  it('refers to nothing that is not there', () => {
    for (const [name, { networks = [], secrets = [], volumes = [], depends_on = {} }] of services) {
      for (const network of networks) expect(Object.keys(compose.networks), name).toContain(network);
      for (const secret of secrets) expect(Object.keys(compose.secrets), name).toContain(secret);
      for (const dependency of Object.keys(depends_on)) expect(Object.keys(compose.services), name).toContain(dependency);
      for (const volume of volumes.map((mount) => mount.split(':')[0]!)) {
        if (volume.startsWith('.')) expect(existsSync(root(`deploy/compose/${volume}`)), volume).toBe(true);
        else expect(Object.keys(compose.volumes), name).toContain(volume);
      }
    }
  });

  it('configures nodes that start: each with its own folder and name, one store and one server', () => {
    const configs = nodes.map(([, { environment }]) => configOf({ ...imageEnvironment, ...environment }));
    expect(new Set(configs.map(({ cluster }) => cluster.node)).size).toBe(nodes.length);
    expect(new Set(nodes.map(([, { volumes }]) => volumes!.find((mount) => mount.endsWith(':/data')))).size).toBe(nodes.length);
    expect(new Set(nodes.map(([, { volumes }]) => volumes!.find((mount) => mount.endsWith(':/store')))).size).toBe(1);
    for (const [index, [name, service]] of nodes.entries()) {
      const { cluster, storage, doors, mrd } = configs[index]!;
      expect(cluster.redisUrl).toBe('redis://valkey:6379');
      expect(storage.directory).toBe('/store');
      // Doors beyond loopback have their guards.
      for (const file of [doors.tokenFile!, cluster.passwordFile!]) expect(service.secrets!.map((secret) => `/run/secrets/${secret}`), name).toContain(file);
      expect(doors.mrdAllow).toEqual([compose.networks['inside']!.ipam!.config[0]!.subnet]);
      expect(seconds(service.stop_grace_period!)).toBeGreaterThan(mrd.drainS + mrd.graceS);
    }
  });

  it('lets what is told as kept be on the disk, and nothing be thrown out for room', () => {
    const command = compose.services['valkey']!.command!;
    const setting = (name: string) => command[command.indexOf(`--${name}`) + 1];
    expect([setting('appendonly'), setting('appendfsync'), setting('maxmemory-policy')]).toEqual(['yes', 'always', 'noeviction']);
    expect(setting('aclfile')).toBe('/run/secrets/valkey_users');
  });

  it('takes no secret into the repository', () => {
    expect(text('deploy/compose/.gitignore')).toContain('secrets/');
    for (const { file } of Object.values(compose.secrets)) expect(file).toMatch(/^\.\/secrets\//);
  });

  const hasHaproxy = spawnSync('haproxy', ['-v']).error === undefined;
  it.skipIf(!hasHaproxy)('has a balancer that haproxy takes, with the nodes that take scans and time enough to notice', () => {
    const { status, stderr, stdout } = spawnSync('haproxy', ['-c', '-f', root('deploy/compose/haproxy.cfg')], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
    const config = text('deploy/compose/haproxy.cfg');
    expect([...config.matchAll(/^ +server \S+ (\w+):9002/gm)].map(([, name]) => name)).toEqual(['node1', 'node2']);
    const [, inter, fall] = /inter (\d+)s fall (\d+)/.exec(config)!;
    for (const [, { environment }] of nodes) expect(Number(environment!['CONUS_MRD_DRAIN_S'])).toBeGreaterThan(Number(inter) * Number(fall));
  });
});

describe.each(['conus', 'conus-worker'])('the unit %s', (name) => {
  const unit = text(`deploy/systemd/${name}.service`);
  const setting = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value!);

  it('runs without rights, writes to its own folder only, and may still run machine code that it made', () => {
    expect(setting('User')).toEqual(['conus']);
    expect(setting('CapabilityBoundingSet')).toEqual(['']);
    expect(setting('StateDirectory')).toEqual([name]);
    expect(setting('Environment')).toContain(`CONUS_SPOOL_DATA=%S/${name}`);
    for (const key of ['NoNewPrivileges', 'PrivateTmp', 'PrivateDevices', 'ProtectHome', 'RestrictNamespaces']) expect(setting(key), key).toEqual(['yes']);
    expect(setting('ProtectSystem')).toEqual(['strict']);
    expect(setting('MemoryDenyWriteExecute')).toEqual(['no']);
  });

  it('is asked to stop by the signal that drains, and is given the time', () => {
    expect(setting('KillSignal')).toEqual(['SIGTERM']);
    // The process of the models must not get it: sessions that end still need it.
    expect(setting('KillMode')).toEqual(['mixed']);
    const { drainS, graceS } = checkConfig({ mrd: { drainS: 10, graceS: 60 } }).config!.mrd;
    expect(Number(setting('TimeoutStopSec')[0])).toBeGreaterThan(drainS + graceS);
  });

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).error === undefined;
  it.skipIf(!hasSystemd)('passes the checks of systemd', () => {
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', root(`deploy/systemd/${name}.service`)], { encoding: 'utf8' });
    // Where it is checked, Node.js need not lie where the unit expects it.
    expect(verified.stderr.split('\n').filter((line) => line !== '' && !line.includes('is not executable'))).toEqual([]);
    const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', root(`deploy/systemd/${name}.service`)], { encoding: 'utf8' });
    expect(rated.status, rated.stdout).toBe(0);
  });
});
