import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { Audit } from './audit.js';

let lines: Record<string, unknown>[];
const destination = new Writable({
  write: (text: Buffer, _encoding, done) => {
    lines.push(JSON.parse(text.toString()) as Record<string, unknown>);
    done();
  },
});
beforeEach(() => (lines = []));

test('is written whatever the level of the log is', () => {
  new Audit(pino({ level: 'error' }, destination)).note('delete session', 'admin', 's', { a: 1 });
  expect(lines).toMatchObject([
    { audit: true, action: 'delete session', subject: 'admin', sessionId: 's', a: 1 },
  ]);
});

test('a view is one line, however often its viewer asks', () => {
  const audit = new Audit(pino(destination));
  for (let n = 0; n < 100; n++) audit.viewed('192.0.2.1 curl', 's');
  audit.viewed('192.0.2.2 curl', 's');
  audit.viewed('192.0.2.1 curl', 'another');
  audit.viewed('192.0.2.1 curl', 's', 'link abc');
  expect(lines.map(({ action }) => action)).toEqual(['view', 'view', 'view', 'view']);
  const [first, second, third, fourth] = lines.map(({ subject }) => subject);
  expect(first).toMatch(/^viewer [0-9a-f]{8}$/);
  expect(second).not.toBe(first);
  expect(third).toBe(first);
  expect(fourth).toBe('link abc');
  expect(JSON.stringify(lines)).not.toContain('192.0.2');
});

test('what a viewer sees of a session is told apart, each in one line', () => {
  const audit = new Audit(pino(destination));
  for (const what of ['view', 'view recording', 'read faces', 'view recording'] as const)
    audit.viewed('192.0.2.1 curl', 's', undefined, what);
  expect(lines.map(({ action }) => action)).toEqual(['view', 'view recording', 'read faces']);
});

test('a viewer is called something else after a restart', () => {
  for (let n = 0; n < 2; n++) new Audit(pino(destination)).viewed('192.0.2.1 curl', 's');
  expect(lines[0]?.['subject']).not.toBe(lines[1]?.['subject']);
});

test('however many view, so many views are known', () => {
  const audit = new Audit(pino(destination), 100);
  for (let n = 0; n < 1_000; n++) audit.viewed(`viewer ${n}`, 's');
  expect(audit.size).toBe(100);
});
