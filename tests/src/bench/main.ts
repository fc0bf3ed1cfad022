import { benchFaces } from './faces/faces.js';
import { benchLatency } from './latency.js';
import { benchViewers } from './viewers.js';

/** `npm run bench -- [NAME…]`: all benchmarks, or those that are named. */
const benchmarks: Record<string, () => Promise<string>> = {
  faces: benchFaces,
  latency: benchLatency,
  viewers: benchViewers,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(
    `No such benchmark: ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}.`,
  );
  process.exit(1);
}
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n## ${name}\n\n${await benchmark()}`);
}
