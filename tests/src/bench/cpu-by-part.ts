import { cpuSeconds, processesUnder } from '../support/processes.js';

/** Seconds of CPU so far, by what used it: a service, its ffmpegs, or Redis. */
export type CpuByPart = Map<string, number>;

const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter', 'redis-server'];

/** What the processes of a stack that are alive have used. */
export async function cpuByPart(stack: { pid: number }): Promise<CpuByPart> {
  const processes = await processesUnder(stack.pid);
  const service = (command: string) => SERVICES.find((name) => command.includes(name));
  const names = new Map(processes.map(({ pid, command }) => [pid, service(command)]));
  const cpu: CpuByPart = new Map([['supervisor', await cpuSeconds(stack.pid)]]);
  for (const { pid, parent, command } of processes) {
    const name = command.startsWith('ffmpeg')
      ? `ffmpeg of the ${names.get(parent) ?? '?'}`
      : (names.get(pid) ?? 'other');
    // A process may end in between.
    const seconds = await cpuSeconds(pid).catch(() => 0);
    cpu.set(name, (cpu.get(name) ?? 0) + seconds);
  }
  return cpu;
}
