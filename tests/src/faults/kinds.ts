import { setTimeout as after } from 'node:timers/promises';
import { ffmpegsOf, present, processesOf, replaced, signal } from '../support/processes.js';
import type { Process } from '../support/processes.js';
import type { Stack } from '../support/stack.js';

/** Does something to a running system with two detectors; resolves when it is done. */
export type Fault = (stack: Stack) => Promise<void>;

/** A service's processes, once they run. */
export const running = (stack: Stack, service: string): Promise<Process[]> =>
  present(() => processesOf(stack, `services/${service}`), service === 'face-detector' ? 2 : 1);

/** A service's ffmpegs, once there is one for video and one for audio. */
const ffmpegs = (stack: Stack, service: string) =>
  present(() => ffmpegsOf(stack, `services/${service}`), 2);

/** The ffmpegs that decode audio, once there is one. */
export const soundDecoders = (stack: Stack): Promise<Process[]> =>
  present(async () => {
    const all = await ffmpegsOf(stack, 'services/frame-extractor');
    return all.filter(({ command }) => command.includes('0:a:0'));
  });

const killed =
  (service: string): Fault =>
  async (stack) =>
    signal((await running(stack, service)).slice(0, 1), 'SIGKILL');

/** Faults that viewers do not notice: every frame comes once and in order, and all audio. */
export const FAULTS = {
  'a detector is killed': killed('face-detector'),
  'the segmenter is killed': killed('segmenter'),
  'the frame-extractor is killed': killed('frame-extractor'),
  'the gateway is killed': killed('gateway'),
  'Redis is killed': async (stack) => {
    const redis = await present(() => processesOf(stack, 'redis-server'));
    signal(redis, 'SIGKILL');
    await replaced(stack, 'redis-server', redis);
  },
  'the audio decoder is killed': async (stack) => signal(await soundDecoders(stack), 'SIGKILL'),
  'the encoder hangs': async (stack) => signal(await ffmpegs(stack, 'segmenter'), 'SIGSTOP'),
  'the decoder hangs': async (stack) => signal(await ffmpegs(stack, 'frame-extractor'), 'SIGSTOP'),
  'all detectors hang for 5 s': async (stack) => {
    const detectors = await running(stack, 'face-detector');
    signal(detectors, 'SIGSTOP');
    await after(5_000);
    signal(detectors, 'SIGCONT');
  },
} satisfies Record<string, Fault>;

/** The services, in the order in which a rolling update replaces them. */
export const SERVICES = ['face-detector', 'frame-extractor', 'segmenter', 'gateway'] as const;
