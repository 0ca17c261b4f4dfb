/** moto's S3 for a suite: a bucket, and a key that may use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AwsClient } from 'aws4fetch';

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** As environment variables. */
  readonly credentials: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  close(): Promise<void>;
}

/** Signatures are checked from then on, by what botocore knows of them. */
export async function startS3Server(): Promise<S3Server> {
  const script = fileURLToPath(new URL('python/s3_server.py', import.meta.url));
  const server = spawn(process.env['CONUS_PYTHON'] ?? 'python3', ['-B', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [port] = (await Promise.race([once(server.stdout, 'data'), once(server, 'close').then(() => [''])])) as [Buffer | ''];
  if (port.length === 0) throw new Error('moto cannot be run; .ci/run installs what the interop suite needs');
  const endpoint = `http://127.0.0.1:${String(port).trim()}`;

  const administrator = new AwsClient({ accessKeyId: 'any', secretAccessKey: 'any', region: 'us-east-1', retries: 0 });
  const ask = async (service: string, url: string, init: RequestInit): Promise<string> => {
    const answer = await administrator.fetch(url, { ...init, aws: { service } });
    if (!answer.ok) throw new Error(`moto: ${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  const iam = (action: Record<string, string>) =>
    ask('iam', endpoint, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ Version: '2010-05-08', UserName: 'conus', ...action }).toString() });
  await iam({ Action: 'CreateUser' });
  const key = await iam({ Action: 'CreateAccessKey' });
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  await iam({ Action: 'PutUserPolicy', PolicyName: 'bucket', PolicyDocument: JSON.stringify(policy) });
  await ask('s3', `${endpoint}/conus-test`, { method: 'PUT' });
  const of = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(key)?.[1] ?? '';
  return {
    endpoint,
    bucket: 'conus-test',
    credentials: { AWS_ACCESS_KEY_ID: of('AccessKeyId'), AWS_SECRET_ACCESS_KEY: of('SecretAccessKey') },
    async close() {
      server.stdin.end();
      if (server.exitCode === null) await once(server, 'close');
    },
  };
}
