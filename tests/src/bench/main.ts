import { benchFaces } from './faces/faces.js';
import { benchHidden } from './faces/hidden.js';
import { benchHiddenLive } from './faces/hidden-live.js';
import { benchFacesMemory } from './faces/memory.js';
import { benchFaults } from './faults.js';
import { benchFuzz } from './fuzz.js';
import { benchHostile } from './hostile.js';
import { benchLatency } from './latency.js';
import { benchOverload } from './overload.js';
import { benchPipeline } from './pipeline.js';
import { benchScaling } from './scaling.js';
import { benchSoak } from './soak.js';
import { benchSources } from './sources.js';
import { benchViewers } from './viewers.js';

/** These take many minutes, and run only if they are named. */
const LONG = [
  'faces',
  'faces-hidden',
  'faces-hidden-live',
  'faces-memory',
  'fuzz',
  'hostile',
  'overload',
  'sources',
  'soak',
];

/** `npm run bench -- [NAME…]`: all benchmarks but the long ones, or those that are named. */
const benchmarks: Record<string, () => Promise<string>> = {
  faces: benchFaces,
  'faces-hidden': benchHidden,
  'faces-hidden-live': benchHiddenLive,
  'faces-memory': benchFacesMemory,
  latency: benchLatency,
  pipeline: benchPipeline,
  viewers: benchViewers,
  scaling: benchScaling,
  faults: benchFaults,
  overload: benchOverload,
  fuzz: benchFuzz,
  hostile: benchHostile,
  sources: benchSources,
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
  if (wanted.length > 0 ? !wanted.includes(name) : LONG.includes(name)) continue;
  console.log(`\n## ${name}\n\n${await benchmark()}`);
}
