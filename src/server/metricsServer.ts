/** Metrics and health over HTTP, on loopback only: GET /metrics, GET /health. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../metrics.js';
import { VERSION } from '../version.js';

const LOOPBACK = '127.0.0.1';

/** @param port 0 takes any free port. @throws the system's error where it cannot listen */
export async function serveMetrics(metrics: Metrics, port: number): Promise<{ server: Server; port: number }> {
  const { registry } = metrics;
  const server = createServer((request, response) => {
    if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end();
    } else if (request.url === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else if (request.url === '/health') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'ok', version: VERSION }));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => resolve());
  });
  return { server, port: (server.address() as AddressInfo).port };
}
