import { expect, test } from 'vitest';
import { readDirectives } from './directives.js';

test('a directive that is given twice is malformed', () => {
  expect(readDirectives({ _HLS_msn: ['1', '2'] })).toBe('malformed');
});

test('rfc8216bis 6.2.5.1: _HLS_skip is YES or v2, and anything else is as if it were not there', () => {
  expect(readDirectives({ _HLS_skip: 'YES' })).toEqual({ skip: 'YES' });
  expect(readDirectives({ _HLS_skip: 'v2' })).toEqual({ skip: 'v2' });
  expect(readDirectives({ _HLS_skip: 'no' })).toEqual({ skip: undefined });
  expect(readDirectives({ _HLS_skip: ['YES', 'YES'] })).toEqual({ skip: undefined });
});
