import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { drawFrame, type TrueFace } from '@facecast/face-detector/testing/scene';
import { loadPictures } from './pictures.js';
import { SCENE_FRAMES, scenesOf, type Size } from './scenes.js';
import { Judge, type Score } from './score.js';

/** The ancestor's call from Python, which tells whether Node makes a difference. */
const PROGRAM = `
import json, resource, sys
import cv2, numpy
cv2.setNumThreads(1)
width, height = int(sys.argv[1]), int(sys.argv[2])
cascade = cv2.CascadeClassifier('/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml')
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
while True:
    pixels = sys.stdin.buffer.read(width * height)
    if not pixels: break
    picture = numpy.frombuffer(pixels, numpy.uint8).reshape(height, width)
    started = cpu()
    faces = cascade.detectMultiScale(picture)
    print(json.dumps([(cpu() - started) * 1000, [[int(v) for v in face] for face in faces]]))
`;

/** Debian's own, which sees Debian's packages; another one may come first in the PATH. */
const PYTHON = '/usr/bin/python3';

/** Installs Debian's python3-opencv where it is missing; false where that cannot be done. */
export function ensurePythonOpenCv(): boolean {
  const isThere = () => spawnSync(PYTHON, ['-c', 'import cv2']).status === 0;
  if (isThere()) return true;
  const install = 'apt-get update && apt-get install -y --no-install-recommends python3-opencv';
  spawnSync('sh', ['-c', install], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return isThere();
}

/** Each `every`-th frame of all scenes. */
export async function scorePython(size: Size, every: number): Promise<Score[]> {
  const args = ['-c', PROGRAM, String(size.width), String(size.height)];
  const python = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const output = buffer(python.stdout);
  const frames: { judge: Judge; faces: TrueFace[] }[] = [];
  for (const scene of await scenesOf(await loadPictures(), size)) {
    const judge = new Judge(scene.name, size);
    for (let n = 0; n < SCENE_FRAMES; n += every) {
      const { frame, faces } = drawFrame(scene, n);
      frames.push({ judge, faces });
      if (!python.stdin.write(frame.y.pixels)) await once(python.stdin, 'drain');
    }
  }
  python.stdin.end();
  const lines = (await output).toString().trim().split('\n');
  lines.forEach((line, n) => {
    const [cpuMs, found] = JSON.parse(line) as [number, [number, number, number, number][]];
    const { judge, faces } = frames[n]!;
    judge.score.cpuMs += cpuMs;
    judge.frame(
      faces,
      found.map(([x, y, width, height], id) => {
        return { id, x, y, width, height, score: 1, sure: true, margin: 0 };
      }),
    );
  });
  return [...new Set(frames.map(({ judge }) => judge.score))];
}
