import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DockerComposeEnvironment,
  Wait,
  type StartedDockerComposeEnvironment,
} from 'testcontainers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countedClip, faceClip, facePlace } from './support/clips.js';
import { startLive } from './support/live-session.js';
import { leastFinds } from './support/session-api.js';
import { greenOutline, playFrames, surrounds } from './support/played-frames.js';
import { startPush } from './support/push.js';
import { freePorts } from './support/stack.js';

const run = promisify(execFile);
const REPOSITORY = new URL('../..', import.meta.url).pathname;
const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];
const DETECTORS = 3;
/** Format in which `docker inspect` tells a container's networks. */
const NETWORKS = '{{json .NetworkSettings.Networks}}';
/** Longer than it takes to scale three times. */
const LIVE_SECONDS = 150;
const PROJECT = `facecast-test-${process.pid}`;

const compose = (...args: string[]) =>
  run('docker', ['compose', '--project-directory', REPOSITORY, '--project-name', PROJECT, ...args]);

/** What a command prints in a service's container: options of `exec`, the service, and the command. */
async function inContainer(command: string[]): Promise<string> {
  return (await compose('exec', '--no-TTY', ...command)).stdout;
}

/** Resolves when exactly `count` detectors are healthy. */
async function scaleDetectors(count: number): Promise<void> {
  const up = ['up', '--detach', '--no-recreate', '--no-build', '--wait'];
  await compose(...up, '--scale', `face-detector=${count}`);
}

// Without an engine, scripts/test.mjs says that these tests are skipped, and .ci/run fails.
describe.skipIf(process.env['FACECAST_DOCKER'] !== '1')('docker compose up, 3 detectors', () => {
  let environment: StartedDockerComposeEnvironment;
  let media: string;
  let url: string;

  beforeAll(async () => {
    media = await mkdtemp(join(tmpdir(), 'facecast-clips-'));
    await faceClip(join(media, 'face.webm'), 6);
    environment = await new DockerComposeEnvironment(REPOSITORY, 'docker-compose.yml')
      .withProjectName(PROJECT)
      .withBuild()
      .withEnvironment({ PORT: String(await freePorts(1)) })
      .withClientOptions({ composeOptions: ['--ansi', 'never'] })
      .withDefaultWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(540_000)
      .up();
    await scaleDetectors(DETECTORS);
    const gateway = environment.getContainer('gateway-1');
    url = `${gateway.getHost()}:${gateway.getMappedPort(4000)}`;
  }, 1_200_000);

  afterAll(async () => {
    await environment?.down({ removeVolumes: true });
    await compose('down', '--rmi', 'local');
    await rm(media, { recursive: true, force: true });
  });

  test('a clip published at its own speed plays through the published port with its face outlined', async () => {
    const push = await startPush({ ingestUrl: `ws://${url}/ingest` }, join(media, 'face.webm'));
    expect(await push.ended).toBe(0);
    const playlist = `http://${url}/hls/${push.sessionId}/live.m3u8`;
    let [frames, outlined] = [0, 0];
    for await (const frame of playFrames(playlist, { width: 640, height: 480 })) {
      const outline = greenOutline(frame);
      if (outline && surrounds(outline, facePlace(frames))) outlined++;
      frames++;
    }
    expect(frames).toBe(180);
    expect(outlined).toBeGreaterThanOrEqual(
      await leastFinds({ url: `http://${url}` }, push.sessionId),
    );
  });

  test('the batches are spread over all detectors', async () => {
    const { stdout } = await compose('ps', '--format', '{{.Name}}', 'face-detector');
    const detectors = stdout.trim().split('\n');
    expect(detectors).toHaveLength(DETECTORS);
    for (const [n] of detectors.entries()) {
      const script = `fetch('http://localhost:9090/metrics').then(async (r) => console.log(await r.text()))`;
      const metrics = await inContainer([
        '--index',
        `${n + 1}`,
        'face-detector',
        'node',
        '-e',
        script,
      ]);
      const batches = /^facecast_stage_seconds_count\{.*\} (\d+)$/m.exec(metrics)?.[1];
      expect(Number(batches)).toBeGreaterThan(5);
    }
  });

  test('Redis speaks to nobody without its password, and nobody else reads its log', async () => {
    const script = `
      const socket = require('node:net').connect(6379, 'redis', () => socket.write('KEYS *\\r\\n'));
      socket.once('data', (answer) => { console.log(String(answer)); socket.destroy(); });`;
    for (const service of SERVICES)
      expect(await inContainer([service, 'node', '-e', script])).toMatch(/^-NOAUTH /);
    const list = ['redis', 'ls', '/data/appendonlydir'];
    expect(await inContainer(list)).toMatch(/\.aof/);
    const asServices = inContainer(['--user', '1000:1000', ...list]);
    await expect(asServices).rejects.toThrow(/Permission denied/);
  });

  test('only the gateway reaches the network outside', async () => {
    const [name = ''] = (await compose('ps', '--format', '{{.Name}}', 'gateway')).stdout.split(
      '\n',
    );
    const { stdout } = await run('docker', ['inspect', name, '--format', NETWORKS]);
    const networks = JSON.parse(stdout) as Record<string, { IPAddress: string }>;
    const addressIn = (network: string) => networks[`${PROJECT}_${network}`]?.IPAddress ?? '';
    const reach = async (service: string, host: string) => {
      const script = `
        const socket = require('node:net').connect({ port: 4000, host: '${host}' });
        const end = (how) => { console.log(how); process.exit(); };
        socket.on('connect', () => end('connected')).on('error', ({ code }) => end(code));
        setTimeout(end, ${host === addressIn('outside') ? 2_000 : 60_000}, 'no answer');`;
      return (await inContainer([service, 'node', '-e', script])).trim();
    };
    expect(await reach('gateway', addressIn('outside'))).toBe('connected');
    for (const service of SERVICES.slice(1)) {
      expect(await reach(service, addressIn('inside'))).toBe('connected');
      expect(await reach(service, addressIn('outside'))).not.toBe('connected');
    }
  });

  test("the gateway's metrics answer this machine at the published port", async () => {
    const response = await fetch(`http://${url}/metrics`);
    expect(await response.text()).toMatch(/^facecast_/m);
  });

  test('every frame comes once and in order while detectors come and go', async () => {
    const path = join(media, 'counted.webm');
    await countedClip(path, 30 * LIVE_SECONDS);
    const stack = { url: `http://${url}`, ingestUrl: `ws://${url}/ingest` };
    const { viewer, end } = await startLive(stack, await readFile(path));
    for (const count of [1, 4, 2]) {
      await scaleDetectors(count);
      await viewer.parts(10);
    }
    const frames = await end();
    expect(await viewer.numbers()).toEqual(Array.from({ length: frames }, (_, n) => n));
  });
});
