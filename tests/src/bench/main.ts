import { benchFaces } from './faces/faces.js';
import { benchFaults } from './faults.js';
import { benchLatency } from './latency.js';
import { benchPipeline } from './pipeline.js';
import { benchScaling } from './scaling.js';
import { benchSoak } from './soak.js';
import { benchViewers } from './viewers.js';

/** `npm run bench -- [NAME…]`: all benchmarks, or those that are named; `soak` only if it is named. */
const benchmarks: Record<string, () => Promise<string>> = {
  faces: benchFaces,
  latency: benchLatency,
  pipeline: benchPipeline,
  viewers: benchViewers,
  scaling: benchScaling,
  faults: benchFaults,
  soak: benchSoak,
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
  if (wanted.length > 0 ? !wanted.includes(name) : name === 'soak') continue;
  console.log(`\n## ${name}\n\n${await benchmark()}`);
}
