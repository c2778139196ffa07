import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// PARLEY_SERVER: where `npm run dev` finds a running server.
const server = process.env.PARLEY_SERVER ?? 'http://localhost:8080';

/** Tells the service worker which files there are, and a version that changes with any of them. */
const precache: Plugin = {
  name: 'precache',
  enforce: 'post',
  generateBundle(_options, bundle) {
    const worker = bundle['service-worker.js'];
    const page = bundle['index.html'];
    if (worker?.type !== 'chunk' || page?.type !== 'asset') throw new Error('the service worker or the page is missing');
    // pdf.js is large and not needed without a network: it is not kept.
    const files = Object.keys(bundle).filter((name) => /^assets\/(?!pdf)/.test(name)).map((name) => `/${name}`).sort();
    const version = createHash('sha256').update(worker.code).update(page.source).update(files.join()).digest('hex').slice(0, 16);
    worker.code = worker.code
      .replace(/["'`]__FILES__["'`]/, JSON.stringify(JSON.stringify(files)))
      .replaceAll('__VERSION__', version);
  },
};

export default defineConfig({
  plugins: [precache],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0, // the CSP allows no data: in scripts or styles
    sourcemap: false,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: 'index.html', 'service-worker': 'worker/worker.ts' },
      output: {
        // A service worker's address stays; all else carries a hash of what it is.
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: {
      '/gateway': { target: server, ws: true },
      '/api': server,
    },
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node', setupFiles: ['test/setup.mjs'] },
});
