import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { ADMIN_TOKEN, bearer, httpRefusal, useGateways } from '../testing/use-gateways.js';

const { gatewayWith } = useGateways();
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find(
    (each) => each && !each.internal && each.family === 'IPv4' && !isOfDocker(each.address),
  )?.address;

/** Addresses of the networks that Docker makes count as this machine's. */
function isOfDocker(address: string): boolean {
  const [first, second] = address.split('.').map(Number);
  return first === 172 && second! >= 16 && second! < 32;
}

const REFUSED = [401, 'unauthorized'];

test('metrics are read from this machine, at whichever of its loopback names', async () => {
  const { port } = await gatewayWith({ HOST: '*' });
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    const answer = await fetch(`http://${host}:${port}/metrics`);
    expect([host, answer.status]).toEqual([host, 200]);
    expect(await answer.text()).toContain('facecast_publishers_connected');
  }
});

test.skipIf(!elsewhere)('from elsewhere they need the admin token', async () => {
  const { port } = await gatewayWith({ HOST: '*', ADMIN_TOKEN });
  const url = `http://${elsewhere}:${port}/metrics`;
  expect(await httpRefusal(fetch(url))).toEqual(REFUSED);
  expect(await httpRefusal(fetch(url, bearer('wrong')))).toEqual(REFUSED);
  expect((await fetch(url, bearer(ADMIN_TOKEN))).status).toBe(200);
});

test.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])(
  'who comes through a proxy on this machine, which says so by %s, is elsewhere',
  async (header) => {
    const { url } = await gatewayWith();
    const asked = fetch(`${url}/metrics`, { headers: { [header]: '192.0.2.1' } });
    expect(await httpRefusal(asked)).toEqual(REFUSED);
  },
);

test.each([{ TRUST_PROXY: '1' }, { PUBLIC_URL: 'https://cast.example' }])(
  'with %j a proxy may be in front that says nothing: everybody needs the token',
  async (settings) => {
    const { url } = await gatewayWith({ ADMIN_TOKEN, ...settings });
    expect(await httpRefusal(fetch(`${url}/metrics`))).toEqual(REFUSED);
    expect((await fetch(`${url}/metrics`, bearer(ADMIN_TOKEN))).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  },
);
