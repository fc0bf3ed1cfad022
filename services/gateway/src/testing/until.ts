/** Resolves when `holds` does; looks again whenever the event loop has gone round. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
