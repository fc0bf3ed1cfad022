import { expect, test } from 'vitest';
import { readOptions } from './start-options.mjs';

test('npm start leaves a service out, or watches the sources, on request', () => {
  expect(readOptions([])).toEqual({ without: undefined, dev: false });
  expect(readOptions(['--without', 'segmenter'])).toEqual({ without: 'segmenter', dev: false });
  expect(readOptions(['--dev'])).toEqual({ without: undefined, dev: true });
});

test.each([
  ['an unknown service', ['--without', 'detector'], 'there is no service "detector"'],
  ['an unknown option', ['--fast'], "Unknown option '--fast'"],
  ['an argument', ['segmenter'], "Unexpected argument 'segmenter'"],
])('%s is refused with the usage', (_, args, message) => {
  expect(() => readOptions(args)).toThrow(message);
  expect(() => readOptions(args)).toThrow('--without SERVICE');
});
