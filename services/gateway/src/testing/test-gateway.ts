import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Logger } from '@facecast/shared/runtime/logger';
import { gatewayConfig } from '../config.js';
import { startGateway, type Gateway } from '../gateway.js';
import { INGEST_LIMITS, type IngestLimits } from '../ingest/limits.js';

/** A gateway of a test's own, with its own directories. */
export interface TestGateway extends Gateway {
  /** Without a slash at the end. */
  url: string;
  ingestUrl: string;
  hlsDir: string;
  recordingsDir: string;
}

/** Starts one on any free port, with a page that says what it is. */
export async function testGateway(
  redisUrl: string,
  settings: Record<string, string> = {},
  limits: Partial<IngestLimits> = {},
  log: Logger = createLogger('gateway', 'silent'),
): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'facecast-gateway-'));
  const hlsDir = join(directory, 'hls');
  const recordingsDir = join(directory, 'recordings');
  const webDir = join(directory, 'web');
  await mkdir(hlsDir);
  await mkdir(join(webDir, 'assets'), { recursive: true });
  await writeFile(join(webDir, 'index.html'), '<title>publish</title>');
  await writeFile(join(webDir, 'watch.html'), '<title>watch</title>');
  await writeFile(join(webDir, 'assets/app-1a2b.js'), 'export {};');
  const config = gatewayConfig({
    PORT: '0',
    REDIS_URL: redisUrl,
    HLS_DIR: hlsDir,
    RECORDINGS_DIR: recordingsDir,
    WEB_DIR: webDir,
    ...settings,
  });
  const gateway = await startGateway(config, log, {
    ...INGEST_LIMITS,
    ...limits,
  });
  return {
    port: gateway.port,
    url: `http://127.0.0.1:${gateway.port}`,
    ingestUrl: `ws://127.0.0.1:${gateway.port}/ingest`,
    hlsDir,
    recordingsDir,
    close: async () => {
      await gateway.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
