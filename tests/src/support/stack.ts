import { availableParallelism } from 'node:os';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { memory } from './memory.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;

/** The whole system as `npm start` runs it, on ports and in directories of its own. */
export interface Stack {
  /** `http://localhost:<port>` */
  url: string;
  ingestUrl: string;
  hlsDir: string;
  framesDir: string;
  dataDir: string;
  /** The supervisor's process id. */
  pid: number;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number>;
}

/** Starts the system and waits for its `ready` line. */
export async function startStack(env: Record<string, string> = {}): Promise<Stack> {
  const port = await freePorts(portsOf(env));
  const root = await mkdtemp(join(memory, 'facecast-stack-'));
  const [hlsDir, framesDir] = [join(root, 'hls'), join(root, 'frames')];
  const dataDir = env['DATA_DIR'] ?? join(root, 'data');
  const supervisor = spawn('node', ['scripts/start.mjs'], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      PORT: String(port),
      DATA_DIR: dataDir,
      HLS_DIR: hlsDir,
      FRAMES_DIR: framesDir,
      LOG_LEVEL: 'warn',
      // Clips are sent as fast as possible, and are not to be held back.
      MAX_LEAD_SECONDS: '3600',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await ready(supervisor);
  const stop = async () => {
    const exited = once(supervisor, 'exit') as Promise<[number]>;
    supervisor.kill('SIGTERM');
    const [code] = await exited;
    await rm(root, { recursive: true, force: true });
    return code;
  };
  const url = `http://localhost:${port}`;
  const ingestUrl = `ws://localhost:${port}/ingest`;
  return { url, ingestUrl, hlsDir, framesDir, dataDir, pid: supervisor.pid ?? 0, stop };
}

async function ready(supervisor: ChildProcess): Promise<void> {
  if (!supervisor.stdout) throw new Error('the supervisor has no stdout');
  const lines = createInterface({ input: supervisor.stdout });
  const before: string[] = [];
  let isReady = false;
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      // All lines after `ready` are the services' log, which belongs in the test's output.
      if (isReady) process.stdout.write(`${line}\n`);
      before.push(line);
      if (!line.startsWith('ready ')) return;
      isReady = true;
      resolve();
    });
    supervisor.once('close', (code) =>
      reject(new Error(`npm start ended with ${code}:\n${before.join('\n')}`)),
    );
  });
}

/** Number of ports that the system needs: consecutive ones, one for each process. */
function portsOf(env: Record<string, string>): number {
  const detectors = Number(
    env['DETECTOR_REPLICAS'] ??
      process.env['DETECTOR_REPLICAS'] ??
      Math.max(1, availableParallelism() - 1),
  );
  return OTHER_SERVICES + detectors;
}

/** Gateway, frame-extractor and segmenter. */
const OTHER_SERVICES = 3;

/** The first of `count` consecutive free ports. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    // Below the ports that the system uses for outgoing connections.
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
