import { describe, expect, test } from 'vitest';
import { chooseMimeType, InOrder } from './recorder.js';

describe('the type of what is recorded', () => {
  test('is VP8 in WebM wherever the browser records it', () => {
    expect(chooseMimeType(false, () => true)).toBe('video/webm;codecs=vp8');
    expect(chooseMimeType(true, () => true)).toBe('video/webm;codecs=vp8,opus');
  });

  /** What `MediaRecorder.isTypeSupported` says in each. */
  const chromium = (type: string) => type !== 'video/mp4;codecs=avc1.42E01F,mp4a.40.2';
  const firefox = (type: string) => /^video\/webm;codecs=vp8(,opus)?$/.test(type);
  const safari = (type: string) => /^video\/mp4(;codecs=avc1[^,]*(,mp4a.40.2)?)?$/.test(type);

  test.each([
    ['Chromium', chromium, 'video/webm;codecs=vp8', 'video/webm;codecs=vp8,opus'],
    ['Firefox', firefox, 'video/webm;codecs=vp8', 'video/webm;codecs=vp8,opus'],
    [
      'Safari that records MP4 alone',
      safari,
      'video/mp4;codecs=avc1.42E01F',
      'video/mp4;codecs=avc1.42E01F,mp4a.40.2',
    ],
  ])('in %s', (_, isSupported, silent, withSound) => {
    expect(chooseMimeType(false, isSupported)).toBe(silent);
    expect(chooseMimeType(true, isSupported)).toBe(withSound);
  });

  test('is MP4 where the browser records nothing else', () => {
    for (const hasSound of [false, true])
      expect(chooseMimeType(hasSound, (type) => type === 'video/mp4')).toBe('video/mp4');
  });

  test('is none where the browser records nothing that the server takes', () => {
    expect(chooseMimeType(false, () => false)).toBeUndefined();
  });
});

describe('recorded bytes', () => {
  test('are handed on in the order in which they were recorded, whichever is read first', async () => {
    const handedOn: string[] = [];
    const inOrder = new InOrder((value: string) => handedOn.push(value));
    let resolveFirst: ((value: string) => void) | undefined;
    inOrder.push(new Promise((resolve) => (resolveFirst = resolve)));
    inOrder.push(Promise.resolve('second'));
    await Promise.resolve();
    expect(handedOn).toEqual([]);
    resolveFirst?.('first');
    await inOrder.settled();
    expect(handedOn).toEqual(['first', 'second']);
  });
});
