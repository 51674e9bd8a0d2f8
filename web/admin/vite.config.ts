import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const program = 'http://localhost:8080';

// Beside each file lies what it is compressed, so that nothing is compressed while it is served.
function compressed(): Plugin {
  const brotli = promisify(brotliCompress);
  const zip = promisify(gzip);
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir }, files) {
      const named = Object.values(files).filter((file) => /^assets\/.+\.(js|css|svg)$/.test(file.fileName));
      await Promise.all(
        named.map(async (file) => {
          const path = join(dir ?? '', file.fileName);
          const text = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          await writeFile(`${path}.br`, await brotli(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
          await writeFile(`${path}.gz`, await zip(text, { level: 9 }));
        }),
      );
    },
  };
}

// Each chunk brings the styles of the library's components that are in it, and the first none of
// the others. While one works on the office, all are there at once.
function dressed(): Plugin {
  const sheet = (name: string) => `@mantine/core/styles/${name}.layer.css`;
  return {
    name: 'dressed',
    apply: 'build',
    enforce: 'pre',
    transform(code, file) {
      if (file.endsWith('/src/main.css')) return code.replace("@import '@mantine/core/styles.layer.css';", ['baseline', 'default-css-variables', 'global'].map((name) => `@import '${sheet(name)}';`).join('\n'));
      const component = /@mantine\/core\/esm\/.*\/(\w+)\.module\.mjs$/.exec(file)?.[1];
      return component && `import '${sheet(component)}';\n${code}`;
    },
  };
}

export default defineConfig({
  base: '/admin/',
  plugins: [dressed(), react(), compressed()],
  publicDir: false,
  // admin.go puts one in its place with each page, and names it in the page's policy.
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: 'dist/built',
    emptyOutDir: true,
    manifest: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    // What a screen needs is fetched as it is found, and not listed in what is sent first: there are many screens.
    modulePreload: { polyfill: false, resolveDependencies: (_file, needed, { hostType }) => (hostType === 'html' ? needed : needed.filter((name) => name.endsWith('.css'))) },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000, // how much is sent is held by a test, in admin_test.go
  },
  // While one works on the back office itself: npm run dev, beside make dev.
  server: { proxy: Object.fromEntries(['/v1', '/sign-up', '/sign-out', '/forgot-password', '/favicon.ico', '/docs'].map((path) => [path, program])) },
});
