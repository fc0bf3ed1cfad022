import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

/**
 * Loaded before a service (`node --import`), it lets the time of day that the service sees jump: by the
 * milliseconds that a file says. Clocks that never jump go on as they are.
 */
const LOOK_EVERY_MS = 50;
const TimeOfDay = Date;
const directory = process.env['CLOCK_SHIFTS_DIR'] ?? '';
const service = /services\/([\w-]+)/.exec(process.argv[1] ?? '')?.[1];
let shiftMs = 0;

const now = () => TimeOfDay.now() + shiftMs;

if (service) {
  globalThis.Date = new Proxy(TimeOfDay, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget) as object,
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  });
  setInterval(() => {
    try {
      shiftMs = Number(readFileSync(`${directory}/${service}`, 'utf8'));
    } catch {
      // Nobody has moved it yet.
    }
  }, LOOK_EVERY_MS).unref();
}
