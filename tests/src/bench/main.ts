import { benchFaces } from './faces/faces-bench.js';
import { benchHidden } from './faces/hidden-bench.js';
import { benchHiddenLive } from './faces/hidden-live-bench.js';
import { benchFacesMemory } from './faces/memory-bench.js';
import { benchFaults } from './faults-bench.js';
import { benchFuzz } from './fuzz-bench.js';
import { benchHostile } from './hostile-bench.js';
import { benchKills } from './kills-bench.js';
import { benchLatency } from './latency-bench.js';
import { benchOverload } from './overload-bench.js';
import { benchPipeline } from './pipeline-bench.js';
import { benchScaling } from './scaling-bench.js';
import { benchSoak } from './soak-bench.js';
import { benchSources } from './sources-bench.js';
import { benchViewers } from './viewers-bench.js';

/** These take many minutes, and run only if they are named. */
const LONG = [
  'faces',
  'faces-hidden',
  'faces-hidden-live',
  'faces-memory',
  'fuzz',
  'hostile',
  'kills',
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
  kills: benchKills,
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
