import { defineConfig } from 'vitest/config';

// PARLEY_SERVER: where `npm run dev` finds a running server.
const server = process.env.PARLEY_SERVER ?? 'http://localhost:8080';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0, // the CSP allows no data: in scripts or styles
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/gateway': { target: server, ws: true },
      '/api': server,
    },
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node', setupFiles: ['test/setup.mjs'] },
});
