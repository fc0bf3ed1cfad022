import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

/**
 * Loaded before a service (`node --import`), this module shifts its time of day by the milliseconds that a
 * file contains. Monotonic clocks are not changed. It is JavaScript, because nothing compiles the tests for
 * `npm test`.
 */
const LOOK_EVERY_MS = 50;
const TimeOfDay = Date;
const directory = process.env['CLOCK_SHIFTS_DIR'] ?? '';
const service = /services\/([\w-]+)/.exec(process.argv[1] ?? '')?.[1];
let shiftMs = 0;

const now = () => TimeOfDay.now() + shiftMs;

if (service) {
  globalThis.Date = new Proxy(TimeOfDay, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
  setInterval(() => {
    try {
      shiftMs = Number(readFileSync(`${directory}/${service}`, 'utf8'));
    } catch {
      // The file does not exist yet.
    }
  }, LOOK_EVERY_MS).unref();
}
