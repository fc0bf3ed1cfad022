import { describe, expect, test } from 'vitest';
import { arrivalOf, nextProtection, type Protection, type ProtectionEvent } from './protection.js';

const PIXELATED: Protection = { effect: 'pixelate', hidden: false, asked: undefined };
const ON_AIR = true;

const after = (isOnAir: boolean, ...events: ProtectionEvent[]) =>
  events.reduce((state, event) => nextProtection(state, event, isOnAir), PIXELATED);

describe('on air', () => {
  test('a stronger effect holds at once, a weaker one only when that was confirmed', () => {
    expect(after(ON_AIR, { type: 'choose_effect', effect: 'black' })).toEqual({
      ...{ effect: 'black', hidden: false, asked: undefined },
    });
    const chosen = after(ON_AIR, { type: 'choose_effect', effect: 'none' });
    expect(chosen).toEqual({ ...PIXELATED, asked: { effect: 'none', hidden: false } });
    expect(nextProtection(chosen, { type: 'keep' }, ON_AIR)).toEqual(PIXELATED);
    expect(nextProtection(chosen, { type: 'confirm' }, ON_AIR).effect).toBe('none');
  });

  test('whoever chooses what there is already is not asked any more', () => {
    const again: ProtectionEvent = { type: 'choose_effect', effect: 'pixelate' };
    expect(after(ON_AIR, { type: 'choose_effect', effect: 'blur' }, again)).toEqual(PIXELATED);
  });

  test('everything is hidden at once, and shown again only when that was confirmed', () => {
    const hidden = after(ON_AIR, { type: 'choose_effect', effect: 'none' }, { type: 'hide' });
    expect(hidden).toEqual({ effect: 'pixelate', hidden: true, asked: undefined });
    const asked = nextProtection(hidden, { type: 'show' }, ON_AIR);
    expect(asked).toMatchObject({ hidden: true, asked: { effect: 'pixelate', hidden: false } });
    expect(nextProtection(asked, { type: 'confirm' }, ON_AIR)).toEqual(PIXELATED);
  });

  test('while everything is hidden any effect may be chosen: it is seen after the question', () => {
    const events: ProtectionEvent[] = [{ type: 'hide' }, { type: 'choose_effect', effect: 'box' }];
    expect(after(ON_AIR, ...events)).toEqual({ effect: 'box', hidden: true, asked: undefined });
  });

  test('an answer to no question changes nothing', () => {
    expect(after(ON_AIR, { type: 'confirm' })).toEqual(PIXELATED);
  });
});

test('where nobody else sees it, nothing is asked', () => {
  expect(after(false, { type: 'choose_effect', effect: 'none' }).effect).toBe('none');
  expect(after(false, { type: 'hide' }, { type: 'show' })).toEqual(PIXELATED);
});

describe('a change', () => {
  const shown = { effect: 'pixelate', hidden: false, sinceFrame: 30, since: 10_000 } as const;

  test('is awaited until the stream has it, then under way until the picture here is as new', () => {
    expect(arrivalOf({ effect: 'black', hidden: false }, shown, 12_000).name).toBe('awaited');
    expect(arrivalOf({ effect: 'pixelate', hidden: true }, shown, 12_000).name).toBe('awaited');
    expect(arrivalOf(PIXELATED, shown, 9_200)).toEqual({ name: 'under_way', seconds: 0.8 });
    expect(arrivalOf(PIXELATED, shown, 10_000).name).toBe('arrived');
  });

  test('of the effect does not matter while everything is hidden', () => {
    const hidden = { ...shown, hidden: true };
    expect(arrivalOf({ effect: 'none', hidden: true }, hidden, 12_000).name).toBe('arrived');
  });
});
