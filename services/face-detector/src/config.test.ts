import { ConfigError } from '@facecast/shared/runtime/config';
import { expect, test } from 'vitest';
import { readFaceDetectorConfig } from './config.js';
import { BlazeFaceFinder } from './finders/blazeface.js';
import { createFinder } from './finders/create-finder.js';
import { HaarFinder } from './finders/haar.js';

const problemsOf = (env: Record<string, string>) => {
  try {
    readFaceDetectorConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return undefined;
};

test('without settings: YuNet or else BlazeFace, and for Haar alt2 of opencv-data', async () => {
  const config = readFaceDetectorConfig({});
  expect(config).toMatchObject({
    FACE_FINDER: 'auto',
    HAAR_CASCADE: '/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml',
  });
  const without = readFaceDetectorConfig({ XDG_CACHE_HOME: '/nowhere' });
  expect(await createFinder(without)).toBeInstanceOf(BlazeFaceFinder);
  expect(await createFinder({ ...config, FACE_FINDER: 'haar' })).toBeInstanceOf(HaarFinder);
});

test('a cascade is named by its name or its path', () => {
  const path = '/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml';
  const byName = readFaceDetectorConfig({ HAAR_CASCADE: 'haarcascade_frontalface_default' });
  expect(byName.HAAR_CASCADE).toBe(path);
  expect(readFaceDetectorConfig({ HAAR_CASCADE: path }).HAAR_CASCADE).toBe(path);
});

test('a cascade that is missing, or is none, is refused in one line that says what to do', () => {
  for (const HAAR_CASCADE of ['nonesuch', '/nowhere/cascade.xml', '/etc/hostname']) {
    const problems = problemsOf({ HAAR_CASCADE });
    expect(problems).toHaveLength(1);
    expect(problems![0]).toMatch(/^HAAR_CASCADE: there is no cascade \/.*opencv-data/);
  }
});

test('a YuNet network that is missing, or is none, is refused in one line that names the setting', async () => {
  expect(problemsOf({ YUNET_MODEL: '/nowhere/yunet.onnx' })).toEqual([
    'YUNET_MODEL: there is no file /nowhere/yunet.onnx',
  ]);
  const none = readFaceDetectorConfig({ FACE_FINDER: 'yunet', YUNET_MODEL: '/etc/hostname' });
  await expect(createFinder(none)).rejects.toThrow('YUNET_MODEL: /etc/hostname cannot search');
  const missing = readFaceDetectorConfig({ FACE_FINDER: 'yunet', XDG_CACHE_HOME: '/nowhere' });
  await expect(createFinder(missing)).rejects.toThrow('YUNET_MODEL: /nowhere/facecast/yunet');
});

test('an unknown finder is refused', () => {
  expect(problemsOf({ FACE_FINDER: 'magic' })).toHaveLength(1);
});

test('a finder whose first search fails is a bad setting too', async () => {
  const config = {
    ...readFaceDetectorConfig({}),
    FACE_FINDER: 'haar',
    HAAR_CASCADE: '/nowhere.xml',
  } as const;
  await expect(createFinder(config)).rejects.toThrow(ConfigError);
});
