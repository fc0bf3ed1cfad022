import { setTimeout as after } from 'node:timers/promises';

/** Between two looks: without a pause they would take a core from what is waited for. */
const LOOK_AGAIN_MS = 5;

/** Resolves when `holds` does, which is looked at again and again. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await after(LOOK_AGAIN_MS);
}
