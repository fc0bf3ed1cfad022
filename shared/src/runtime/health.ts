import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { opsHost } from './config.js';
import type { Redis } from '../redis/redis.js';
import { isInternalHost } from './host-name.js';
import { within } from './within.js';

/** Resolves if a dependency works; rejects with the reason if it does not. */
export type HealthCheck = () => Promise<unknown>;

/** The answer of `/healthz` and `/readyz`: the HTTP status, and one object for each dependency. */
export interface HealthReport {
  status: 200 | 503;
  body: Record<string, DependencyHealth>;
}

/** Checks that Redis answers; fails at once if there is no connection. */
export function redisCheck(redis: Redis): HealthCheck {
  return async () => {
    if (redis.status !== 'ready') throw new Error('not connected');
    await redis.ping();
  };
}

/** Checks that a directory exists and can be written to. */
export function writableCheck(directory: string): HealthCheck {
  return () => access(directory, constants.W_OK);
}

interface DependencyHealth {
  ok: boolean;
  error?: string;
}

const CHECK_TIMEOUT_MS = 2_000;

const NOT_INTERNAL =
  'This service answers to localhost, to IP addresses, and to names without a dot, as containers have.';

/** Runs all checks in parallel; one that takes longer than `CHECK_TIMEOUT_MS` has failed. */
export async function checkHealth(checks: Record<string, HealthCheck>): Promise<HealthReport> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<[string, DependencyHealth]> => {
      try {
        await within(CHECK_TIMEOUT_MS, check());
        return [name, { ok: true }];
      } catch (error) {
        return [name, { ok: false, error: (error as Error).message }];
      }
    }),
  );
  return {
    status: results.every(([, result]) => result.ok) ? 200 : 503,
    body: Object.fromEntries(results),
  };
}

/**
 * Serves `/healthz` (the process answers), `/readyz` (its dependencies work) and `/metrics` at
 * `OPS_HOST`, for a service that has no other HTTP server. No page of another name reads them.
 */
export async function serveOps(options: {
  port: number;
  checks: Record<string, HealthCheck>;
  metrics: Registry;
  /** Address to listen at; `*` for all; `OPS_HOST` unless set. */
  host?: string;
}): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const json = (report: HealthReport) => {
      response.writeHead(report.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(report.body));
    };
    const refuse = (status: 404 | 421, code: string, message: string) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code, message } }));
    };
    const answer = async () => {
      if (!isInternalHost(request.headers.host))
        return refuse(421, 'misdirected_request', NOT_INTERNAL);
      if (request.url === '/healthz') return json(await checkHealth({ process: async () => {} }));
      if (request.url === '/readyz') return json(await checkHealth(options.checks));
      if (request.url === '/metrics') {
        response.writeHead(200, { 'content-type': options.metrics.contentType });
        return response.end(await options.metrics.metrics());
      }
      return refuse(404, 'not_found', 'No such page.');
    };
    answer().catch(() => response.destroy());
  });
  await listen(server, options.port, options.host ?? opsHost());
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Resolves when `server` listens; rejects if the port cannot be used. `host` `*`: all addresses. */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Without a host, Node listens on both IPv6 and IPv4, as far as the machine has them.
    server.listen({ port, ...(host !== '*' && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
