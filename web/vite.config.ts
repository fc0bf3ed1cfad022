import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** Puts drawings into the pages: as parts of them they take their colours. */
const drawings: Plugin = {
  name: 'drawings',
  transformIndexHtml: (html) =>
    html.replaceAll(/<!-- drawing: ([\w-]+) -->/g, (_, name: string) =>
      readFileSync(resolve(import.meta.dirname, `src/${name}.svg`), 'utf8'),
    ),
};

/**
 * Two pages: publishing at `/` and watching at `/watch/<id>`. Everything lands in hashed files
 * under `/assets/`: the gateway's content security policy allows nothing inline.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [drawings],
  experimental: {
    // Relative: a proxy may serve all of it under a path of its own. The watch page is at `/watch/<id>`.
    renderBuiltUrl: (file, { hostId, hostType }) =>
      hostType === 'html' ? `${hostId === 'watch.html' ? '..' : '.'}/${file}` : { relative: true },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // hls.js alone is larger than Vite's default warning, and both pages need it.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: {
        publish: resolve(import.meta.dirname, 'index.html'),
        watch: resolve(import.meta.dirname, 'watch.html'),
      },
    },
  },
});
