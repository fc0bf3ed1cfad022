import { ConfigError } from '@facecast/shared/runtime/config';
import { describe, expect, test } from 'vitest';
import { gatewayConfig } from './config.js';

describe('settings', () => {
  test('have defaults', () => {
    expect(gatewayConfig({})).toMatchObject({
      PORT: 4000,
      MAX_SESSIONS: 16,
      MAX_CHUNK_BYTES: 4 * 1024 * 1024,
      RESUME_WINDOW_SECONDS: 15,
      TRUST_PROXY: 0,
    });
    expect(gatewayConfig({})).not.toHaveProperty('PUBLISH_TOKEN');
    expect(gatewayConfig({}).WEB_DIR).toMatch(/web\/dist$/);
  });

  test('origins are a list, each in its normal form', () => {
    const { ALLOWED_ORIGINS } = gatewayConfig({
      ALLOWED_ORIGINS: 'https://Example.org:443, http://localhost:3000/',
    });
    expect(ALLOWED_ORIGINS).toEqual(['https://example.org', 'http://localhost:3000']);
  });

  test.each(['*', 'https://*.example.org', 'https://example.org,*'])(
    'origins have no wildcard: %s is refused, and the error says what to write instead',
    (ALLOWED_ORIGINS) => {
      expect(() => gatewayConfig({ ALLOWED_ORIGINS })).toThrow(
        /^ALLOWED_ORIGINS\.\d: no wildcard .*https:\/\/example\.org,https:\/\/www\.example\.org$/,
      );
    },
  );

  test('the base path is that of the public address, unless it is set', () => {
    expect(gatewayConfig({}).BASE_PATH).toBe('');
    expect(gatewayConfig({ PUBLIC_URL: 'https://cast.example' }).BASE_PATH).toBe('');
    const PUBLIC_URL = 'https://example.org/face/cast/';
    expect(gatewayConfig({ PUBLIC_URL }).BASE_PATH).toBe('/face/cast');
    expect(gatewayConfig({ BASE_PATH: '/cast/' }).BASE_PATH).toBe('/cast');
    expect(gatewayConfig({ PUBLIC_URL, BASE_PATH: '/face/cast/' }).BASE_PATH).toBe('/face/cast');
  });

  test.each([{ BASE_PATH: 'cast' }, { BASE_PATH: '/a b' }, { BASE_PATH: 'https://example.org/' }])(
    'a base path is a path: %o is refused',
    (settings) => {
      expect(() => gatewayConfig(settings)).toThrow(/^BASE_PATH: a path such as/);
    },
  );

  test('a base path that is not that of the public address is refused', () => {
    const settings = { PUBLIC_URL: 'https://example.org/cast', BASE_PATH: '/other' };
    expect(() => gatewayConfig(settings)).toThrow(/^BASE_PATH: .*PUBLIC_URL, \/cast$/);
  });

  test('a bad value is refused, each with a line of its own', () => {
    const read = () =>
      gatewayConfig({ PORT: 'x', ALLOWED_ORIGINS: 'example.org', TRUST_PROXY: '-1' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/PORT: .*\n(.*\n)*.*ALLOWED_ORIGINS.*: .*\n(.*\n)*.*TRUST_PROXY: /);
  });
});
