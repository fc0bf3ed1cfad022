/** Into how many equally long stretches a recording is divided: finer can hardly be seen. */
export const STRETCHES = 200;

/** How many faces there are in each stretch of a recording, at most at once. */
export class FacesOverTime {
  readonly most: number[] = new Array<number>(STRETCHES).fill(0);

  /** @param seconds length of the recording, above 0 */
  constructor(private readonly seconds: number) {}

  /** @param line of the face timeline: a frame that has faces, as JSON */
  add(line: string): void {
    const { t, faces } = JSON.parse(line) as { t: number; faces: unknown[] };
    const stretch = Math.min(STRETCHES - 1, Math.floor((STRETCHES * t) / this.seconds));
    this.most[stretch] = Math.max(this.most[stretch] ?? 0, faces.length);
  }
}

/** A graph of the counts as the `d` of an SVG path: one unit wide for each, one unit high in all. */
export function pathOf(counts: readonly number[]): string {
  const top = Math.max(1, ...counts);
  const steps = counts.map((count) => `V${1 - count / top}h1`);
  return `M0 1${steps.join('')}V1z`;
}
