import { describe, expect, test } from 'vitest';
import { chooseMimeType, InOrder } from './recorder.js';

describe('the recording type', () => {
  test('is VP8 in WebM wherever the browser records it', () => {
    expect(chooseMimeType(false, () => true)).toBe('video/webm;codecs=vp8');
    expect(chooseMimeType(true, () => true)).toBe('video/webm;codecs=vp8,opus');
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
